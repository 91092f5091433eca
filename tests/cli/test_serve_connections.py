"""hail serve, what test_serve.py leaves: links, pipelines with big files, stalled and silent clients,
files that change, descriptors that run out, HTTPS, where it listens, its end."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import resource
import select
import signal
import socket
import ssl
import subprocess
import time

import pytest


class Server:
    """A running `hail serve`; url and port as it printed them, its log once it has ended."""

    def __init__(self, hail, *args, **kw):
        if "--listen" not in args:
            args = ("--listen", "127.0.0.1:0", *args)
        self.process = subprocess.Popen([hail, "serve", *map(str, args)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.first = self.process.stdout.readline().decode()
        if not self.first:
            raise RuntimeError(self.process.communicate()[1].decode())
        if self.first.startswith("{"):
            self.url = json.loads(self.first)["url"]
        else:
            self.url = self.first.rstrip("\n").rpartition(" at ")[2]
        self.url = self.url.rstrip("/")
        self.port = int(self.url.rpartition(":")[2]) if "//" in self.url else None

    def stop(self, sig=signal.SIGTERM):
        """The exit status, what else it printed, and the log."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        out, log = self.process.communicate(timeout=30)
        return self.process.returncode, out.decode(), log.decode()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def talk(self, *pieces):
        """Sends the pieces, ends its side, reads to the end."""
        with self.connect() as s:
            for piece in pieces:
                s.sendall(piece)
            s.shutdown(socket.SHUT_WR)
            return read_all(s)


def read_all(s):
    got = b""
    while piece := s.recv(65536):
        got += piece
    return got


def request(target, *fields, method="GET", version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode()


def status(response):
    assert response.startswith(b"HTTP/1.1 "), response
    return int(response[9:12])


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "index.html").write_bytes(b"<p>index\n")
    (root / "sub" / "index.html").write_bytes(b"<p>sub\n")
    (root / "a b&c.txt").write_bytes(b"spaces\n")
    (root / "empty").write_bytes(b"")
    (root / "big").write_bytes(os.urandom(20_000_000))
    (tmp_path / "secret").write_bytes(b"secret\n")
    return root


@pytest.fixture(name="serve")
def fixture_serve(hail):
    with contextlib.ExitStack() as stack:
        def start(*args, **kw):
            server = Server(hail, *args, **kw)
            stack.callback(server.stop)
            return server
        yield start


def curl(*args):
    return subprocess.run(["curl", "-sS", "--path-as-is", "--max-time", "60", *map(str, args)],
                          capture_output=True, check=False)


# --- files ---

@pytest.mark.parametrize("name, expected", [
    ("a.html", "text/html; charset=utf-8"), ("a.TXT", "text/plain; charset=utf-8"),
    ("a.png", "image/png"), ("a.json", "application/json"), ("a.tar.gz", "application/gzip"),
    ("a.unheard-of", "application/octet-stream"), ("none", "application/octet-stream"),
    ("a.d/none", "application/octet-stream"),
])
def test_media_types(serve, root, name, expected):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"x")
    head = curl("-I", serve(root).url + "/" + name).stdout.decode()
    assert f"Content-Type: {expected}\r\n" in head


def test_a_folder_without_its_slash(serve, root):
    server = serve(root)
    (root / "ü x").mkdir()
    for target, where in (("/sub", "/sub/"), ("/sub?a=b", "/sub/?a=b"), ("//sub", "/sub/"),
                          ("/%C3%BC%20x", "/%C3%BC%20x/")):
        answer = server.talk(request(target))
        assert status(answer) == 301 and f"\r\nLocation: {where}\r\n".encode() in answer
    assert curl("-L", server.url + "/sub").stdout == b"<p>sub\n"
    assert status(server.talk(request("/sub/deep/"))) == 200
    assert status(server.talk(request("/sub/none/"))) == 404
    assert status(server.talk(request("/index.html/"))) == 404


def test_files_that_are_none(serve, root):
    os.mkfifo(root / "fifo")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
        os.chdir(root)
        s.bind("socket")
        os.chdir("/")
        server = serve(root)
        assert status(server.talk(request("/fifo"))) == 403
        assert status(server.talk(request("/socket"))) == 403
    if os.getuid() != 0:
        (root / "empty").chmod(0)
        assert status(server.talk(request("/empty"))) == 403
    (root / "dangling").symlink_to("nothing")
    (root / "round").symlink_to("round")
    assert status(server.talk(request("/dangling"))) == 404
    assert status(server.talk(request("/round"))) == 403


# --- nothing outside ---

