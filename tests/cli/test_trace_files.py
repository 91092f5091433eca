"""--trace=FILE.pcapng as tshark reads it: packets with right checksums and sequence numbers, HTTP
found in them and inside of TLS, ends as they were, names, datagrams, Unix sockets, either side, and
files that were cut short."""

import os
import pathlib
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time

import pytest

TSHARK = shutil.which("tshark")
pytestmark = [pytest.mark.peers,
              pytest.mark.skipif(not TSHARK, reason="tshark is not installed")]

WRONG = " || ".join([
    "_ws.malformed", "_ws.expert.severity == error", "_ws.unreassembled", "ip.checksum.status == 0",
    "tcp.checksum.status == 0", "udp.checksum.status == 0", "tcp.analysis.lost_segment",
    "tcp.analysis.ack_lost_segment", "tcp.analysis.retransmission", "tcp.analysis.out_of_order",
    "tcp.analysis.duplicate_ack", "tcp.analysis.window_full", "tcp.analysis.zero_window"])


def tshark(file, *args):
    r = subprocess.run([TSHARK, "-n", "-r", str(file), *args], capture_output=True, text=True,
                       timeout=60, check=False, env={"HOME": "/nonexistent", "PATH": "/usr/bin"})
    assert r.returncode == 0, r.stderr
    return r.stdout


def fields(file, which, *names, more=()):
    """The fields of each packet that `which` lets through, as strings."""
    wanted = [arg for name in names for arg in ("-e", name)]
    out = tshark(file, *more, "-Y", which, "-T", "fields", *wanted)
    return [tuple(line.split("\t")) for line in out.splitlines()]


def sound(file):
    """Nothing in it is malformed, and every checksum and sequence number is right."""
    checks = [arg for proto in ("ip", "tcp", "udp")
              for arg in ("-o", f"{proto}.check_checksum:TRUE")]
    assert tshark(file, *checks, "-Y", WRONG) == ""
    return file


def messages(file):
    """The requests and responses of HTTP."""
    return [method or status for method, status in
            fields(file, "http", "http.request.method", "http.response.code")]


def run(hail, *args, status=0):
    r = subprocess.run([hail, *map(str, args)], capture_output=True, timeout=60, check=False,
                       stdin=subprocess.DEVNULL)
    assert r.returncode == status, r.stderr
    return r


def serve(handler, family=socket.AF_INET, address=("127.0.0.1", 0), wrap=None):
    """A listener whose connections each go to `handler`, one after another, until it is closed."""
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()

    def loop():
        while True:
            try:
                s = listener.accept()[0]
            except OSError:
                return
            try:
                with (wrap(s) if wrap else s) as peer:
                    handler(peer)
            except OSError:
                pass

    threading.Thread(target=loop, daemon=True).start()
    return listener


@pytest.fixture
def listen():
    opened = []

    def start(*args, **kwargs):
        opened.append(serve(*args, **kwargs))
        return opened[-1].getsockname()

    yield start
    for listener in opened:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def hello(s):
    """Answers one request."""
    s.recv(65536)
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")


