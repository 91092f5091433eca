"""hail get: against nginx and Python's http.server, and against servers that misbehave."""

import contextlib
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pexpect
import pytest

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(name="get")
def fixture_get(hail):
    def run(*args, **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([hail, "get", *map(str, args)], stderr=subprocess.PIPE, timeout=60,
                              stdin=subprocess.DEVNULL, check=False, **kw)
    return run


def read_head(conn):
    got = b""
    while b"\r\n\r\n" not in got:
        piece = conn.recv(4096)
        if not piece:
            break
        got += piece
    return got


@contextlib.contextmanager
def peer(behave, family=socket.AF_INET):
    """A server of one connection after another, each handled by behave(connection)."""
    listener = socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", 0),
                                    family=family)
    over = threading.Event()

    def serve():
        while not over.is_set():
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with conn, contextlib.suppress(OSError):
                conn.settimeout(30)
                behave(conn)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=30)


def answering(*pieces):
    """Reads a request, sends the pieces, closes."""
    def behave(conn):
        read_head(conn)
        for piece in pieces:
            conn.sendall(piece)
    return behave


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


# --- real servers ---

def test_exact_bytes_over_http_and_https(get, nginx):
    page = nginx.file("index.html", bytes(range(256)) * 4000)
    for url, more in ((nginx.url, ()), (nginx.tls_url, ("--cacert", nginx.ca))):
        done = get(*more, url + "/index.html")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == page


def test_a_chunked_response_is_put_together(get, nginx):
    page = nginx.file("a.txt", os.urandom(300000).replace(b"<!--#", b""))
    assert get(nginx.url + "/chunked/a.txt").stdout == page


def test_the_head_is_shown_on_request(get, nginx):
    nginx.file("a.txt", b"hello\n")
    done = get("-i", nginx.url + "/a.txt")
    head, body = done.stdout.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nServer: nginx/") and body == b"hello\n"
    done = get("-I", nginx.url + "/a.txt")
    assert done.stdout.endswith(b"\r\n\r\n") and b"Content-Length: 6\r\n" in done.stdout


def test_an_empty_response(get, nginx):
    nginx.file("none", b"")
    assert (get(nginx.url + "/empty").stdout, get(nginx.url + "/none").stdout) == (b"", b"")


def test_statuses_of_errors(get, nginx):
    done = get(nginx.url + "/gone")
    assert (done.returncode, done.stdout) == (0, b"gone for good\n")
    done = get("-f", nginx.url + "/gone")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"hail: get {nginx.url}/gone: 410 Gone\n"
    assert get("--fail", nginx.url + "/moved").returncode == 0


def test_several_urls_one_after_another(get, nginx):
    nginx.file("1", b"one ")
    nginx.file("2", b"two")
    done = get("-f", nginx.url + "/1", nginx.url + "/nothing", nginx.url + "/2")
    assert (done.returncode, done.stdout) == (1, b"one two")


def test_into_a_file(get, nginx, tmp_path):
    page = nginx.file("index.html", os.urandom(500000))
    done = get("-o", tmp_path / "kept", nginx.url + "/index.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "kept").read_bytes() == page
    done = get("-o", tmp_path / "no" / "such", nginx.url + "/index.html")
    assert done.returncode == 8 and b"no such file" in done.stderr
    nginx.file("other", b"other\n")
    done = get("-o", tmp_path / "x", "-o", tmp_path / "z", nginx.url + "/index.html",
               nginx.url + "/other", nginx.url + "/other")
    assert (done.returncode, done.stdout) == (0, b"other\n")
    assert (tmp_path / "x").read_bytes() == page and (tmp_path / "z").read_bytes() == b"other\n"
    assert get("-f", "-o", tmp_path / "y", nginx.url + "/gone").returncode == 1
    assert not (tmp_path / "y").exists()


def test_python_http_server_which_speaks_1_0(get, tmp_path):
    (tmp_path / "page").write_bytes(b"of Python\n")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=tmp_path)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = get(f"http://127.0.0.1:{server.server_address[1]}/page")
        server.shutdown()
    assert (done.returncode, done.stdout) == (0, b"of Python\n")


