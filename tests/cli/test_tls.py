"""TLS against openssl s_server, Python's ssl module and nginx: whom hail trusts, and what it says."""

import contextlib
import datetime
import re
import socket
import ssl
import subprocess
import threading

import pytest

TLS_FAILED = 6
CONTENT = b"a page over TLS\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(CONTENT)


@contextlib.contextmanager
def served(context, end=ssl.SSLSocket.unwrap, response=RESPONSE + CONTENT):
    """A server of Python's ssl module at a port of 127.0.0.1; gives (port, what it noted)."""
    notes = []

    def talk(conn):
        with context.wrap_socket(conn, server_side=True) as s:
            notes.append((s.version(), s.getpeercert(), s.session_reused))
            while b"\r\n\r\n" not in s.recv(65536):
                pass
            s.sendall(response)
            end(s)

    def serve():
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            conn.settimeout(10)
            with conn, contextlib.suppress(OSError):
                talk(conn)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1], notes
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(20)


def context_of(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def get(hail, *args, env=None):
    return subprocess.run([hail, "get", "--timeout", "10", *map(str, args)], capture_output=True,
                          timeout=30, env=env, check=False)


def refused(result, *words):
    assert result.returncode == TLS_FAILED, result
    assert result.stdout == b""
    lines = result.stderr.decode().splitlines()
    assert lines[0].startswith("hail: ") and len(lines) <= 2, lines  # and one of advice
    for word in words:
        assert word in result.stderr.decode()


def with_cert(hail, certs, cert, host="localhost", options=()):
    with served(context_of(*cert)) as (port, _):
        return get(hail, "--cacert", certs.ca, *options, f"https://{host}:{port}/")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_names_and_addresses(hail, certs, host):
    result = with_cert(hail, certs, (certs.cert, certs.key), host)
    assert (result.returncode, result.stdout, result.stderr) == (0, CONTENT, b"")


def test_wildcard(hail, certs):
    """A wildcard is one label; hosts below localhost resolve to the loopback."""
    cert = certs.leaf("wildcard", "DNS:*.test.localhost")
    assert with_cert(hail, certs, cert, "www.test.localhost").stdout == CONTENT
    for host in ("test.localhost", "a.b.test.localhost"):
        refused(with_cert(hail, certs, cert, host),
                f"it is for *.test.localhost, not for {host}")


@pytest.mark.parametrize("san, host, words", [
    ("DNS:example.org,DNS:www.example.org", "localhost",
     "it is for example.org, www.example.org, not for localhost"),
    ("IP:127.0.0.2", "127.0.0.1", "it is for 127.0.0.2, not for 127.0.0.1"),
    ("DNS:127.0.0.1", "127.0.0.1", "not for 127.0.0.1"),
])
def test_wrong_name(hail, certs, san, host, words):
    cert = certs.leaf("wrong-" + re.sub(r"\W", "-", san), san)
    refused(with_cert(hail, certs, cert, host), "certificate refused", words)
    assert with_cert(hail, certs, cert, host, ["-k"]).stdout == CONTENT


def test_expired(hail, certs):
    refused(with_cert(hail, certs, certs.leaf("expired", days=-1)), "it expired on 20", "1 day ago")


def test_not_yet_valid(hail, certs):
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
    cert = certs.later("later", start, start + datetime.timedelta(days=3))
    refused(with_cert(hail, certs, cert),
            f"it is not valid before {start:%Y-%m-%d}", "this machine's clock says")


def test_self_signed(hail, certs):
    cert, key = certs.self_signed("me")
    refused(with_cert(hail, certs, (cert, key)), "it is self-signed")
    with served(context_of(cert, key)) as (port, _):
        assert get(hail, "--cacert", cert, f"https://localhost:{port}/").stdout == CONTENT


def test_unknown_authority(hail, certs):
    with served(context_of(certs.cert, certs.key)) as (port, _):
        refused(get(hail, f"https://localhost:{port}/"),
                "signed by an unknown authority (CN=hail test CA)", "the authority is private")


def test_places_of_the_trust_store(hail, certs, tmp_path):
    """SSL_CERT_FILE and SSL_CERT_DIR (hashed) replace the system's."""
    (tmp_path / "ca.pem").write_bytes(certs.ca.read_bytes())
    subprocess.run(["openssl", "rehash", tmp_path], check=True, timeout=60)
    with served(context_of(certs.cert, certs.key)) as (port, _):
        url = f"https://localhost:{port}/"
        assert get(hail, url, env={"SSL_CERT_FILE": str(certs.ca)}).stdout == CONTENT
        assert get(hail, url, env={"SSL_CERT_DIR": str(tmp_path)}).stdout == CONTENT
        missing = get(hail, url, env={"SSL_CERT_FILE": str(tmp_path / "none")})
    assert missing.returncode == 8
    assert b"none: no such file" in missing.stderr


def test_intermediate(hail, certs, tmp_path):
    """A chain by way of an intermediate certificate, sent and not sent."""
    key, request, inter, ext = (tmp_path / name for name in ("i.key", "i.csr", "i.pem", "i.ext"))
    leaf, leaf_key = certs.leaf("under-intermediate")
    ext.write_text("basicConstraints=critical,CA:TRUE\n")
    chain = tmp_path / "chain.pem"
    for command in (
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             key, "-out", request, "-subj", "/CN=intermediate"],
            ["x509", "-req", "-in", request, "-CA", certs.ca, "-CAkey", certs.ca_key,
             "-set_serial", "77", "-days", "2", "-extfile", ext, "-out", inter],
            ["x509", "-req", "-in", certs.dir / "under-intermediate.csr", "-CA", inter, "-CAkey",
             key, "-set_serial", "78", "-days", "1", "-extfile",
             certs.dir / "under-intermediate.ext", "-out", leaf]):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, timeout=60)
    chain.write_bytes(leaf.read_bytes() + inter.read_bytes())
    assert with_cert(hail, certs, (chain, leaf_key)).stdout == CONTENT
    refused(with_cert(hail, certs, (leaf, leaf_key)), "unknown authority (CN=intermediate)",
            "does not send the intermediate certificate")