@pytest.mark.parametrize("target", [
    "/../secret", "/..%2fsecret", "/%2e%2e/secret", "/%2E%2E%2Fsecret", "/sub/../../secret",
    "/sub/deep/../../../secret", "/.../secret", "//../secret", "/./../secret", "/%252e%252e/secret",
    "/..\\secret", "/..%5csecret", "/%c0%ae%c0%ae/secret", "/sub%2f..%2f..%2fsecret", "/..%00/secret",
    "/secret%00.html", "../secret", "secret", "http://x/../secret", "//secret", "/%2fetc/passwd",
    "/proc/self/environ", "/sub/..;/..;/secret",
])
def test_nothing_outside_by_path(serve, root, target):
    answer = serve(root).talk(request(target))
    assert status(answer) in (400, 403, 404) and b"secret\n" not in answer and b"root:" not in answer


def test_nothing_outside_by_links(serve, root):
    (root / "absolute").symlink_to(root.parent / "secret")
    (root / "relative").symlink_to("../secret")
    (root / "sub" / "up").symlink_to("../..")
    (root / "system").symlink_to("/etc")
    (root / "self").symlink_to("/proc/self/root")
    (root / "inside").symlink_to("sub/index.html")
    (root / "back").symlink_to("sub/../index.html")
    server = serve(root)
    for target in ("/absolute", "/relative", "/sub/up/secret", "/system/passwd", "/self/etc/passwd"):
        assert status(server.talk(request(target))) == 403
    assert curl(server.url + "/inside").stdout == b"<p>sub\n"
    assert curl(server.url + "/back").stdout == b"<p>index\n"


# --- connections ---

def test_one_connection_carries_many_requests(serve, root):
    server = serve(root)
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    client.connect()
    local = client.sock.getsockname()
    for target, code in (("/", 200), ("/nothing", 404), ("/sub", 301), ("/big", 200), ("/", 200)):
        client.request("GET", target)
        response = client.getresponse()
        assert response.status == code
        response.read()
        assert client.sock.getsockname() == local
    client.close()


def test_requests_in_one_piece_are_answered_in_order(serve, root):
    server = serve(root)
    targets = ["/", "/nothing", "/a%20b%26c.txt", "/big", "/sub/", "/big", "/empty"] * 3
    sent = b"".join(request(t) for t in targets) + request("/", "Connection: close")
    with server.connect() as s, s.makefile("rb") as f:
        s.sendall(sent)
        codes = []
        for _ in range(len(targets) + 1):
            codes.append(int(f.readline().split()[1]))
            fields = {}
            while (line := f.readline()) != b"\r\n":
                name, _, value = line.decode().partition(": ")
                fields[name] = value.strip()
            assert len(f.read(int(fields["Content-Length"]))) == int(fields["Content-Length"])
        assert f.read() == b""
    assert codes == [200, 404, 200, 200, 200, 200, 200] * 3 + [200]


def test_versions_and_keeping_alive(serve, root):
    server = serve(root)
    with server.connect() as s:
        s.sendall(request("/", version="1.0"))
        assert b"\r\nConnection: close\r\n" in read_all(s)
    with server.connect() as s:
        s.sendall(request("/", "Connection: keep-alive", version="1.0"))
        assert b"\r\nConnection: keep-alive\r\n" in s.recv(65536)
        s.sendall(request("/", "Connection: close"))
        assert b"\r\nConnection: close\r\n" in read_all(s)


def test_content_of_a_request_is_not_taken_for_the_next(serve, root):
    server = serve(root)
    with server.connect() as s:
        hidden = request("/sub/")
        s.sendall(request("/", f"Content-Length: {len(hidden) + 100000}") + hidden)
        s.sendall(b"x" * 100000)
        s.shutdown(socket.SHUT_WR)
        answer = read_all(s)
    assert answer.count(b"HTTP/1.1 ") == 1 and answer.endswith(b"<p>index\n")


def test_many_at_once(serve, root):
    server = serve(root)
    big = (root / "big").read_bytes()

    def fetch(i):
        if i % 10 == 0:
            return server.talk(request("/big")).endswith(big[-100000:])
        return server.talk(request("/")).endswith(b"<p>index\n")

    silent = [server.connect() for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(fetch, range(200)))
    for s in silent:
        s.close()


def test_a_reader_that_stalls_holds_up_nobody(serve, root):
    server = serve("--threads", 1, root)
    with server.connect() as slow:
        slow.sendall(request("/big"))
        time.sleep(0.1)
        assert status(server.talk(request("/"))) == 200
        slow.shutdown(socket.SHUT_WR)
        assert len(read_all(slow)) > 20_000_000


