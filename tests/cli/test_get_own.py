"""hail get: what curl does not have, or does otherwise - files under their name only when they are
whole, what is told of an exchange, several URLs, options from a file, a terminal."""

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pexpect
import pytest

BODY = bytes(range(256)) * 8192 # 2 MiB


@pytest.fixture(name="get")
def fixture_get(hail, tmp_path):
    def run(*args, **kw):
        kw.setdefault("cwd", tmp_path)
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([hail, "get", *map(str, args)], capture_output=True, timeout=60,
                              check=False, **kw)
    return run


class Server:
    """Answers each request by answer(server, request, number): bytes, or None when it did it
    itself. Keeps the connection until that has closed it."""

    def __init__(self, answer):
        self.answer, self.requests, self.connections = answer, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn, contextlib.suppress(OSError):
            conn.settimeout(30)
            got = b""
            while True:
                while b"\r\n\r\n" not in got:
                    piece = conn.recv(65536)
                    if not piece:
                        return
                    got += piece
                head, _, got = got.partition(b"\r\n\r\n")
                with self.lock:
                    self.requests.append(head.decode("latin-1"))
                    number = len(self.requests)
                out = self.answer(conn, self.requests[-1], number)
                if out is None:
                    return
                conn.sendall(out)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextlib.contextmanager
def serving(answer):
    server = Server(answer)
    try:
        yield server
    finally:
        server.close()


def ok(body, *fields):
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def first_byte(request):
    found = re.search(r"^Range: bytes=(\d+)-", request, re.M)
    return int(found.group(1)) if found else None


