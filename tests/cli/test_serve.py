"""hail serve, judged by curl, Python's http.client and raw sockets."""

import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest


class Server:
    """hail serve on a port that the system picks."""

    def __init__(self, hail, *args):
        self.child = subprocess.Popen([hail, "serve", "--listen", "127.0.0.1:0", *map(str, args)],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first = self.child.stdout.readline()
        found = re.search(r"(https?)://127\.0\.0\.1:(\d+)/", self.first)
        assert found, self.first + self.child.stderr.read()
        self.scheme, self.port = found.group(1), int(found.group(2))
        self.url = found.group(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, sig=signal.SIGTERM):
        """The exit status, and what was said on standard error."""
        if self.child.poll() is None:
            self.child.send_signal(sig)
        out, err = self.child.communicate(timeout=30)
        return self.child.returncode, out + err

    def raw(self, *pieces, pause=0.0, shut=False):
        """Sends bytes as they are, and reads to the end of the stream."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as s:
            for piece in pieces:
                s.sendall(piece)
                time.sleep(pause)
            if shut:
                s.shutdown(socket.SHUT_WR)
            got = b""
            while data := s.recv(65536):
                got += data
            return got


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    root = tmp_path / "site"
    (root / "sub" / "deeper").mkdir(parents=True)
    (root / "index.html").write_text("<h1>index</h1>")
    (root / "plain.txt").write_text("plain")
    (root / "sub" / "index.html").write_text("sub index")
    (root / "sub" / "a b%.txt").write_text("odd name")
    (root / "empty.css").write_bytes(b"")
    (root / "big.bin").write_bytes(os.urandom(3_000_000))
    (tmp_path / "secret").write_text("outside")
    (root / "leads-out").symlink_to("../secret")
    (root / "absolute").symlink_to(tmp_path / "secret")
    (root / "inside").symlink_to("plain.txt")
    os.mkfifo(root / "fifo")
    return root


@pytest.fixture(name="server")
def fixture_server(hail, site):
    with Server(hail, site) as server:
        yield server


def curl(*args):
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *map(str, args)], capture_output=True,
                          timeout=60)
    return done.returncode, done.stdout


def status(url, *args):
    return int(curl("-o", "/dev/null", "-w", "%{http_code}", "--path-as-is", *args, url)[1])


@pytest.mark.parametrize("path, kind, body", [
    ("", "text/html; charset=utf-8", b"<h1>index</h1>"),
    ("index.html", "text/html; charset=utf-8", b"<h1>index</h1>"),
    ("plain.txt", "text/plain; charset=utf-8", b"plain"),
    ("plain.txt?query=1", "text/plain; charset=utf-8", b"plain"),
    ("sub/", "text/html; charset=utf-8", b"sub index"),
    ("sub/a%20b%25.txt", "text/plain; charset=utf-8", b"odd name"),
    ("sub/../plain.txt", "text/plain; charset=utf-8", b"plain"),
    ("inside", "application/octet-stream", b"plain"),
    ("empty.css", "text/css; charset=utf-8", b""),
])
def test_files(server, path, kind, body):
    code, out = curl("-D", "-", "--path-as-is", server.url + path)
    assert code == 0
    head, _, content = out.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"HTTP/1.1 200 OK") and content == body
    assert fields["Content-Type"].lower() == kind and int(fields["Content-Length"]) == len(body)
    assert {"Date", "Last-Modified"} <= set(fields)
    # HEAD tells the same and no content
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("HEAD", "/" + path)
    answer = connection.getresponse()
    assert answer.status == 200 and int(answer.getheader("Content-Length")) == len(body)
    assert answer.read() == b""
    connection.close()


def test_last_modified_is_the_files(server, site):
    os.utime(site / "plain.txt", (784111777, 784111777))  # RFC 9110's own example
    assert b"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n" in curl("-i", server.url + "plain.txt")[1]


def test_folder_is_redirected(server):
    _, out = curl("-D", "-", "-o", "/dev/null", server.url + "sub?x=1")
    assert out.startswith(b"HTTP/1.1 301 ") and b"Location: /sub/?x=1\r\n" in out
    assert curl("-L", server.url + "sub")[1] == b"sub index"


@pytest.mark.parametrize("path", [
    "nothing", "sub/nothing", "plain.txt/", "leads-out", "absolute", "fifo",
    "../secret", "%2e%2e/secret", "..%2fsecret", "%2e%2e%2fsecret", "sub/../../secret",
    "/../secret", "./../secret", "....//secret", "..\\secret", "index.html%00.txt", "\\..\\secret",
])
def test_nothing_outside(server, path):
    code = status(server.url + path)
    assert code in (400, 403, 404), path
    assert b"outside" not in curl("--path-as-is", server.url + path)[1]


@pytest.mark.parametrize("method, code", [("POST", 405), ("PUT", 405), ("DELETE", 405),
                                          ("OPTIONS", 204), ("BREW", 501)])
def test_other_methods(server, method, code):
    _, out = curl("-D", "-", "-o", "/dev/null", "-X", method, server.url)
    assert out.startswith(b"HTTP/1.1 %d " % code)
    assert (b"Allow: GET, HEAD, OPTIONS" in out) == (code != 501)


@pytest.mark.parametrize("request_, code", [
    (b"GET / HTTP/1.1\r\n\r\n", 400),                                   # no Host
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 500 + b"\r\n", 431),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),             # TLS to a plain port
    (b"SSH-2.0-x\r\n", 400),
])
def test_malformed_requests_end_the_connection(server, request_, code):
    got = server.raw(request_, shut=True)
    assert got.startswith(b"HTTP/1.") and int(got.split()[1]) == code
    assert got.count(b"HTTP/1.1 ") == 1
    assert status(server.url) == 200  # it goes on


def test_keep_alive_and_pipelining(server):
    one = b"GET /plain.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /plain.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    got = server.raw(one * 50 + last)
    assert got.count(b"HTTP/1.1 200 OK") == 51 and got.count(b"\r\n\r\nplain") == 51
    # cut anywhere
    whole = one + b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + last
    for at in range(1, len(whole), 7):
        got = server.raw(whole[:at], whole[at:])
        assert got.count(b"HTTP/1.1 200 OK") == 3 and got.endswith(b"\r\n\r\nplain")


def test_one_byte_at_a_time(server):
    request = b"GET /plain.txt HTTP/1.0\r\n\r\n"
    assert server.raw(*[bytes([b]) for b in request]).endswith(b"\r\n\r\nplain")


def test_half_close_gets_the_answer(server, site):
    got = server.raw(b"GET /big.bin HTTP/1.0\r\n\r\n", shut=True)
    assert got.partition(b"\r\n\r\n")[2] == (site / "big.bin").read_bytes()


def test_http_1_0_and_keep_alive(server):
    assert server.raw(b"GET /plain.txt HTTP/1.0\r\n\r\n").endswith(b"plain")
    got = server.raw(b"GET /plain.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                     b"GET /plain.txt HTTP/1.0\r\n\r\n")
    assert got.count(b"plain") >= 2


def test_many_at_once(server, site):
    big = (site / "big.bin").read_bytes()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        jobs = [pool.submit(curl, server.url + ("big.bin" if i % 4 == 0 else "plain.txt"))
                for i in range(96)]
        for i, job in enumerate(jobs):
            assert job.result() == (0, big if i % 4 == 0 else b"plain")


def test_a_client_that_goes_away_does_no_harm(server):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            s.recv(1)
    assert status(server.url) == 200


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_ends_by_the_signal(hail, site, sig):
    with Server(hail, site) as server:
        assert status(server.url) == 200
        code, _ = server.stop(sig)
        assert code == -sig
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=30)


def test_log_is_safe(hail, site):
    with Server(hail, site) as server:
        server.raw(b"GET /\x1b[31mred HTTP/1.0\r\n\r\n")
        server.raw(b"GET /%1b%5b31mred HTTP/1.0\r\n\r\n")
        curl("-A", "x", server.url + "nothing")
        time.sleep(0.2)
        said = server.stop()[1]
    assert "\033" not in said and '"GET /nothing" 404' in said


def test_json_log(hail, site):
    with Server(hail, "--json", site) as server:
        curl(server.url + "plain.txt")
        time.sleep(0.2)
        lines = [json.loads(line) for line in [server.first, *server.stop()[1].splitlines()]]
    assert all(d["schema"].startswith("hail.serve/") for d in lines)
    assert any(d.get("status") == 200 for d in lines)


def test_tls(hail, site, certs):
    with Server(hail, "--tls-cert", certs.cert, "--tls-key", certs.key, site) as server:
        assert server.scheme == "https"
        url = f"https://localhost:{server.port}/"
        assert curl("--cacert", certs.ca, "-4", url + "plain.txt") == (0, b"plain")
        big = (site / "big.bin").read_bytes()
        assert curl("--cacert", certs.ca, "-4", url + "big.bin") == (0, big)
        done = subprocess.run([hail, "get", "--cacert", certs.ca, "-4", url + "big.bin"],
                              capture_output=True, timeout=60)
        assert done.returncode == 0 and done.stdout == big
        assert server.raw(b"GET / HTTP/1.0\r\n\r\n", shut=True)[:4] != b"HTTP"
        assert curl("--cacert", certs.ca, "-4", url + "plain.txt") == (0, b"plain")


def test_one_file(hail, site):
    with Server(hail, site / "plain.txt") as server:
        assert curl(server.url + "plain.txt") == (0, b"plain")
        assert status(server.url + "big.bin") == 404


def test_default_port_moves_on(hail, site):
    """8080 may be taken or not; whichever it is, a second server takes the next."""
    children = [subprocess.Popen([hail, "serve", str(site)], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ports = [int(re.search(r":(\d+)/", c.stdout.readline()).group(1)) for c in children]
    for child in children:
        child.terminate()
        child.communicate(timeout=30)
    assert ports[0] != ports[1] and all(8080 <= p < 8180 for p in ports)


@pytest.mark.parametrize("args, code, said", [
    (["/nonexistent"], 8, "no such file"),
    (["--tls-cert", "/nonexistent", "."], 8, "/nonexistent"),
    (["--listen", "127.0.0.1:99999", "."], 2, "column"),
    (["--threads", "0", "."], 2, "threads"),
    (["a", "b"], 2, ""),
])
def test_bad_starts(hail, args, code, said):
    done = subprocess.run([hail, "serve", *args], capture_output=True, text=True, timeout=30)
    assert done.returncode == code and said in done.stderr and done.stdout == ""


def test_port_in_use(hail, site):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = subprocess.run([hail, "serve", "--listen", f"127.0.0.1:{s.getsockname()[1]}", str(site)],
                              capture_output=True, text=True, timeout=30)
    assert done.returncode == 4 and "address already in use" in done.stderr


def test_unix_socket(hail, site, tmp_path):
    path = tmp_path / "s"
    child = subprocess.Popen([hail, "serve", "--listen", f"unix:{path}", str(site)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.readline()
    assert curl("--unix-socket", path, "http://localhost/plain.txt") == (0, b"plain")
    child.terminate()
    child.communicate(timeout=30)
    assert not path.exists()