def test_a_file_that_shrinks_is_cut_short(serve, root):
    server = serve(root)
    with server.connect() as s:
        s.sendall(request("/big"))
        select.select([s], [], [], 30)
        os.truncate(root / "big", 100000)
        with contextlib.suppress(ConnectionResetError):
            assert len(read_all(s)) < 20_000_000
    assert status(server.talk(request("/"))) == 200
    assert "(cut short)" in server.stop()[2]


def test_out_of_descriptors_it_goes_on(serve, root):
    server = serve("--threads", 1, root)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (16, 16))
    held = [server.connect() for _ in range(40)]
    for s in held:
        s.sendall(b"GET")
    time.sleep(0.3)
    for s in held:
        s.close()
    assert status(server.talk(request("/"))) == 200
    assert "too many open files" in server.stop()[2]


# --- how many connections ---

def limited(descriptors):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


def keeps(server, n, source="127.0.0.1"):
    """n connections that were answered, and are idle now."""
    held = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", server.port), timeout=30,
                                     source_address=(source, 0))
        s.sendall(request("/"))
        assert s.recv(65536).startswith(b"HTTP/1.1 200")
        held.append(s)
    return held


def is_open(s):
    """Whether the server has neither ended the connection nor reset it."""
    try:
        s.sendall(request("/"))
        return s.recv(65536).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def test_an_idle_connection_gives_way_when_there_are_as_many_as_may_be(serve, root):
    server = serve("--threads", 1, "--max-connections", 4, "--max-per-address", 4, root)
    held = keeps(server, 4)
    held += keeps(server, 1)
    assert [is_open(s) for s in held] == [False, True, True, True, True]


def test_connections_of_one_address_are_counted(serve, root):
    server = serve("--max-per-address", 3, root)
    held = keeps(server, 3)
    with server.connect() as s:
        s.sendall(request("/"))
        refused = s.recv(65536)
    assert refused.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 1\r\n" in refused
    held += keeps(server, 3, "127.0.0.2")
    assert all(is_open(s) for s in held)
    held.pop(0).close()
    deadline = time.monotonic() + 20
    while not server.talk(request("/")).startswith(b"HTTP/1.1 200"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_requests_under_way_do_not_give_way(serve, root):
    server = serve("--threads", 1, "--max-connections", 2, "--max-per-address", 2, root)
    held = [server.connect() for _ in range(2)]
    for s in held:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
                  b"Expect: 100-continue\r\n\r\n")
        assert s.recv(65536)
    assert server.talk(request("/")).startswith(b"HTTP/1.1 503 ")


