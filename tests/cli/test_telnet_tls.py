"""TLS in hail telnet: openssl's server, and peers that speak the bytes of each protocol's STARTTLS,
that refuse it, spoil it or cut it short."""

import os
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest
from telnet_pty import as_telnet, end, spawn, wait


class Peer:
    """One connection: `lines` are heard (str) and said (bytes) in turn; then `after` goes on with
    the socket. What went wrong, or what was heard instead, is in `error`."""

    def __init__(self, steps, after=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.steps, self.after, self.error = steps, after, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            s, _ = self.listener.accept()
            s.settimeout(20)
            with s:
                for say, hear in self.steps:
                    s.sendall(say)
                    heard = b""
                    while len(heard) < len(hear) and (c := s.recv(len(hear) - len(heard))):
                        heard += c
                    assert heard == hear, heard
                if self.after:
                    self.after(s)
        except (OSError, AssertionError) as e:
            self.error = e

    def close(self):
        self.listener.close()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture(name="peer")
def fixture_peer():
    peers = []

    def make(steps, after=None):
        peers.append(Peer(steps, after))
        return peers[-1]
    yield make
    for p in peers:
        p.close()


@pytest.fixture(name="sealed")
def fixture_sealed(certs):
    """The rest of a conversation: Python's TLS, one line, one answer, close_notify."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.cert, certs.key)

    def rest(s):
        with context.wrap_socket(s, server_side=True) as t:
            t.sendall(b"sealed\n")
            assert t.recv(100) == b"hello\r\n"
            t.sendall(b"and answered\n")
            t.unwrap()
    return rest


@pytest.fixture(name="telnet")
def fixture_telnet(hail, certs):
    def run(port, *options, said=b"hello\n", ca=True, host="localhost"):
        return subprocess.run(
            [hail, "telnet", "-4", "--timeout", "15", *(("--ca", certs.ca) if ca else ()),
             *options, host, str(port)],
            input=said, capture_output=True, timeout=60, check=False)
    return run


class Server:
    """openssl s_server with a certificate; whoever comes is answered as a web server does."""

    def __init__(self, cert, key, *options):
        for _ in range(5):
            with socket.create_server(("127.0.0.1", 0)) as s:
                self.port = s.getsockname()[1]
            self.process = subprocess.Popen(
                ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", cert, "-key",
                 key, "-www", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            while line := self.process.stdout.readline():
                if line.startswith(b"ACCEPT"):
                    return
            self.process.wait()
        raise AssertionError("openssl s_server does not start")

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=10)


@pytest.fixture(name="serve")
def fixture_serve():
    servers = []

    def make(cert, key, *options):
        servers.append(Server(cert, key, *options))
        return servers[-1].port
    yield make
    for s in servers:
        s.close()


GET = b"GET / HTTP/1.0\r\n\r\n"


# --- certificates ---

def test_openssl_as_a_server(certs, serve, telnet):
    r = telnet(serve(certs.cert, certs.key, "-alpn", "imap,http/1.1"), "--tls", "--alpn",
               "h2,http/1.1", said=GET)
    assert r.returncode == 0
    assert b"HTTP/1.0 200 ok" in r.stdout and b"ALPN protocols: http/1.1" not in r.stderr
    assert re.search(rb"^TLS: TLSv1\.3, TLS_AES_256_GCM_SHA384, ALPN http/1\.1, certificate "
                     rb"verified\nCertificate: CN=leaf \(DNS:localhost, ", r.stderr, re.M), r.stderr
    assert b"\nConnected to localhost.\nEscape character is '^]'.\n" in r.stdout


def bad_certificates(certs):
    def self_signed():
        cert, key = certs.dir / "self.pem", certs.dir / "self.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                        "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True, timeout=60)
        return cert, key
    return {"expired": lambda: certs.leaf("expired", days=-1),
            "wrong name": lambda: certs.leaf("other", san="DNS:other.example"),
            "self-signed": self_signed,
            "unknown authority": lambda: (certs.cert, certs.key)}


@pytest.mark.parametrize("kind,why", [
    ("expired", "it expired"), ("wrong name", "it is for other.example, not for localhost"),
    ("self-signed", "it is self-signed"), ("unknown authority", "authority")])
def test_bad_certificate(certs, serve, telnet, kind, why):
    port = serve(*bad_certificates(certs)[kind]())
    ca = kind != "unknown authority"
    r = telnet(port, "--tls", said=GET, ca=ca)
    error = r.stderr.decode()
    assert r.returncode == 6 and b"HTTP" not in r.stdout and b"Connected" not in r.stdout
    assert "hail: TLS handshake with localhost" in error and "certificate refused: " in error
    assert why in error, error
    r = telnet(port, "--tls", "--insecure-certificate", said=GET, ca=ca)
    assert r.returncode == 0 and b"HTTP/1.0 200 ok" in r.stdout
    assert "certificate NOT verified: " in r.stderr.decode() and why in r.stderr.decode()


def test_another_name(certs, serve, telnet):
    port = serve(*certs.leaf("another", san="DNS:other.example"))
    for option in ("--sni", "--servername"):
        r = telnet(port, "--tls", option, "other.example", said=GET)
        assert r.returncode == 0 and b"HTTP/1.0 200 ok" in r.stdout, r.stderr


def test_own_certificate(certs, serve, telnet):
    port = serve(certs.cert, certs.key, "-Verify", "1", "-CAfile", certs.ca, "-verify_return_error")
    cert, key = certs.leaf("client", san="email:me@example")
    r = telnet(port, "--tls", "--cert", cert, "--key", key, said=GET)
    assert r.returncode == 0 and cert.read_bytes().splitlines()[1] in r.stdout, r.stderr
    r = telnet(port, "--tls", said=GET)
    assert r.returncode in (6, 7) and b"HTTP" not in r.stdout
    assert b"certificate" in r.stderr.split(b"Certificate: ")[-1].split(b"\n", 1)[-1]


def test_trace_has_the_certificate_in_full(certs, serve, telnet, tmp_path):
    trace = tmp_path / "t.txt"
    r = telnet(serve(certs.cert, certs.key), "--tls", f"--trace={trace}", said=GET)
    assert r.returncode == 0
    text = trace.read_text()
    assert "CN=hail test CA" in text and "IP:127.0.0.1" in text and "HTTP/1.0 200 ok" in text


def test_ports_whose_service_is_tls(hail, certs, tmp_path):
    """443 and 993 in a network of its own; by the name telnet and after tcp: they are plain."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    (tmp_path / "run").write_text(f"""ip link set lo up || exit 99
for port in 443 993 80; do
    openssl s_server -accept 127.0.0.1:$port -cert {certs.cert} -key {certs.key} -www -quiet &
    pids="$pids $!"
done
trap 'kill $pids; wait' EXIT
for port in 443 993 80; do
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null && break
        sleep 0.1
    done
done
say() {{ printf 'GET / HTTP/1.0\\r\\n\\r\\n'; }}
telnet() {{ say | timeout 20 "$@" >out 2>&1; echo "$? $(grep -c '200 ok' out) $*"; }}
telnet {hail} telnet --ca {certs.ca} 127.0.0.1 443
telnet {hail} telnet --ca {certs.ca} 127.0.0.1 https
telnet {hail} telnet --ca {certs.ca} 127.0.0.1:imaps
telnet {hail} telnet --ca {certs.ca} tls:127.0.0.1:80
telnet {hail} telnet --timeout 5 tcp:127.0.0.1:443
telnet {hail} telnet --timeout 5 --no-tls 127.0.0.1 443
telnet {hail} telnet --timeout 5 127.0.0.1 80
telnet {as_telnet(tmp_path, hail)} 127.0.0.1 443
telnet {as_telnet(tmp_path, hail)} --tls --ca {certs.ca} 127.0.0.1 443
""")
    r = subprocess.run(["unshare", "-n", "sh", "run"], cwd=tmp_path, capture_output=True,
                       text=True, timeout=120, check=False)
    if r.returncode == 99:
        pytest.skip("no network namespace here: " + r.stderr)
    rows = [line.split()[:2] for line in r.stdout.splitlines()]
    assert len(rows) == 9, r.stdout + r.stderr
    assert rows[:4] == [["0", "1"]] * 4, r.stdout
    assert all(found == "0" for _, found in rows[4:8]), r.stdout
    assert rows[8] == ["0", "1"]


# --- STARTTLS, byte by byte ---

MYSQL = (b"\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\x21\2\0\xff\xdf\x15" + bytes(10)
         + b"ijklmnopqrst\0mysql_native_password\0")
XMPP = (b"<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' "
        b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
DIALOGS = {
    "smtp": [(b"220-hello\r\n220 there\r\n", b"EHLO localhost\r\n"),
             (b"250-me\r\n250-SIZE 1\r\n250 STARTTLS\r\n", b"STARTTLS\r\n"), (b"220 go\r\n", b"")],
    "lmtp": [(b"220 hello\r\n", b"LHLO localhost\r\n"), (b"250-STARTTLS\r\n250 x\r\n",
                                                      b"STARTTLS\r\n"), (b"220 go\r\n", b"")],
    "pop3": [(b"+OK hello\r\n", b"STLS\r\n"), (b"+OK go\r\n", b"")],
    "imap": [(b"* OK hello\r\n", b"a001 STARTTLS\r\n"),
             (b"* OK still here\r\na001 OK go\r\n", b"")],
    "ftp": [(b"120 wait\r\n220-hello\r\n in the middle\r\n220 there\r\n", b"AUTH TLS\r\n"),
            (b"234 go\r\n", b"")],
    "nntp": [(b"201 hello\r\n", b"STARTTLS\r\n"), (b"382 go\r\n", b"")],
    "sieve": [(b'"IMPLEMENTATION" "x"\r\n"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK\r\n',
               b"STARTTLS\r\n"), (b"OK go\r\n", b"")],
    "postgres": [(b"", bytes.fromhex("0000000804d2162f")), (b"S", b"")],
    "mysql": [(len(MYSQL).to_bytes(3, "little") + b"\0" + MYSQL,
               bytes.fromhex("20000001" "008a0000" "00000001" "2d") + bytes(23))],
    "ldap": [(b"", b"\x30\x1d\2\1\1\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
             # the lengths in four octets, as Active Directory writes them
             (bytes.fromhex("308400000010" "020101" "788400000007" "0a0100" "0400" "0400"), b"")],
    "xmpp": [(b"", XMPP),
             (b"<?xml version='1.0'?><stream:stream from='x' id='1' version='1.0'>"
              b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>"
              b"</starttls></stream:features>\n",
              b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
             (b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"")],
}


@pytest.mark.parametrize("protocol", DIALOGS)
def test_dialog(peer, sealed, telnet, protocol):
    p = peer(DIALOGS[protocol], sealed)
    r = telnet(p.port, "--starttls=" + protocol)
    p.close()
    assert p.error is None
    assert r.returncode == 0, r.stderr
    assert r.stdout.endswith(b"Escape character is '^]'.\nsealed\nand answered\n")
    assert b"certificate verified\n" in r.stderr


@pytest.mark.parametrize("protocol,steps,status,why", [
    ("smtp", [(b"554 no\r\n", b"")], 6, 'refuses to start TLS: "554 no"'),
    ("smtp", [(b"220 x\r\n", b"EHLO localhost\r\n"), (b"250 x\r\n", b"")], 6, "does not offer"),
    ("smtp", [*DIALOGS["smtp"][:2], (b"454 4.7.0 \x1b[31mnot now\r\n", b"")], 6, "not now"),
    ("smtp", [(b"hello\r\n", b"")], 7, 'unexpected: "hello"'),
    ("smtp", [(b"220 " + b"x" * 9000, b"")], 7, "too much"),
    ("smtp", [(b"220-x\r\n" * 10000, b"")], 7, "too much"),
    ("smtp", [(b"220 x\r\n", b"EHLO localhost\r\n"), (b"250-S", b"")], 7, "closed the connection"),
    ("smtp", [(b"", b"")], 7, "closed the connection"),
    ("pop3", [(b"+OK x\r\n", b"STLS\r\n"), (b"-ERR no\r\n", b"")], 6, '"-ERR no"'),
    ("imap", [(b"* PREAUTH x\r\n", b"")], 6, "logged in already"),
    ("imap", [(b"* OK x\r\n", b"a001 STARTTLS\r\n"), (b"a001 BAD x\r\n", b"")], 6, "BAD"),
    ("ftp", [(b"220 x\r\n", b"AUTH TLS\r\n"), (b"530 x\r\n", b"")], 6, '"530 x"'),
    ("nntp", [(b"200 x\r\n", b"STARTTLS\r\n"), (b"580 x\r\n", b"")], 6, '"580 x"'),
    ("sieve", [(b"\"SIEVE\" \"\"\r\nOK\r\n", b"")], 6, "does not offer"),
    ("postgres", [(b"", DIALOGS["postgres"][0][1]), (b"N", b"")], 6, "has no TLS"),
    ("mysql", [(b"\x09\0\0\0\xff\x10\4Too many", b"")], 6, "refuses"),
    ("ldap", [DIALOGS["ldap"][0], (bytes.fromhex("300c02010178070a010204000400"), b"")], 6,
     "result 2"),
    ("xmpp", [(b"", XMPP), (b"<stream:stream><stream:features/>", b"")], 6, "does not offer"),
])
def test_refused_or_spoilt(peer, telnet, protocol, steps, status, why):
    r = telnet(peer(steps).port, "--starttls=" + protocol)
    assert (r.returncode, b"Connected" in r.stdout) == (status, False), r.stderr
    assert why in r.stderr.decode() and b"\x1b" not in r.stderr
    assert f"hail: start TLS in {protocol} with 127.0.0.1:" in r.stderr.decode()


@pytest.mark.parametrize("protocol", [p for p in DIALOGS if p != "mysql"])
def test_injection(peer, telnet, protocol):
    """Bytes behind the word that starts TLS, in one segment with it: RFC 3207 section 6."""
    *steps, (last, _) = DIALOGS[protocol]
    r = telnet(peer([*steps, (last + b"250 injected\r\n", b"")]).port, "--starttls=" + protocol)
    assert r.returncode == 7 and b"injected" not in r.stdout
    assert b"bytes came behind the word that starts TLS" in r.stderr


def test_out_of_turn(peer, telnet):
    r = telnet(peer([(b"220 x\r\n250 STARTTLS\r\n220 go\r\n", b"")]).port, "--starttls=smtp")
    assert r.returncode == 7 and b"goes on before it is asked" in r.stderr


def test_silent(peer, telnet):
    p = peer([(b"220 x\r\n", b"EHLO localhost\r\n")], lambda s: s.recv(1))
    r = telnet(p.port, "--starttls=smtp", "--timeout", "1")
    assert r.returncode == 5 and b"timed out" in r.stderr


def test_plain_text_where_tls_was_promised(peer, telnet):
    r = telnet(peer([(b"220 not TLS\r\n", b"")]).port, "--tls")
    assert r.returncode == 6 and b"the peer does not speak TLS here" in r.stderr


# --- the end ---

def tls_bytes(certs, s, text):
    """The handshake over the socket; the record that `text` becomes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.cert, certs.key)
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(come, go, server_side=True)
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            s.sendall(go.read())
            come.write(s.recv(65536))
    s.sendall(go.read())
    tls.write(text)
    return go.read()