def part(at, body=BODY, *fields, total=None):
    head = ["HTTP/1.1 206 Partial Content", f"Content-Length: {len(body) - at}",
            f"Content-Range: bytes {at}-{len(body) - 1}/{total or len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body[at:]


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


# --- downloads that finish ---

@pytest.mark.parametrize("validator", ['ETag: "a"', "Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\n"
                                       "Date: Tue, 03 Nov 2026 10:00:00 GMT"])
def test_a_download_goes_on_where_it_was_cut_off(get, tmp_path, validator):
    def answer(conn, request, number):
        at = first_byte(request)
        out = ok(BODY, validator) if at is None else part(at, BODY, validator)
        if number < 4:
            conn.sendall(out[:500000])
            return None
        return out

    with serving(answer) as server:
        done = get("-o", "file", server.url + "/f")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_bytes() == BODY
    assert [first_byte(r) is None for r in server.requests] == [True, False, False, False]
    wanted = validator.split("\r\n", maxsplit=1)[0].partition(": ")[2]
    assert all(f"If-Range: {wanted}" in r for r in server.requests[1:])
    assert os.listdir(tmp_path) == ["file"]


def test_a_server_without_ranges_whose_head_comes_alone(get, tmp_path):
    """The content never passes through hail's own buffers: what the kernel moved counts, too."""
    def answer(conn, _request, number):
        head, _, body = ok(BODY, 'ETag: "a"').partition(b"\r\n\r\n")
        conn.sendall(head + b"\r\n\r\n")
        time.sleep(0.2)
        if number == 1:
            conn.sendall(body[:1500000])
            return None
        return body

    with serving(answer) as server:
        done = get("-o", "file", server.url)
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == 2 and first_byte(server.requests[1]) == 1500000
    assert (tmp_path / "file").read_bytes() == BODY


def test_without_a_validator_nothing_is_put_together(get, tmp_path):
    def answer(conn, request, number):
        if number == 1:
            conn.sendall(ok(BODY)[:500000])
            return None
        return ok(BODY)

    with serving(answer) as server:
        assert get("-o", "file", server.url).returncode == 7
        assert not (tmp_path / "file").exists()
        done = get("--retry", "1", "--retry-delay", "0", "-o", "file", server.url)
    assert done.returncode == 0 and (tmp_path / "file").read_bytes() == BODY
    assert all(first_byte(r) is None for r in server.requests)


def test_what_changed_meanwhile_is_read_from_the_start(get, tmp_path):
    newer = BODY[::-1]

    def answer(conn, _request, number):
        if number == 1:
            conn.sendall(ok(BODY, 'ETag: "a"')[:700000])
            return None
        return ok(newer, 'ETag: "b"')

    with serving(answer) as server:
        assert get("-o", "file", server.url).returncode == 0
    assert (tmp_path / "file").read_bytes() == newer
    assert first_byte(server.requests[1]) == 700000 - len(ok(BODY, 'ETag: "a"')) + len(BODY)


def test_a_server_that_does_not_look_at_if_range(get, tmp_path):
    newer = BODY[::-1]

    def answer(conn, request, number):
        at = first_byte(request)
        if number == 1:
            conn.sendall(ok(BODY, 'ETag: "a"')[:700000])
            return None
        return ok(newer, 'ETag: "b"') if at is None else part(at, newer, 'ETag: "b"')

    with serving(answer) as server:
        assert get("-o", "file", server.url).returncode == 0
    assert (tmp_path / "file").read_bytes() == newer and len(server.requests) == 3


@pytest.mark.parametrize("wrong", ["bytes 5-9/10", "bytes 0-2097151/2097152", "bytes */2097152",
                                   "items 1-2/3", "bytes 700000-699999/2097152", ""])
def test_another_part_than_was_asked_for_is_refused(get, tmp_path, wrong):
    def answer(conn, _request, number):
        if number == 1:
            conn.sendall(ok(BODY, 'ETag: "a"')[:700000])
            return None
        field = f"Content-Range: {wrong}\r\n" if wrong else ""
        return f"HTTP/1.1 206 Partial Content\r\n{field}Content-Length: 5\r\n\r\nwrong".encode()

    with serving(answer) as server:
        done = get("-o", "file", server.url)
    assert done.returncode == 7 and b"RFC 9110 section 14.4" in done.stderr
    assert not (tmp_path / "file").exists()
    kept = (tmp_path / "file.part").read_bytes()
    assert kept == BODY[:len(kept)] and kept


def test_an_unasked_part_is_refused(get):
    with serving(lambda *_: part(5)) as server:
        done = get(server.url)
    assert done.returncode == 7 and done.stdout == b"" and b"section 14.4" in done.stderr


def test_416_when_everything_is_there_already(get, tmp_path):
    def answer(conn, request, number):
        if number == 1: # all of it, but not the end of the connection's framing
            conn.sendall(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n'
                         b"5\r\nhello\r\n")
            return None
        assert first_byte(request) == 5
        return (b'HTTP/1.1 416 Range Not Satisfiable\r\nETag: "a"\r\nContent-Range: bytes */5\r\n'
                b"Content-Length: 0\r\n\r\n")

    with serving(answer) as server:
        assert get("-o", "file", server.url).returncode == 0
    assert (tmp_path / "file").read_bytes() == b"hello"


def test_the_next_run_goes_on_with_what_one_left(get, hail, tmp_path):
    stall = threading.Event()

    def answer(conn, request, number):
        at = first_byte(request)
        if number == 1:
            conn.sendall(ok(BODY, 'ETag: "a"')[:900000])
            stall.wait(30)
            return None
        return ok(BODY, 'ETag: "a"') if at is None else part(at, BODY, 'ETag: "a"')

    with serving(answer) as server:
        with subprocess.Popen([hail, "get", "-s", "-o", "file", server.url + "/x"],
                              cwd=tmp_path) as child:
            size = 0
            until = time.monotonic() + 20
            while size < 800000 and time.monotonic() < until:
                with contextlib.suppress(OSError):
                    size = (tmp_path / "file.part").stat().st_size
                time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert not (tmp_path / "file").exists()
        stall.set()
        done = get("-o", "file", server.url + "/x")
        assert done.returncode == 0 and (tmp_path / "file").read_bytes() == BODY
        assert first_byte(server.requests[1]) == size and os.listdir(tmp_path) == ["file"]
        # what is of another URL is not gone on with
        (tmp_path / "file.part").write_bytes(b"of something else")
        (tmp_path / "file.part.from").write_text(f'{server.url}/y\n"a"\n\n2097152\n')
        assert get("-o", "file", server.url + "/x").returncode == 0
        assert first_byte(server.requests[2]) is None


def test_a_pipe_gets_the_rest_behind_what_it_has(get):
    def answer(conn, request, number):
        at = first_byte(request)
        out = ok(BODY, 'ETag: "a"') if at is None else part(at, BODY, 'ETag: "a"')
        if number < 3:
            conn.sendall(out[:600000])
            return None
        return out

    with serving(answer) as server:
        done = get(server.url)
    assert done.returncode == 0 and done.stdout == BODY


def test_a_pipe_when_the_server_has_no_ranges(get):
    def answer(conn, _request, number):
        out = ok(BODY, 'ETag: "a"')
        if number == 1:
            conn.sendall(out[:600000])
            return None
        return out

    with serving(answer) as server:
        done = get(server.url)
    assert done.returncode == 0 and done.stdout == BODY

    def changed(conn, _request, number):
        if number == 1:
            conn.sendall(ok(BODY, 'ETag: "a"')[:600000])
            return None
        return ok(BODY, 'ETag: "b"')

    with serving(changed) as server:
        done = get(server.url)
    assert done.returncode == 7 and b"it changed while it was read" in done.stderr
    assert done.stdout == BODY[:len(done.stdout)]


def test_a_connection_that_is_cut_at_every_offset(get, tmp_path):
    whole = ok(b"0123456789", 'ETag: "a"')

    def answer(conn, request, number):
        at = first_byte(request)
        if number <= len(whole) and at is None:
            conn.sendall(whole[:number])
            time.sleep(0.002)
            reset(conn)
            return None
        return whole if at is None else part(at, b"0123456789", 'ETag: "a"')

    with serving(answer) as server:
        for i in range(len(whole)):
            before = len(server.requests)
            done = get("-s", "-o", f"f{i}", server.url)
            assert done.returncode in (0, 4, 7), done
            if done.returncode == 0:
                assert (tmp_path / f"f{i}").read_bytes() == b"0123456789"
            else:
                assert not (tmp_path / f"f{i}").exists()
            assert len(server.requests) > before
            with contextlib.suppress(OSError):
                (tmp_path / f"f{i}.part").unlink()


def test_a_disk_that_is_full(get, tmp_path):
    with serving(lambda *_: ok(BODY, 'ETag: "a"')) as server:
        done = get("-o", "/dev/full", server.url)
        assert done.returncode == 8 and b"no space left" in done.stderr
        limited = subprocess.run(["sh", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "sh",
                                  *done.args[:2], "-o", "file", server.url], cwd=tmp_path,
                                 capture_output=True, timeout=60, check=False)
    assert limited.returncode == 8 and b"file too large" in limited.stderr
    assert not (tmp_path / "file").exists()


def test_a_checksum(get, tmp_path):
    right = hashlib.sha256(BODY).hexdigest()
    with serving(lambda *_: ok(BODY)) as server:
        assert get("--checksum", f"sha256:{right}", "-o", "file", server.url).returncode == 0
        assert (tmp_path / "file").read_bytes() == BODY
        (tmp_path / "file").write_bytes(b"old")
        done = get("--checksum", f"sha256:{'0' * 64}", "-o", "file", server.url)
        assert done.returncode == 1 and right.encode() in done.stderr
        assert (tmp_path / "file").read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]
        for bad in ("sha256:12", "md4:00", right):
            assert get("--checksum", bad, server.url).returncode == 2