def test_old_version(hail, certs):
    """A server of TLS 1.1 only, by openssl s_server."""
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certs.cert, "-key", certs.key,
         "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-naccept", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = None
        for line in server.stdout:
            found = re.match(rb"ACCEPT .*:(\d+)", line)
            if found:
                port = int(found.group(1))
                break
        refused(get(hail, "--cacert", certs.ca, f"https://localhost:{port}/"),
                "no common TLS version", "TLS 1.2 is the least")
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(hail, certs, version):
    context = context_of(certs.cert, certs.key)
    context.minimum_version = context.maximum_version = version
    with served(context) as (port, notes):
        assert get(hail, "--cacert", certs.ca, f"https://localhost:{port}/").stdout == CONTENT
    assert notes[0][0] == version.name.replace("_", ".")


def test_plain_http_at_the_port(hail, nginx, certs):
    refused(get(hail, "--cacert", certs.ca, f"https://127.0.0.1:{nginx.port}/"),
            'does not speak TLS here; it said "HTTP/1.1 400 Bad Request"', "use http://")


def test_closed_during_the_handshake(hail, certs):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        result = get(hail, "--cacert", certs.ca, f"https://127.0.0.1:{port}/")
        thread.join()
    assert result.returncode == TLS_FAILED
    assert b"TLS handshake with 127.0.0.1" in result.stderr


def test_client_certificate_required(hail, certs):
    context = context_of(certs.cert, certs.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certs.ca)
    with served(context) as (port, _):
        refused(get(hail, "--cacert", certs.ca, f"https://localhost:{port}/"),
                "requires a client certificate")


def test_truncated(hail, certs):
    """An end without close_notify, in a response that only the end can end."""
    with served(context_of(certs.cert, certs.key), end=lambda s: s.shutdown(socket.SHUT_RDWR),
                response=b"HTTP/1.0 200 OK\r\n\r\nhalf of i") as (port, _):
        result = get(hail, "--cacert", certs.ca, f"https://localhost:{port}/")
    assert result.returncode == 7
    assert result.stdout == b"half of i"
    assert b"no close_notify" in result.stderr


def test_key_log(hail, certs, tmp_path):
    log = tmp_path / "keys"
    log.write_bytes(b"# before\n")
    with served(context_of(certs.cert, certs.key)) as (port, _):
        for _ in range(2):
            get(hail, "--cacert", certs.ca, f"https://localhost:{port}/",
                env={"SSLKEYLOGFILE": str(log)})
    lines = log.read_text().splitlines()
    assert lines[0] == "# before"
    assert sum(line.startswith("CLIENT_TRAFFIC_SECRET_0 ") for line in lines) == 2
    assert all(re.fullmatch(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+", line) for line in lines[1:])
    fresh = tmp_path / "fresh"
    with served(context_of(certs.cert, certs.key)) as (port, _):
        get(hail, "--cacert", certs.ca, f"https://localhost:{port}/",
            env={"SSLKEYLOGFILE": str(fresh)})
    assert fresh.stat().st_mode & 0o777 == 0o600


def test_certificate_text_is_safe(hail, certs):
    cert = certs.leaf("hostile", "DNS:\x1b[31mred.example")
    result = with_cert(hail, certs, cert)
    refused(result, "\\e[31mred.example")
    assert b"\x1b" not in result.stderr


def test_trace_tells_of_tls(hail, certs):
    with served(context_of(certs.cert, certs.key)) as (port, _):
        result = get(hail, "--trace", "--cacert", certs.ca, f"https://localhost:{port}/")
    text = result.stderr.decode()
    for word in ("TLSv1.3", "CN=leaf", "DNS:localhost", "CN=hail test CA", "GET / HTTP/1.1"):
        assert word in text


def test_system_store_by_nginx(hail, nginx, certs):
    nginx.file("index.html", CONTENT)
    result = get(hail, f"{nginx.tls_url}/index.html", env={"SSL_CERT_FILE": str(certs.ca)})
    assert result.stdout == CONTENT


def test_silent_handshake(hail):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = subprocess.run([hail, "get", "--timeout", "0.3", f"https://127.0.0.1:{port}/"],
                                capture_output=True, timeout=30, check=False)
    assert result.returncode == 5
    assert f"TLS handshake with 127.0.0.1 (127.0.0.1:{port}): timed out" in result.stderr.decode()
