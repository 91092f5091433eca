"""hail get puts parts together: a part that is less than the rest, ranges that are none, what comes
slowly, and servers that ask for a wait without end."""

import contextlib
import socket
import subprocess
import threading
import time

import pytest

BODY = bytes(i * 7 % 251 for i in range(1000))


class Server:
    """Answers one connection after another by a function each, and keeps the requests; then nobody
    is there any more."""

    def __init__(self, *behaviours):
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/file" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, args=(behaviours,), daemon=True)
        self.thread.start()

    def run(self, behaviours):
        with contextlib.suppress(OSError):
            for behave in behaviours:
                conn = self.listener.accept()[0]
                conn.settimeout(30)
                with conn:
                    got = b""
                    while b"\r\n\r\n" not in got:
                        got += conn.recv(65536) or b"\r\n\r\n"
                    self.requests.append(got.decode())
                    behave(conn)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(30)


def says(status, *fields, content=b""):
    head = "".join(f"{f}\r\n" for f in (f"HTTP/1.1 {status}", "Connection: close", *fields))
    return lambda conn: conn.sendall(head.encode() + b"\r\n" + content)


def whole(sent, etag='"v"'):
    return says("200 OK", f"ETag: {etag}", f"Content-Length: {len(BODY)}", content=BODY[:sent])


def part(first, last, total=len(BODY)):
    return says("206 Partial Content", 'ETag: "v"', f"Content-Length: {last + 1 - first}",
                f"Content-Range: bytes {first}-{last}/{total}", content=BODY[first:last + 1])


def run(hail, tmp_path, *args):
    return subprocess.run([hail, "get", *args], capture_output=True, timeout=60, cwd=tmp_path,
                          stdin=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize("ends", [(10, 20, 999), (10, 999), (1, 2, 3, 999)])
def test_a_part_that_is_less_than_the_rest(hail, tmp_path, ends):
    parts = [part(first, last if last == 999 else last - 1)
             for first, last in zip(ends, ends[1:])]
    with Server(whole(ends[0]), *parts) as s:
        done = run(hail, tmp_path, "-o", "out", s.url)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == BODY
    assert [r.partition("Range: bytes=")[2].split("\r")[0] for r in s.requests] == \
        [""] + [f"{first}-" for first in ends[:-1]]


@pytest.mark.parametrize("name", ["n" * 245, "n" * 255, "\u00e4" * 127, "n" + "\u20ac" * 84])
def test_long_names(hail, tmp_path, name):
    """The part's own name is no longer than names may be, and is found again."""
    with Server(whole(10)) as s:
        assert run(hail, tmp_path, "-o", name, s.url).returncode != 0
        port = s.url.rpartition(":")[2].partition("/")[0]
    assert name not in {p.name for p in tmp_path.iterdir()} and len(list(tmp_path.iterdir())) == 2
    with Server(part(10, 999)) as s:
        record = next(tmp_path.glob("*.from"))
        record.write_text(record.read_text().replace(port, s.url.rpartition(":")[2].partition("/")[0]))
        assert run(hail, tmp_path, "-o", name, s.url).returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == BODY


def test_a_name_that_is_too_long(hail, tmp_path):
    with Server(whole(1000)) as s:
        assert run(hail, tmp_path, "-o", "n" * 256, s.url).returncode == 8
    assert not list(tmp_path.iterdir())


def test_a_part_that_is_all_there_comes(hail, tmp_path):
    with Server(whole(10), part(10, 19)) as s:
        done = run(hail, tmp_path, "-o", "out", s.url)
    assert done.returncode != 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [
    "bytes 10-9/*", "bytes 9-999/1000", "bytes 11-999/1000", "bytes 10-999/999", "bytes */1000",
    "bytes 10-999/1001", "bytes 10-999/99999999999999999999", "bytes 10-9223372036854775807/*",
    "bytes 10-99999999999999999999/*", "bytes -10-999/1000", "bytes 10-999", "bytes 10-/1000",
    "bytes 10-999/", "bytes 10-999/1000x", "octets 10-999/1000", "bytes=10-999/1000", "",
])
def test_ranges_that_are_not_the_rest(hail, tmp_path, text):
    answer = says("206 Partial Content", 'ETag: "v"', f"Content-Range: {text}",
                  content=BODY[10:])
    with Server(whole(10), answer) as s:
        done = run(hail, tmp_path, "-o", "out", s.url)
    assert done.returncode != 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["out", "/dev/null"])
def test_what_comes_slowly_is_taken_at_once(hail, tmp_path, to):
    """Of a large file, too: bytes are not left lying in the kernel until there are many."""
    size, piece, seen = 4 << 20, 100_000, []

    def trickle(conn):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for sent in range(piece, 5 * piece, piece):
            conn.sendall(b"x" * piece)
            until = time.monotonic() + 20
            while time.monotonic() < until:
                # what it has not read yet
                left = unread(conn.getpeername()[1])
                if left == 0:
                    seen.append(sent)
                    break
                time.sleep(0.02)
        conn.sendall(b"x" * (size - 4 * piece))

    with Server(trickle) as s:
        done = run(hail, tmp_path, "-o", to, s.url)
    assert done.returncode == 0, done.stderr
    assert seen == [piece, 2 * piece, 3 * piece, 4 * piece]


def unread(port):
    """Bytes that lie in the client's socket."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in list(f)[1:]:
            _, local, _, _, queues, *_ = line.split()
            if int(local.split(":")[1], 16) == port:
                return int(queues.split(":")[1], 16)
    return None


@pytest.mark.parametrize("after", [
    "99999999999999999999", "9" * 60, "Fri, 31 Dec 9999 23:59:59 GMT", "2000000000",
])
@pytest.mark.parametrize("limit", [["-m", "20"], ["--retry-max-time", "20"]])
def test_a_wait_without_end(hail, tmp_path, after, limit):
    """It is longer than there is time: the answer is the answer, at once."""
    with Server(says("503 Not now", f"Retry-After: {after}", "Content-Length: 2", content=b"no")) as s:
        done = run(hail, tmp_path, "--retry", "3", "-w", "%{http_code}", *limit, s.url)
    assert done.stdout == b"no503"
    assert len(s.requests) == 1 and b"trying again" not in done.stderr