def test_the_exchange_as_a_document(get, nginx, tmp_path):
    nginx.file("index.html", b"x" * 612)
    done = get("--json", nginx.url + "/index.html")
    doc = json.loads(done.stdout)
    assert doc["schema"] == "hail.get/2" and doc["url"] == nginx.url + "/index.html"
    (hop,) = doc["exchanges"]
    assert hop["peer"] == f"127.0.0.1:{nginx.port}" and hop["local"].startswith("127.0.0.1:")
    assert [a["result"] for a in hop["attempts"]] == ["connected"]
    assert hop["response"]["status"] == 200
    fields = {f["name"]: f["value"] for f in hop["response"]["fields"]}
    assert fields["Content-Length"] == "612"
    assert hop["content"] == {"framing": "length", "bytes": 612, "decoded": 612, "stated": 612,
                              "complete": True}
    assert hop["tls"] is None and doc["error"] is None and doc["exit"] == 0
    times = hop["times"]
    parts = [times[k] for k in ("name", "connect", "send", "wait", "receive")]
    assert times["tls"] is None and all(p >= 0 for p in parts)
    assert sum(parts) <= times["total"] + 1e-9
    done = get("--json", "--cacert", nginx.ca, "-o", tmp_path / "kept", nginx.tls_url + "/")
    doc = json.loads(done.stdout)
    (hop,) = doc["exchanges"]
    assert hop["tls"]["verified"] is True and hop["tls"]["version"].startswith("TLSv1.")
    assert hop["times"]["tls"] > 0 and (tmp_path / "kept").read_bytes() == b"x" * 612
    assert doc["file"] == str(tmp_path / "kept")


def test_a_failure_as_a_document(get, free_port):
    done = get("--json", f"http://127.0.0.1:{free_port()}/")
    doc = json.loads(done.stdout)
    (hop,) = doc["exchanges"]
    assert done.returncode == 4 == doc["exit"] and hop["response"] is None
    assert doc["error"]["layer"] == "connect" and "refused" in doc["error"]["message"]
    assert b"refused" in done.stderr


def test_the_trace_shows_every_layer(get, nginx):
    nginx.file("index.html", b"traced\n")
    done = get("--trace", f"http://localhost:{nginx.port}/index.html")
    text = done.stderr.decode()
    assert done.stdout == b"traced\n"
    for part in ("dial localhost", "attempt 127.0.0.1", f"-> 127.0.0.1:{nginx.port}",
                 "> GET /index.html HTTP/1.1", "< HTTP/1.1 200 OK", "200 OK, 7 bytes of content",
                 "closed here (FIN)"):
        assert part in text, part


def test_the_trace_as_json_lines(get, nginx, tmp_path):
    nginx.file("index.html", b"traced\n")
    file = tmp_path / "t.jsonl"
    assert get(f"--trace={file}", "--cacert", nginx.ca, nginx.tls_url).returncode == 0
    events = [json.loads(line) for line in file.read_text().splitlines()]
    ops = {e.get("op") for e in events}
    assert {"dial", "attempt", "tls", "stream", "request"} <= ops


def test_what_is_sent(get):
    heads = []

    def behave(conn):
        heads.append(read_head(conn).decode())
        conn.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with peer(behave) as url:
        assert get(url + "/a b?c=ä").returncode == 0
        assert get("-H", "Accept: text/plain", "-H", "user-agent:", "-H", "X-Empty;", "-I",
                   url).returncode == 0
        host = url[7:]
    assert heads[0].split("\r\n")[:3] == ["GET /a%20b?c=%C3%A4 HTTP/1.1", f"Host: {host}",
                                          "User-Agent: hail/0.1.0"]
    assert heads[1].startswith("HEAD / HTTP/1.1\r\n") and "X-Empty:" in heads[1]
    assert "Accept: text/plain\r\n" in heads[1] and "*/*" not in heads[1]
    assert "User-Agent" not in heads[1] and "user-agent" not in heads[1]


# --- certificates ---

def test_certificates_are_checked(get, nginx):
    nginx.file("index.html", b"x")
    done = get(nginx.tls_url)
    assert done.returncode == 6 and b"unknown authority" in done.stderr
    assert get("-k", nginx.tls_url).returncode == 0
    assert get("--cacert", nginx.ca, f"https://localhost:{nginx.tls_port}/").returncode == 0
    assert get("--cacert", "/nonexistent", nginx.tls_url).returncode == 6 or \
        get("--cacert", "/nonexistent", nginx.tls_url).returncode == 8