def test_a_file_keeps_its_mode_and_its_links(get, tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with serving(lambda *_: ok(b"new")) as server:
        assert get("-o", "link", server.url).returncode == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_no_clobber(get, tmp_path):
    with serving(lambda _c, _r, number: ok(str(number).encode())) as server:
        for _ in range(3):
            assert get("--no-clobber", "-o", "f", server.url).returncode == 0
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"f": "1", "f.1": "2", "f.2": "3"}


@pytest.mark.parametrize("name, file", [
    ('attachment; filename="a b.txt"', "a b.txt"), ("attachment; filename=plain", "plain"),
    ("attachment; filename*=UTF-8''na%C3%AFve; filename=x", "naïve"),
    ('attachment; filename="../../etc/passwd"', "passwd"), ('attachment; filename="..\\\\x"', "x"),
    ('attachment; filename=".bashrc"', "last"), ('attachment; filename="-rf"', "last"),
    ("attachment; filename*=UTF-8''a%2Fb", "b"), ('attachment; filename="\x1b]0;x"', None),
    ("inline", "last"), ('attachment; filename=""', "last"),
])
def test_the_servers_name_for_a_file(get, tmp_path, name, file):
    with serving(lambda *_: ok(b"x", f"Content-Disposition: {name}")) as server:
        done = get("-O", "-J", server.url + "/some/last")
    if file is None: # a control byte is no field
        assert done.returncode == 7 and not os.listdir(tmp_path)
    else:
        assert done.returncode == 0 and os.listdir(tmp_path) == [file]


# --- trying again ---

def test_retry_honours_retry_after(get):
    def answer(_conn, _request, number):
        if number < 3:
            return b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy"
        return ok(b"at last")

    with serving(answer) as server:
        begun = time.monotonic()
        done = get("--retry", "5", "--retry-delay", "0.01", server.url)
        assert done.returncode == 0 and done.stdout == b"at last" and len(server.requests) == 3
        assert time.monotonic() - begun >= 2
        assert server.connections == 1
        assert b"trying again in 1.0 s" in done.stderr