@pytest.mark.parametrize("cut", [0, 20])
def test_cut_short(certs, peer, telnet, cut):
    """Without close_notify; in the middle of a record. What came whole is shown."""
    def after(s):
        first = tls_bytes(certs, s, b"all of it\n")
        s.sendall(first + first[:cut])
        s.shutdown(socket.SHUT_WR)
        s.settimeout(2)
        while s.recv(4096):
            pass
    r = telnet(peer([], after).port, "--tls")
    assert r.returncode == 7 and r.stdout.endswith(b"all of it\n")
    assert b"cut the stream short" in r.stderr


# --- at the prompt ---

def test_refused_at_the_prompt(hail, peer, tmp_path):
    """... and the conversation goes on in plain text."""
    p = peer([(b"220 x\r\n", b"EHLO localhost\r\n"), (b"250 STARTTLS\r\n", b"STARTTLS\r\n"),
              (b"454 not now\r\n", b"NOOP\r\n"), (b"250 fine\r\n", b"")])
    child = spawn([hail, "telnet", "127.0.0.1", p.port], tmp_path)
    wait(child, "220 x\r\n")
    child.send("\x1dstarttls smtp\r")
    wait(child, "hail: start TLS in smtp with [^\r]*: the peer refuses to start TLS: "
                "\"454 not now\"")
    child.send("NOOP\r")
    wait(child, "250 fine")
    assert end(child)[1] == 0
    assert p.error is None