def test_tls_without_close_notify_is_cut_short(get, certs):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.cert, certs.key)

    def behave(conn):
        tls = context.wrap_socket(conn, server_side=True)
        read_head(tls)
        tls.sendall(OK + b"\r\nhalf of")
        os.close(tls.detach())  # FIN without close_notify

    with peer(behave) as url:
        done = get("--cacert", certs.ca, url.replace("http:", "https:"))
    assert (done.returncode, done.stdout) == (7, b"half of")
    assert b"close_notify" in done.stderr


# --- servers that misbehave ---

def test_one_byte_at_a_time(get):
    def behave(conn):
        read_head(conn)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in OK + b"Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nA: b\r\n\r\n":
            conn.sendall(bytes([byte]))
            time.sleep(0.002)

    with peer(behave) as url:
        done = get(url)
    assert (done.returncode, done.stdout) == (0, b"hello")


@pytest.mark.parametrize("pieces, arrived, message", [
    ((OK + b"Content-Length: 10\r\n\r\nhell",), b"hell", b"after 4 of 10 bytes"),
    ((OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n",), b"hell", b"before the last chunk"),
    ((OK + b"Content-Le",), b"", b"bytes of the head"),
    ((), b"", b"closed without an answer"),
    ((OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\nxyz\r\n",), b"hell", b"chunk"),
    ((OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",), b"", b"Content-Length"),
    ((OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",), b"", b""),
    ((b"SSH-2.0-OpenSSH_9.2\r\n",), b"", b"byte 0"),
    ((b"\x00\xff\x1b[31mred\r\n\r\n",), b"", b""),
    ((b"HTTP/1.1 100 Continue\r\n\r\n" * 40,), b"", b"interim"),
    ((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",), b"", b"unasked"),
], ids=["length", "chunked", "head", "nothing", "bad chunk", "two lengths", "length and coding",
        "not http", "garbage", "endless 1xx", "upgrade"])
def test_broken_responses(get, pieces, arrived, message):
    with peer(answering(*pieces)) as url:
        done = get(url)
    assert (done.returncode, done.stdout) == (7, arrived)
    assert message in done.stderr and b"\x1b" not in done.stderr
    assert done.stderr.startswith(b"hail: ")


def test_an_endless_head_is_refused(get):
    def behave(conn):
        read_head(conn)
        conn.sendall(OK)
        while True:
            conn.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")

    with peer(behave) as url:
        assert get(url).returncode == 7


def test_what_arrived_before_a_reset_is_written(get):
    def behave(conn):
        read_head(conn)
        conn.sendall(OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 5000)
        time.sleep(0.2)
        reset(conn)

    with peer(behave) as url:
        done = get(url)
    assert (done.returncode, done.stdout) == (7, b"x" * 5000)
    assert b"reset" in done.stderr


def test_an_answer_that_comes_before_the_request_was_read(get):
    def behave(conn):
        conn.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
        conn.shutdown(socket.SHUT_WR)
        time.sleep(0.1)

    with peer(behave) as url:
        done = get(url)
    assert (done.returncode, done.stdout) == (0, b"busy")


def test_the_timeout_holds_at_every_stage(get, free_port):
    silent = socket.create_server(("127.0.0.1", 0))
    url = f"127.0.0.1:{silent.getsockname()[1]}"
    try:
        for scheme in ("http", "https"):
            begun = time.monotonic()
            done = get("--timeout", "0.3", f"{scheme}://{url}/")
            assert done.returncode == 5, done.stderr
            assert 0.29 < time.monotonic() - begun < 10
    finally:
        silent.close()

    def trickle(conn):
        read_head(conn)
        conn.sendall(OK + b"Content-Length: 1000\r\n\r\n")
        while True:
            conn.sendall(b"x")
            time.sleep(0.05)

    with peer(trickle) as url:
        done = get("--timeout", "0.5", url)
        assert done.returncode == 5 and set(done.stdout) == set(b"x")


@pytest.mark.parametrize("url, status", [
    ("http://no-such-host.invalid/", 3),
    ("ftp://localhost/", 2), ("http://", 2), ("http://[::1/", 2), ("http://localhost:99999/", 2),
])
def test_urls_that_cannot_be_fetched(get, url, status):
    done = get("--timeout", "10", url)
    assert done.returncode in (status, 5 if status == 3 else status)
    assert done.stderr.startswith(b"hail: ") and done.stdout == b""


@pytest.mark.parametrize("field", ["no colon", "Bad Name: x", "A: b\r\nC: d", "Content-Length: 5"])
def test_fields_that_cannot_be_sent(get, field):
    with peer(answering(OK + b"Content-Length: 0\r\n\r\n")) as url:
        assert get("-H", field, url).returncode == 2


# --- standard output ---

def test_output_that_is_full_or_closed(get, hail, nginx):
    nginx.file("index.html", b"x" * 100000)
    with open("/dev/full", "wb") as full:
        done = get(nginx.url + "/index.html", stdout=full)
    assert done.returncode == 8 and b"no space left" in done.stderr
    done = subprocess.run(["sh", "-c", '"$0" get "$1" >&-', hail, nginx.url + "/index.html"],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 8 and b"write standard output" in done.stderr
    read, write = os.pipe()
    os.close(read)
    done = get(nginx.url + "/index.html", stdout=write)
    os.close(write)
    assert done.returncode == 8 and b"roken pipe" in done.stderr


def on_terminal(hail, *args):
    child = pexpect.spawn(hail, ["get", *args], timeout=30, encoding=None)
    out = child.read()
    child.close()
    return child.exitstatus, out


def test_a_terminal_is_not_acted_on(hail):
    body = "plain\r\n\tü \x1b]0;title\x07 \x9b31m \u202e\n".encode()
    for cut in (1, len(b"plain\r\n\t\xc3"), len(b"plain\r")):
        def behave(conn, cut=cut):
            read_head(conn)
            conn.sendall(OK + b"Evil: \x80\x9b\r\nContent-Length: %d\r\n\r\n" % len(body))
            conn.sendall(body[:cut])
            time.sleep(0.1)
            conn.sendall(body[cut:])

        with peer(behave) as url:
            status, out = on_terminal(hail, "--color=never", url)
        assert b"HTTP/1.1 200 OK\r\n" in out
        assert status == 0 and b"\x1b" not in out and b"\x07" not in out
        assert "\u202e".encode() not in out and b"\x9b3" not in out
        assert b"plain\r" in out and "ü".encode() in out
        assert b"^[]0;title^G" in out and b"plain^M" not in out


def test_binary_content_stays_off_a_terminal(hail):
    with peer(answering(OK + b"Content-Length: 6\r\n\r\n\x7fELF\0\1")) as url:
        status, out = on_terminal(hail, url)
    assert status == 8 and b"-o FILE" in out and b"ELF" not in out


# --- SIGINT at each stage ---

def interrupted(hail, args, ready=None, output=None):
    child = subprocess.Popen([hail, "get", *map(str, args)], stdin=subprocess.DEVNULL,
                             stdout=output or subprocess.PIPE, stderr=subprocess.PIPE)
    if ready:
        assert ready.wait(timeout=30)
    time.sleep(0.2)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT
    return out, err


def test_interrupted_while_connecting(hail):
    blocked = socket.socket()
    blocked.bind(("127.0.0.1", 0))
    blocked.listen(0)
    fillers = []
    try:
        for _ in range(4):  # the queue is full, and SYNs are dropped
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(blocked.getsockname())
            fillers.append(s)
        time.sleep(0.1)
        interrupted(hail, [f"http://127.0.0.1:{blocked.getsockname()[1]}/"])
    finally:
        for s in [blocked, *fillers]:
            s.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_interrupted_while_the_server_is_silent(hail, scheme):
    reached = threading.Event()

    def behave(conn):
        conn.recv(1)
        reached.set()
        while conn.recv(4096):
            pass

    with peer(behave) as url:
        out, err = interrupted(hail, [url.replace("http:", scheme + ":")], reached)
    assert (out, err) == (b"", b"")


def test_interrupted_in_the_middle_of_the_content(hail):
    reached = threading.Event()

    def behave(conn):
        read_head(conn)
        conn.sendall(OK + b"Content-Length: 10\r\n\r\nhalf")
        reached.set()
        conn.recv(1)

    with peer(behave) as url:
        out, _ = interrupted(hail, [url], reached)
    assert out == b"half"


def test_interrupted_while_nobody_reads_the_output(hail):
    def behave(conn):
        read_head(conn)
        conn.sendall(OK + b"\r\n")
        while True:
            conn.sendall(b"x" * 65536)

    read, write = os.pipe()
    try:
        with peer(behave) as url:
            interrupted(hail, [url], output=write)
    finally:
        os.close(read)
        os.close(write)