def test_retry_gives_up(get, free_port):
    with serving(lambda *_: b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno") as server:
        done = get("-f", "--retry", "2", "--retry-delay", "0", server.url)
        assert done.returncode == 1 and len(server.requests) == 3
        assert get("--retry", "9", "--retry-max-time", "0.5", server.url).returncode == 0
        assert len(server.requests) == 4
    port = free_port()
    done = get("--retry", "2", "--retry-delay", "0", f"http://127.0.0.1:{port}")
    assert done.returncode == 4 and b"trying" not in done.stderr
    done = get("--retry", "2", "--retry-delay", "0", "--retry-connrefused",
               f"http://127.0.0.1:{port}")
    assert done.returncode == 4 and done.stderr.count(b"trying again") == 2


# --- connections ---

def test_many_urls_on_one_connection_some_sent_ahead(get):
    with serving(lambda _c, request, _n: ok(request.split()[1].encode() + b"\n")) as server:
        done = get(*(f"{server.url}/{i}" for i in range(100)))
        assert done.stdout.decode().split() == [f"/{i}" for i in range(100)]
        assert server.connections == 1 and len(server.requests) == 100


def test_a_server_that_closes_under_requests_that_were_sent_ahead(get):
    """It answers five a connection and closes; what went out before its turn is asked again."""
    counts = {}

    def answer(conn, request, _number):
        counts[conn] = counts.get(conn, 0) + 1
        conn.sendall(ok(request.split()[1].encode() + b"\n"))
        return None if counts[conn] == 5 else b""

    with serving(answer) as server:
        done = get(*(f"{server.url}/{i}" for i in range(40)))
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().split() == [f"/{i}" for i in range(40)]


def test_a_server_that_throws_away_what_is_sent_ahead(get):
    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = listener.accept()
                threading.Thread(target=forgetful, args=(conn,), daemon=True).start()

    def forgetful(conn):
        with conn, contextlib.suppress(OSError):
            while True:
                got = conn.recv(65536) # all that is there, of which it knows the first line
                if not got:
                    return
                conn.sendall(ok(got.split()[1] + b"\n"))
                time.sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        url = "http://127.0.0.1:%d" % listener.getsockname()[1]
        done = get(*(f"{url}/{i}" for i in range(6)))
        listener.shutdown(socket.SHUT_RDWR)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split() == [f"/{i}" for i in range(6)]


def test_bytes_behind_a_response_are_of_no_other(get):
    def answer(conn, request, number):
        if number == 1:
            return ok(b"one\n") + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil\n"
        return ok(b"two\n")

    with serving(answer) as server:
        done = get("-v", server.url + "/1", server.url + "/2")
        assert done.stdout == b"one\ntwo\n" and server.connections == 2


def test_an_idle_connection_that_was_closed(get):
    def answer(conn, _request, number):
        if number == 1:
            conn.sendall(ok(b"one\n"))
            time.sleep(0.1)
            return None
        return ok(b"two\n")

    with serving(answer) as server:
        done = get("-v", "--limit-rate", "20", server.url, server.url)
        assert done.stdout == b"one\ntwo\n"


def test_an_upgrade_that_was_asked_for(get):
    """What follows a 101 is of another protocol, and goes out as it comes, to the end."""
    def answer(conn, _request, _number):
        conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                     b"Upgrade: echo\r\n\r\nhello \0\xff")
        time.sleep(0.1)
        conn.sendall(b" world")

    with serving(answer) as server:
        done = get("-H", "Connection: Upgrade", "-H", "Upgrade: echo", server.url)
        assert (done.returncode, done.stdout) == (0, b"hello \0\xff world"), done
        assert get(server.url).returncode == 7


def test_parallel_output_is_not_mixed(get, tmp_path):
    def answer(conn, request, _number):
        letter = request.split()[1][1:].encode()
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        for _ in range(60):
            conn.sendall(letter * 1000)
            time.sleep(0.001)
        return b""

    with serving(answer) as server:
        urls = [f"{server.url}/{c}" for c in "abcdefgh"]
        done = get("-Z", *urls)
        runs = re.findall(rb"(.)\1*", done.stdout)
        assert done.returncode == 0 and sorted(runs) == [bytes([c]) for c in b"abcdefgh"]
        assert len(done.stdout) == 480000
        outputs = [word for i in range(8) for word in ("-o", f"f{i}")]
        assert get("-Z", "--parallel-max", "3", *outputs, *urls).returncode == 0
    assert all((tmp_path / f"f{i}").read_bytes() == bytes([97 + i]) * 60000 for i in range(8))