def test_http_and_https(hail, nginx, tmp_path):
    body = nginx.file("page.txt", b"line of the page\n" * 20)
    for url in (nginx.url, nginx.tls_url):
        file = tmp_path / f"{url[:5]}.pcapng"
        run(hail, "get", "--cacert", nginx.ca, f"--trace={file}", url + "/page.txt")
        sound(file)
        assert messages(file) == ["GET", "200"]
        (length, data), = fields(file, "http.response", "http.content_length", "http.file_data")
        assert int(length) == len(body)
        assert data.replace("\\n", "\n").encode() in (body, body.hex().encode())
        ports = {row[0] for row in fields(file, "tcp.flags.syn == 1", "tcp.dstport")}
        assert url.rsplit(":", 1)[1] in ports
        comments = tshark(file, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment")
        assert f"request: GET {url}/page.txt" in comments and "200 OK" in comments
        assert ("tls: certificate of CN=leaf" in comments) == (url == nginx.tls_url)


def test_not_only_one_exchange(hail, nginx, tmp_path):
    nginx.file("a.txt", b"a")
    file = tmp_path / "t.pcapng"
    run(hail, "get", "--cacert", nginx.ca, f"--trace={file}", nginx.url + "/a.txt",
        nginx.tls_url + "/a.txt", nginx.url + "/missing", nginx.url + "/chunked/a.txt")
    sound(file)
    assert messages(file) == ["GET", "200", "GET", "200", "GET", "404", "GET", "200"]


EXCHANGES = {
    "head": (["-I", "{http}/a.txt"], ["HEAD", "200"]),
    "range": (["-r", "1-2", "{https}/a.txt"], ["GET", "206"]),
    "form": (["-d", "a=b", "{http}/a.txt"], ["POST", "405"]),
    "HTTP/1.0": (["-0", "{https}/a.txt"], ["GET", "200"]),
    "redirect": (["-L", "{http}/moved"], ["GET", "301", "GET", "404"]),
    "side by side": (["-Z", "{http}/a.txt", "{https}/a.txt", "{https}/b.txt", "{http}/b.txt"],
                     ["GET", "200", "GET", "200", "GET", "404", "GET", "404"]),
}


@pytest.mark.parametrize("args, expected", EXCHANGES.values(), ids=EXCHANGES.keys())
def test_exchanges(hail, nginx, tmp_path, args, expected):
    nginx.file("a.txt", b"content of a\n")
    file = tmp_path / "t.pcapng"
    places = {"http": nginx.url, "https": nginx.tls_url}
    run(hail, "get", "-s", "--cacert", nginx.ca, f"--trace={file}",
        *(arg.format(**places) for arg in args))
    sound(file)
    if "-Z" in args:  # in any order
        assert sorted(messages(file)) == sorted(expected)
    else:
        assert messages(file) == expected


def takes(s):
    """Reads a request of 200,000 bytes of content."""
    got = b""
    while len(got.partition(b"\r\n\r\n")[2]) < 200000:
        got += s.recv(65536)
    s.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


def test_an_upload(hail, listen, tmp_path):
    port = listen(takes)[1]
    (tmp_path / "large").write_bytes(bytes(200000))
    file = tmp_path / "t.pcapng"
    run(hail, "get", "-s", "-T", tmp_path / "large", f"--trace={file}", f"http://127.0.0.1:{port}/")
    sound(file)
    assert messages(file) == ["PUT", "201"]
    assert sum(int(n) for n, in fields(file, "tcp.len > 0", "tcp.len")) > 200000


def connect(s):
    """A proxy for one CONNECT."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += s.recv(1)
    host, port = head.split()[1].decode().rsplit(":", 1)
    with socket.create_connection((host, int(port))) as to:
        s.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
        back = threading.Thread(target=relay, args=(to, s))
        back.start()
        relay(s, to)
        back.join()


def relay(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_through_a_proxy(hail, nginx, listen, tmp_path):
    """What is said to the proxy is plain, what is said through it is inside of TLS."""
    nginx.file("a.txt", b"a")
    port = listen(connect)[1]
    file = tmp_path / "t.pcapng"
    run(hail, "get", "-x", f"http://127.0.0.1:{port}", "--cacert", nginx.ca, f"--trace={file}",
        nginx.tls_url + "/a.txt")
    sound(file)
    assert messages(file) == ["CONNECT", "200", "GET", "200"]
    assert len(fields(file, "tcp.len > 0", "tcp.len")) == 2  # though its answer is read in pieces


@pytest.mark.parametrize("tls", [False, True])
def test_a_large_body(hail, nginx, tmp_path, tls):
    body = nginx.file("large.bin", os.urandom(3 << 20))
    file = tmp_path / "t.pcapng"
    run(hail, "get", "--cacert", nginx.ca, f"--trace={file}",
        (nginx.tls_url if tls else nginx.url) + "/large.bin", "-o", tmp_path / "out")
    sound(file)
    assert messages(file) == ["GET", "200"]
    if tls:
        sizes = [int(n) for n, in fields(file, "data.len && !http", "data.len")]
        assert 0 < sum(sizes) < len(body)  # what did not fit into the message of the response
    else:
        assert fields(file, "http.response", "http.content_length") == [(str(len(body)),)]
    assert file.stat().st_size < len(body) * 1.02


def test_ipv6(hail, listen, tmp_path):
    port = listen(hello, socket.AF_INET6, ("::1", 0))[1]
    file = tmp_path / "t.pcapng"
    run(hail, "get", f"--trace={file}", f"http://[::1]:{port}/")
    sound(file)
    assert messages(file) == ["GET", "200"]
    assert set(fields(file, "ipv6", "ipv6.src", "ipv6.dst")) == {("::1", "::1")}


def test_every_address_that_was_tried(hail, listen, tmp_path):
    """localhost: nothing listens at ::1, so that the first attempt is refused."""
    port = listen(hello)[1]
    file = tmp_path / "t.pcapng"
    run(hail, "get", f"--trace={file}", f"http://localhost:{port}/")
    sound(file)
    syns = fields(file, "tcp.flags.syn == 1 && tcp.flags.ack == 0", "ipv6.dst", "ip.dst")
    if len(syns) == 2:  # ::1 is there on this machine
        assert syns == [("::1", ""), ("", "127.0.0.1")]
        assert fields(file, "tcp.flags.reset == 1", "tcp.stream", "tcp.flags.ack") == [("0", "1")]
    assert messages(file) == ["GET", "200"]


def flags(file):
    """Who ended it and how: the flags of the packets that close, by direction."""
    return [(how, "here" if direction.endswith("2") else "peer") for how, direction in fields(
        file, "tcp.flags.fin == 1 || tcp.flags.reset == 1", "tcp.flags.str", "frame.packet_flags")]


def closes(s):
    s.recv(10)


def resets(s):
    s.recv(10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("handler, first", [(closes, "F"), (resets, "R")])
def test_ends(hail, listen, tmp_path, handler, first):
    port = listen(handler)[1]
    file = tmp_path / "t.pcapng"
    subprocess.run([hail, "nc", f"--trace={file}", "127.0.0.1", str(port)], input=b"0123456789",
                   capture_output=True, timeout=60, check=False)
    sound(file)
    ends = flags(file)
    assert any(first in how and who == "peer" for how, who in ends), ends
    assert tshark(file, "-q", "-z", "follow,tcp,raw,0").count("30313233343536373839") == 1


def test_unix_sockets(hail, listen, tmp_path):
    path = tmp_path / "listener"
    listen(hello, socket.AF_UNIX, str(path))
    file = tmp_path / "t.pcapng"
    subprocess.run([hail, "nc", f"--trace={file}", "-U", path], input=b"GET / HTTP/1.0\r\n\r\n",
                   check=True, capture_output=True, timeout=60)
    sound(file)
    assert messages(file) == ["GET", "200"]
    assert f"stands for a Unix socket: unix:{path}" in tshark(file, "-T", "fields", "-e",
                                                              "frame.comment")


def test_datagrams(hail, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(20)
        port = s.getsockname()[1]
        file = tmp_path / "t.pcapng"
        with subprocess.Popen([hail, "nc", "-u", "-w", "1", f"--trace={file}", "127.0.0.1",
                               str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as nc:
            nc.stdin.write(b"question")
            nc.stdin.flush()
            data, peer = s.recvfrom(100)
            s.sendto(b"answer" * 1000, peer)
            nc.communicate(timeout=30)
    assert data == b"question"
    sound(file)
    assert fields(file, "udp", "udp.srcport", "udp.dstport", "udp.length") == [
        (str(peer[1]), str(port), "16"), (str(port), str(peer[1]), "6008")]


class Names(socketserver.BaseRequestHandler):
    """A name server that knows one address."""

    def handle(self):
        query, s = self.request
        end = query.index(b"\0", 12) + 5
        v4 = query[end - 4:end - 2] == b"\0\1"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if v4 else b""
        head = query[:2] + b"\x81\x80\0\1" + struct.pack(">HHH", v4, 0, 0)
        s.sendto(head + query[12:end] + answer, self.client_address)


def test_questions_to_name_servers(hail, tmp_path):
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        (tmp_path / "resolv.conf").write_text(f"nameserver 127.0.0.1:{port}\n")
        file = tmp_path / "t.pcapng"
        run(hail, "lookup", "--resolv-conf", tmp_path / "resolv.conf", f"--trace={file}", "a.test")
        server.shutdown()
    sound(file)
    dns = ("-d", f"udp.port=={port},dns")
    assert sorted(fields(file, "dns", "dns.flags.response", "dns.qry.type", "dns.a", more=dns)) == [
        ("0", "1", ""), ("0", "28", ""), ("1", "1", "127.0.0.1"), ("1", "28", "")]


def dialled(port):
    """A connection to what will listen there soon."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_the_listening_side(hail, free_port, tmp_path):
    file, port = tmp_path / "t.pcapng", free_port()
    with subprocess.Popen([hail, "nc", "-l", f"--trace={file}", "127.0.0.1", str(port)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as nc:
        with dialled(port) as s:
            s.sendall(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
            local = s.getsockname()[1]
        nc.communicate(timeout=30)
    sound(file)
    assert messages(file) == ["POST"]
    assert fields(file, "tcp.flags.str contains \"S\" && tcp.flags.ack == 0", "tcp.srcport",
                  "tcp.dstport") == [(str(local), str(port))]


def test_both_sides_of_a_relay(hail, listen, free_port, tmp_path):
    to, port, file = listen(hello)[1], free_port(), tmp_path / "t.pcapng"
    with subprocess.Popen([hail, "nc", f"--trace={file}", f"listen:127.0.0.1:{port}",
                           f"127.0.0.1:{to}"], stderr=subprocess.DEVNULL) as nc:
        with dialled(port) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while s.recv(1000):
                pass
        nc.send_signal(signal.SIGINT)
        nc.wait(timeout=30)
    sound(file)
    assert sorted(messages(file)) == ["200", "200", "GET", "GET"]
    syns = fields(file, "tcp.flags.syn == 1 && tcp.flags.ack == 0", "tcp.dstport")
    assert {row[0] for row in syns} == {str(to), str(port)} and len(syns) == 2


def test_a_file_that_was_cut_short(hail, nginx, tmp_path):
    """Killed at any time, it is valid up to the last packet: each block is one write."""
    nginx.file("large.bin", bytes(8 << 20))
    file = tmp_path / "t.pcapng"
    run(hail, "get", f"--trace={file}", nginx.url + "/large.bin", "-o", "/dev/null")
    whole, at, ends = file.read_bytes(), 0, []
    while at < len(whole):
        at += struct.unpack_from("=I", whole, at + 4)[0]
        ends.append(at)
    assert len(ends) > 60 and ends[-1] == len(whole)
    cut = tmp_path / "cut.pcapng"
    for end in (ends[2], ends[3], ends[10], ends[-2]):
        cut.write_bytes(whole[:end])
        tshark(cut)
    strace = shutil.which("strace")
    if strace:
        log = tmp_path / "log"
        subprocess.run([strace, "-f", "-e", "trace=write", "-y", "-o", log, hail, "get",
                        f"--trace={file}", nginx.url + "/large.bin", "-o", "/dev/null"], check=True,
                       timeout=60, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        sizes = [int(line.rsplit("=", 1)[1]) for line in log.read_text().splitlines()
                 if f"<{file}>" in line]
        whole, at, ends = file.read_bytes(), 0, set()
        while at < len(whole):
            at += struct.unpack_from("=I", whole, at + 4)[0]
            ends.add(at)
        for size in sizes:
            at -= size
        assert at == 0
        for size in sizes:
            at += size
            assert at in ends


def test_what_needs_no_packet(hail, tmp_path):
    """A name that is known here: what was found out is there all the same."""
    file = tmp_path / "t.pcapng"
    run(hail, "lookup", f"--trace={file}", "localhost")
    assert tshark(file) == ""
    assert b"resolve: the loopback, by RFC 6761" in file.read_bytes()


def test_full_disk(hail, listen, tmp_path):
    port = listen(hello)[1]
    for ending in ("pcapng", "html"):
        (tmp_path / f"full.{ending}").symlink_to("/dev/full")
        r = run(hail, "get", f"--trace={tmp_path}/full.{ending}", f"http://127.0.0.1:{port}/",
                status=8)
        assert b"no space left" in r.stderr.lower() and r.stdout == b"hello"


# What a client says, by the dissector that has to understand it; the port is that of the service.
SERVICES = {
    21: ("ftp", b"USER me\r\n"), 25: ("smtp", b"EHLO me\r\n"), 110: ("pop", b"USER me\r\n"),
    119: ("nntp", b"HELP\r\n"), 143: ("imap", b"a NOOP\r\n"), 465: ("smtp", b"EHLO me\r\n"),
    563: ("nntp", b"HELP\r\n"), 587: ("smtp", b"EHLO me\r\n"), 990: ("ftp", b"USER me\r\n"),
    992: ("telnet", b"hello\r\n"), 993: ("imap", b"a NOOP\r\n"), 995: ("pop", b"USER me\r\n"),
    389: ("ldap", bytes.fromhex("300c020101600702010304008000")),
    636: ("ldap", bytes.fromhex("300c020101600702010304008000")),
    1883: ("mqtt", bytes.fromhex("100c00044d5154540402003c0000")),
    8883: ("mqtt", bytes.fromhex("100c00044d5154540402003c0000")),
    3306: ("data", bytes.fromhex("010000000e")),  # its dissector wants the greeting, before TLS
    5222: ("xmpp", b"<presence/>"), 5223: ("xmpp", b"<presence/>"), 5269: ("xmpp", b"<presence/>"),
    5432: ("pgsql", bytes.fromhex("000000170003000075736572006d650000") + bytes(6)),
    8443: ("http", b"GET / HTTP/1.1\r\nHost: me\r\n\r\n"),
    4711: ("data", b"anything"),
}

INSIDE = """
import socket, ssl, subprocess, sys, threading
sys.path.insert(0, {here!r})
from test_trace_files import SERVICES, serve
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain({cert!r}, {key!r})
for port, (_, said) in SERVICES.items():
    listener = serve(lambda s: s.recv(1000), address=("127.0.0.1", port),
                     wrap=lambda s: context.wrap_socket(s, server_side=True))
    subprocess.run([{hail!r}, "nc", "--tls", "--insecure-certificate", "-N",
                    "--trace={dir}/%d.pcapng" % port, "127.0.0.1", str(port)],
                   input=said, timeout=30, capture_output=True)
"""


def test_services_inside_of_tls(hail, certs, tmp_path):
    """The dissector is found by the port, in a network of its own where all ports are free."""
    probe = subprocess.run(["unshare", "-rn", "ip", "link", "set", "lo", "up"], capture_output=True,
                           check=False)
    if probe.returncode:
        pytest.skip("cannot make a namespace: " + probe.stderr.decode().strip())
    script = tmp_path / "inside.py"
    script.write_text(INSIDE.format(here=str(pathlib.Path(__file__).parent), cert=str(certs.cert),
                                    key=str(certs.key), hail=hail, dir=tmp_path))
    subprocess.run(["unshare", "-rn", "sh", "-ec", f"ip link set lo up; {sys.executable} {script}"],
                   check=True, timeout=120, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    wrong = {}
    for port, (name, _) in SERVICES.items():
        file = sound(tmp_path / f"{port}.pcapng")
        seen = fields(file, "exported_pdu", "frame.protocols")
        if not seen or name not in seen[0][0].split(":"):
            wrong[port] = (name, seen)
    assert not wrong