def test_a_head_that_trickles_in_gives_way(serve, root):
    server = serve("--threads", 1, "--max-connections", 2, "--max-per-address", 2, root)
    held = [server.connect() for _ in range(2)]
    for s in held:
        s.sendall(b"GET / HTTP/1.1\r\n")
    deadline = time.monotonic() + 20
    while not server.talk(request("/")).startswith(b"HTTP/1.1 200"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_more_connections_than_descriptors_are_an_error(hail, root):
    run = subprocess.run([hail, "serve", "--listen", "127.0.0.1:0", "--max-connections", "1000",
                          root], capture_output=True, preexec_fn=limited(64), timeout=30)
    assert run.returncode == 8 and b"ulimit -n" in run.stderr and run.stdout == b""


def test_few_descriptors_will_do(serve, root):
    server = serve("--threads", 1, root, preexec_fn=limited(24))
    held = [server.connect() for _ in range(40)]
    assert status(server.talk(request("/"))) == 200
    assert len(held) == 40


# --- HTTPS ---

def test_https(serve, root, certs):
    server = serve("--tls-cert", certs.cert, "--tls-key", certs.key, root)
    assert server.url.startswith("https://127.0.0.1:")
    for target, file in (("/", "index.html"), ("/big", "big")):
        done = curl("--cacert", certs.ca, server.url + target)
        assert done.returncode == 0 and done.stdout == (root / file).read_bytes()
    context = ssl.create_default_context(cafile=certs.ca)
    with context.wrap_socket(server.connect(), server_hostname="localhost",
                             suppress_ragged_eofs=False) as tls:
        tls.sendall(request("/") + request("/sub/") + request("/", "Connection: close"))
        assert read_all(tls).count(b"HTTP/1.1 200 OK") == 3  # and close_notify
    assert server.talk(request("/"))[:5] != b"HTTP/"  # plain HTTP to the port of HTTPS
    with server.connect():  # says nothing
        assert curl("--cacert", certs.ca, server.url).returncode == 0


def test_certificates_that_cannot_be_used(hail, root, certs, tmp_path):
    for args in (("--tls-cert", "/nonexistent"), ("--tls-cert", certs.cert),
                 ("--tls-cert", certs.cert, "--tls-key", certs.ca_key),
                 ("--tls-key", certs.key)):
        done = subprocess.run([hail, "serve", "--listen", "127.0.0.1:0", *map(str, args), root],
                              capture_output=True, timeout=30, check=False)
        assert done.returncode in (2, 6, 8) and done.stderr.startswith(b"hail: ")


# --- where it listens ---

def test_the_next_port_when_the_default_is_taken(serve, root):
    one = serve(root, "--threads", 2)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = s.getsockname()[1]
        with pytest.raises(RuntimeError, match="address already in use"):
            serve("--listen", f"127.0.0.1:{taken}", root)
    with pytest.raises(RuntimeError, match="address already in use"):
        serve("--listen", f"127.0.0.1:{one.port}", "--threads", 2, root)


def test_every_address(serve, root):
    server = serve("--listen", ":0", root)
    assert server.url.startswith("http://localhost:")
    assert curl(f"http://127.0.0.1:{server.port}/").stdout == b"<p>index\n"


def test_a_unix_socket(serve, root, tmp_path):
    path = tmp_path / "s"
    server = serve("--listen", f"unix:{path}", root)
    assert server.url == f"unix:{path}"
    assert curl("--unix-socket", path, "http://x/").stdout == b"<p>index\n"
    server.stop()
    assert not path.exists()


def test_sockets_that_are_handed_over(hail, root):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        script = f'exec 3<&{s.fileno()}; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" serve "$1"'
        process = subprocess.Popen(["bash", "-c", script, hail, root], pass_fds=[s.fileno()],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout.readline().decode().endswith(f" at http://127.0.0.1:{port}/\n")
        assert curl(f"http://127.0.0.1:{port}/").stdout == b"<p>index\n"
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.parametrize("args", [
    ("--listen", "127.0.0.1:99999"), ("--listen", "udp:127.0.0.1:0"), ("--threads", "0"),
    ("--threads", "x"), ("--listen", "tls:127.0.0.1:0"), (".", "."),
])
def test_wrong_usage(hail, args):
    done = subprocess.run([hail, "serve", *args], capture_output=True, timeout=30, check=False)
    assert done.returncode == 2 and done.stderr.startswith(b"hail: ") and done.stdout == b""


# --- the log, the trace and the end ---

def test_the_log_as_documents(serve, root):
    server = serve("--json", root)
    server.talk(request("/index.html"))
    server.talk(request("/nothing", method="HEAD"))
    _, out, log = server.stop()
    docs = sorted((json.loads(line) for line in out.splitlines()), key=lambda d: d["target"])
    assert [(d["kind"], d["method"], d["target"], d["status"], d["bytes"], d["complete"])
            for d in docs] == [("request", "GET", "/index.html", 200, 9, True),
                               ("request", "HEAD", "/nothing", 404, 0, True)]
    assert log == "" and docs[0]["peer"].startswith("127.0.0.1:")


def test_no_log_when_quiet(serve, root):
    server = serve("-q", root)
    server.talk(request("/"))
    assert server.stop()[1:] == ("", "")


def test_the_trace_shows_the_conversation(serve, root):
    server = serve("--trace", "-q", root)
    server.talk(request("/"))
    log = server.stop()[2]
    assert "< GET / HTTP/1.1" in log and "> HTTP/1.1 200 OK" in log


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_the_end_by_a_signal(serve, root, sig):
    server = serve(root)
    idle, half = server.connect(), server.connect()
    half.sendall(b"GET / HT")
    idle.sendall(request("/"))
    assert idle.recv(65536)
    assert status(server.talk(request("/"))) == 200
    begun = time.monotonic()
    assert server.stop(sig)[0] == -sig
    assert time.monotonic() - begun < 10
    assert idle.recv(1) == b""
    for s in (idle, half):
        s.close()
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", server.port)) != 0


def test_what_is_under_way_ends_before_the_server(serve, root):
    server = serve(root)
    with server.connect() as s:
        s.sendall(request("/big"))
        got = s.recv(1000)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        got += read_all(s)
    assert got.endswith((root / "big").read_bytes()[-1000:])
    assert server.stop()[0] == -signal.SIGTERM


def test_the_time_limit(serve, root):
    server = serve("--timeout", "0.5", root)
    assert server.process.wait(timeout=30) == 0


# --- all of it at once ---

@pytest.mark.peers
def test_a_short_soak(hail):
    soak = os.path.join(os.path.dirname(__file__), "../../tools/soak")
    done = subprocess.run([soak, "8", hail], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