# --- redirects and credentials ---

def redirecting(to):
    return lambda _c, request, _n: (
        f"HTTP/1.1 302 Found\r\nLocation: {to()}\r\nContent-Length: 0\r\n\r\n".encode()
        if request.startswith("GET /a") else ok(b"here"))


def test_credentials_stay_with_their_origin(get):
    with serving(lambda *_: ok(b"here")) as other:
        with serving(redirecting(lambda: other.url + "/b")) as server:
            secrets = ("-u", "me:secret", "-b", "id=7", "-H", "X-Other: stays")
            assert get("-L", *secrets, server.url + "/a").stdout == b"here"
            assert "Authorization: Basic" in server.requests[0] and "id=7" in server.requests[0]
            for word in ("Authorization", "Cookie"):
                assert word not in other.requests[0]
            assert "X-Other: stays" in other.requests[0]
            get("-L", "-H", "Authorization: mine", "-H", "Cookie: mine", server.url + "/a")
            assert "mine" in server.requests[1] and "mine" not in other.requests[1]
            get("--location-trusted", *secrets, server.url + "/a")
            assert "Authorization: Basic" in other.requests[2] and "id=7" in other.requests[2]


def test_two_locations_and_bad_ones(get):
    def answer(fields):
        return lambda *_: f"HTTP/1.1 302 Found\r\n{fields}Content-Length: 0\r\n\r\n".encode()

    for fields, words in (("Location: /a\r\nLocation: /b\r\n", b"two Location"),
                          ("Location: ftp://x/\r\n", b"neither http nor https"),
                          ("Location: file:///etc/passwd\r\n", b"neither http nor https"),
                          ("Location: http://[::1/\r\n", b"no URL"),
                          ("Location: /round\r\n", b"more than 5 redirects")):
        with serving(answer(fields)) as server:
            done = get("-L", "--max-redirs", "5", server.url)
            assert done.returncode == 7 and words in done.stderr, done.stderr
    with serving(redirecting(lambda: "/b\r\nLocation: /b")) as server:
        assert get("-L", server.url + "/a").stdout == b"here"


# --- codings ---

def test_a_bomb_is_not_let_off(get):
    compressor = subprocess.run(["sh", "-c", "head -c 300000000 /dev/zero | gzip -9"],
                                capture_output=True, check=True)
    with serving(lambda *_: ok(compressor.stdout, "Content-Encoding: gzip")) as server:
        done = get("--compressed", "-o", "/dev/null", server.url)
        assert done.returncode == 7 and b"bomb" in done.stderr
        assert get("--compressed", "--max-ratio", "0", "-o", "/dev/null",
                   server.url).returncode == 0
        assert get("--compressed", "--max-ratio", "0", "--max-filesize", "1M", "-o", "/dev/null",
                   server.url).returncode == 8


# --- what is told ---

def test_har(get, tmp_path):
    with serving(redirecting(lambda: "/b?x=1&y")) as server:
        assert get("-L", "--har", "out.har", server.url + "/a").returncode == 0
    log = json.loads((tmp_path / "out.har").read_text())["log"]
    assert log["version"] == "1.2" and log["creator"]["name"] == "hail"
    first, second = log["entries"]
    assert first["response"]["status"] == 302 and first["response"]["redirectURL"] == "/b?x=1&y"
    assert second["request"]["queryString"] == [{"name": "x", "value": "1"},
                                                {"name": "y", "value": ""}]
    assert second["response"]["content"]["text"] == "here"
    for entry in log["entries"]:
        parts = [v for k, v in entry["timings"].items() if v > 0 and k != "ssl"]
        assert sum(parts) <= entry["time"] + 0.001
        assert {"startedDateTime", "cache", "serverIPAddress"} <= entry.keys()


def test_timing_and_explain(get):
    with serving(redirecting(lambda: "/b")) as server:
        done = get("-L", "--timing", "--explain", server.url + "/a")
    text = done.stderr.decode()
    assert done.stdout == b"here"
    for word in ("connect", "first byte", "connection used again", "total", "(redirect)",
                 "RFC 9110 section 6.6.1: no Date", "leads to  /b"):
        assert word in text, text