def test_unread_bytes_at_the_prompt(hail, peer, tmp_path):
    """What came while the prompt stood there would be taken for the answer."""
    go, gone = threading.Event(), threading.Event()

    def after(s):
        go.wait(20)
        s.sendall(b"220 injected\r\n")
        time.sleep(0.1)
        gone.set()
        assert s.recv(100) == b"QUIT\r\n"
    p = peer([(b"220 x\r\n", b"")], after)
    child = spawn([hail, "telnet", "127.0.0.1", p.port], tmp_path)
    wait(child, "220 x\r\n")
    child.send("\x1d")
    wait(child, "telnet> ")
    go.set()
    assert gone.wait(20)
    child.send("starttls smtp\r")
    wait(child, "the peer has sent something that was not read")
    wait(child, "220 injected")
    child.send("QUIT\r")
    assert end(child)[1] == 0
    p.close()
    assert p.error is None


def test_handshake_fails_at_the_prompt(hail, peer, tmp_path):
    p = peer([(b"+OK x\r\n", b"STLS\r\n"), (b"+OK go\r\n", b"\x16\x03\x01"), (b"-ERR\r\n", b"")])
    child = spawn([hail, "telnet", "127.0.0.1", p.port], tmp_path)
    wait(child, r"\+OK x")
    child.send("\x1d")
    wait(child, "telnet> ")
    child.send("starttls\r")
    wait(child, "usage: starttls")
    wait(child, "telnet> ")
    child.send("starttls pop3\r")
    wait(child, "hail: TLS handshake with 127.0.0.1[^\r]*the peer does not speak TLS here")
    assert end(child)[1] == 6


# --- usage ---

@pytest.mark.parametrize("words,why", [
    (["--starttls=gopher", "127.0.0.1", "70"], "there is no 'gopher'"),
    (["--starttls", "--tls", "127.0.0.1", "25"], "not both"),
    (["--starttls", "--no-tls", "127.0.0.1", "25"], "contradicts"),
])
def test_usage(hail, words, why):
    r = subprocess.run([hail, "telnet", *words], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=20, check=False)
    assert r.returncode == 2 and why in r.stderr


def test_port_without_a_protocol(peer, telnet):
    r = telnet(peer([(b"", b"")]).port, "--starttls")
    assert r.returncode == 2 and b"does not say in which protocol" in r.stderr