@pytest.mark.parametrize("fields, words", [
    ("Cache-Control: no-store", "may not be kept"),
    ("Cache-Control: max-age=3600, private", "1 hour, by this client alone"),
    ("Set-Cookie: a=b; HttpOnly; Max-Age=5", "a for a time, for this host alone"),
    ("Set-Cookie: a=b; Secure", "a is refused: Secure, but it came over http"),
    ("Set-Cookie: a=b; Domain=other.example", "a is refused: its Domain is not the server's"),
    ("Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true", "browsers refuse"),
    ("Strict-Transport-Security: max-age=1", "over http has no effect"),
    ("ETag: W/\"x\"", "weak"), ("Last-Modified: yesterday", "Last-Modified is no HTTP-date"),
    ("Content-Type: a/b\r\nContent-Type: c/d", "Content-Type is there 2 times"),
])
def test_explanations(get, fields, words):
    with serving(lambda *_: ok(b"x", *fields.split("\r\n"))) as server:
        assert words in get("--explain", server.url).stderr.decode()


def test_dry_run_sends_what_it_shows(get):
    bodies = []

    def answer(_conn, request, _number):
        bodies.append(request)
        return ok(b"")

    with serving(answer) as server:
        args = ("-u", "me:pw", "-b", "a=1", "-H", "X: y", "-r", "1-2", server.url + "/p?q")
        shown = get("--dry-run", *args)
        assert not server.requests and shown.returncode == 0
        get(*args)
    assert shown.stdout.decode() == bodies[0] + "\r\n\r\n"


def test_options_from_a_file(get, tmp_path):
    (tmp_path / "opts").write_text('# a comment\nheader = "X-Own: a \\"quoted\\" word"\n-s\n'
                                   "user-agent: me\nrequest=PUT\n")
    with serving(lambda *_: ok(b"x")) as server:
        assert get("-K", "opts", server.url).stdout == b"x"
        request = server.requests[0]
        assert request.startswith("PUT ") and 'X-Own: a "quoted" word' in request
        assert "User-Agent: me\r\n" in request
        (tmp_path / "hail").mkdir()
        (tmp_path / "hail" / "get").write_text("user-agent = mine\n")
        home = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
        get(server.url, env=home)
        get("-q", server.url, env=home)
        assert "User-Agent: mine" in server.requests[1] + "\r\n"
        assert "User-Agent: hail/" in server.requests[2]
    (tmp_path / "bad").write_text("nonsense\n")
    done = get("-K", "bad", "http://127.0.0.1/")
    assert done.returncode == 2 and b"bad, line 1" in done.stderr


# --- a terminal ---

def on_terminal(hail, *args, env=None):
    child = pexpect.spawn(hail, ["get", *args], timeout=30, encoding="utf-8", dimensions=(24, 80),
                          env={**os.environ, "TERM": "xterm", **(env or {})})
    out = child.read()
    child.close()
    return child.exitstatus, out.replace("\r\n", "\n")


def test_json_is_indented_and_coloured(hail):
    body = b'{"a":[1,{"b":"\\u00e9\\"x"}],"c":{},"d":null}'
    with serving(lambda *_: ok(body, "Content-Type: application/json")) as server:
        status, out = on_terminal(hail, server.url)
        assert status == 0 and "\x1b[34;1m\"a\"\x1b[0m: [" in out
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
        assert plain.startswith("HTTP/1.1 200 OK\n") and json.loads(plain[plain.index("{"):])
        assert '{\n  "a": [\n    1,\n    {\n      "b": "\\u00e9\\"x"\n    }\n  ],' in plain
        _, out = on_terminal(hail, "--body", server.url)
        assert out == body.decode()
        _, out = on_terminal(hail, server.url, env={"NO_COLOR": "1"})
        assert "\x1b" not in out and body.decode() in out


def test_coded_content_is_refused_with_a_hint(hail):
    with serving(lambda *_: ok(b"\x1f\x8b\x08\0\0", "Content-Encoding: gzip")) as server:
        status, out = on_terminal(hail, server.url)
    assert status == 8 and "--compressed decodes it" in out


def test_progress_is_true(hail, tmp_path):
    def answer(conn, _request, _number):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n" + b"x" * 1048576)
        time.sleep(2)
        return b"x" * 2097152

    with serving(answer) as server:
        status, out = on_terminal(hail, "-o", str(tmp_path / "slow.bin"), server.url)
    assert status == 0 and " 33% [" in out and "1.0 MiB of 3.0 MiB" in out
    assert (tmp_path / "slow.bin").stat().st_size == 3145728
