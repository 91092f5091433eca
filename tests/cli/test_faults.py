"""Bad input and faults of hail get and hail lookup: each ends with one clear line, the right exit
status and what had arrived. The peers are Python's sockets, and namespaces without a way out."""

import contextlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pexpect
import pytest

import dns_peers

USAGE, NAME, CONNECT, TIMEOUT, PROTO, LOCAL = 2, 3, 4, 5, 7, 8
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
WAIT = 30  # seconds until a test gives up


@contextlib.contextmanager
def peer(talk, ask=True):
    """A server at 127.0.0.1: `talk(conn)` for each connection, after its request if `ask`."""

    def serve():
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            conn.settimeout(WAIT)
            with conn, contextlib.suppress(OSError):
                got = b""
                while ask and b"\r\n\r\n" not in got:
                    piece = conn.recv(65536)
                    if not piece:
                        break
                    got += piece
                talk(conn)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield "127.0.0.1:%d" % listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(WAIT)


def says(*pieces):
    return lambda conn: [conn.sendall(piece) for piece in pieces]


def reset(conn):
    """Ends a connection by RST: SO_LINGER of zero, tcp(7)."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def run(hail, *args, **more):
    return subprocess.run([hail, *args], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=WAIT, check=False, **{"stdout": subprocess.PIPE, **more})


def failed(result, status, *words):
    """One line of what went wrong, at most one of advice; no byte that a terminal obeys."""
    text = result.stderr.decode()
    assert result.returncode == status, result
    lines = text.splitlines()
    assert lines[0].startswith("hail: ") and len(lines) in (1, 2), text
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(c.isprintable() or c == "\n" for c in text), text
    for word in words:
        assert word in text
    return result


# --- what was asked for is malformed ---


@pytest.mark.parametrize("args, word", [
    (["get", ""], ""),
    (["get", "http://"], "http://"),
    (["get", "http://127.0.0.1:65536/"], "65536"),
    (["get", "http://127.0.0.1:99999999999999999999/"], "port"),
    (["get", "http://127.0.0.1:-1/"], "port"),
    (["get", "http://127.0.0.1:8a/"], "port"),
    (["get", "gopher://127.0.0.1/"], "gopher"),
    (["get", "http://[::1/"], "]"),
    (["get", "http://[::g]/"], "::g"),
    (["get", "http://127.0.0.1 /"], "column"),
    (["get", "http://a\x1b[31mb/"], "\\e[31m"),
    (["get", "http://" + "a" * 300 + "/"], ""),
    (["get", "-H", "no colon", "http://127.0.0.1/"], "-H"),
    (["get", "-H", "A: b\r\nC: d", "http://127.0.0.1/"], "-H"),
    (["get", "-H", "Content-Length: 4", "http://127.0.0.1/"], "has no content"),
    (["get", "--timeout", "0", "http://127.0.0.1/"], "--timeout"),
    (["get", "--nosuch", "http://127.0.0.1/"], "--nosuch"),
    (["lookup"], "a host is missing"),
    (["lookup", ""], ""),
    (["lookup", "-t", "NOSUCH", "localhost"], "NOSUCH"),
    (["lookup", "localhost", "@127.0.0.1:65536"], "65536"),
    (["lookup", "-x", "not-an-address"], "not-an-address"),
])
def test_malformed(hail, args, word):
    assert failed(run(hail, *args), USAGE, word).stdout == b""


def test_a_host_that_is_no_name(hail):
    failed(run(hail, "get", "http://a\u202eb/"), NAME, "a\\u{202e}b", "internationalized")


# --- names ---


@pytest.mark.parametrize("rcode", [2, 3, 5])
def test_no_such_name(hail, rcode):
    with dns_peers.Server(lambda query: query.reply(rcode=rcode)) as server:
        failed(run(hail, "lookup", "nothing.example", "@" + server.server), NAME,
               "nothing.example")


def test_silent_name_server(hail):
    with dns_peers.Server(lambda query: None) as server:
        begin = time.monotonic()
        failed(run(hail, "lookup", "--timeout", "0.3", "web.example", "@" + server.server),
               TIMEOUT, "web.example")
        assert 0.3 <= time.monotonic() - begin < 3


# --- a namespace of its own: lo, a net where nobody answers, and a name server if wanted ---

INSIDE = """
import os, socket, subprocess, sys
wish, hail = sys.argv[1], sys.argv[2:]
def ip(*words):
    subprocess.run(["ip", *words], check=True)
ip("link", "set", "lo", "up")
if wish == "silent":  # a socket that hail inherits, and nobody reads
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))
    os.set_inheritable(s.fileno(), True)
with open(os.environ["RESOLV"], "w") as f:
    f.write("nameserver 127.0.0.1\\n")
subprocess.run(["mount", "--bind", os.environ["RESOLV"], "/etc/resolv.conf"], check=True)
os.execv(hail[0], hail)
"""


@pytest.fixture(name="inside")
def fixture_inside(hail, tmp_path):
    """Starts hail in namespaces of its own for net and mounts."""
    command = ["unshare", "-n", "-m"] + ([] if os.geteuid() == 0 else ["-r"])
    if subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True,
                      check=False).returncode:
        pytest.skip("namespaces are not allowed here")

    def start(wish, *args):
        return subprocess.Popen(
            [*command, sys.executable, "-c", INSIDE, wish, os.path.abspath(hail), *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "RESOLV": str(tmp_path / "resolv.conf")})

    return start


def ended(process):
    out, err = process.communicate(timeout=WAIT)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_unreachable(inside):
    failed(ended(inside("", "get", "http://192.0.2.7/")), CONNECT, "192.0.2.7",
           "network is unreachable")


def test_no_name_server(inside):
    failed(ended(inside("", "get", "http://web.example/")), NAME, "web.example")


def deadline_held(result, word):
    seconds = json.loads(failed(result, TIMEOUT, word).stdout)["total"]
    assert 0.3 <= seconds < 1.3


def test_deadline_while_resolving(inside):
    deadline_held(ended(inside("silent", "get", "--json", "--timeout", "0.3",
                               "http://web.example/")), "web.example")


# --- connections ---


@contextlib.contextmanager
def full_queue():
    """An address whose queue of connections is full, so that the kernel drops every SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield "127.0.0.1:%d" % listener.getsockname()[1]


def test_deadline_while_connecting(hail):
    with full_queue() as at:
        deadline_held(run(hail, "get", "--json", "--timeout", "0.3", f"http://{at}/"), at)


def test_refused(hail, free_port):
    port = free_port()
    failed(run(hail, "get", f"http://127.0.0.1:{port}/"), CONNECT, f"127.0.0.1:{port}",
           "connection refused")


def test_reset_after_the_request(hail):
    with peer(reset) as at:
        assert failed(run(hail, "get", f"http://{at}/"), PROTO, at, "reset").stdout == b""


def test_reset_at_once(hail):
    """Before or after hail saw that it is connected: which, the scheduler decides."""
    with peer(reset, ask=False) as at:
        result = run(hail, "get", f"http://{at}/")
    failed(result, CONNECT if result.returncode == CONNECT else PROTO, at)
    assert result.stdout == b""


@pytest.mark.parametrize("ask", [True, False])
def test_data_before_a_reset_arrives(hail, ask):
    def talk(conn):
        conn.sendall(HEAD + b"x" * 50)
        reset(conn)

    with peer(talk, ask) as at:
        assert failed(run(hail, "get", f"http://{at}/"), PROTO, at).stdout == b"x" * 50


@pytest.mark.parametrize("said, arrived, words", [
    (b"", b"", "without an answer"),
    (b"HTTP/1.1 200 O", b"", "14 bytes of the head"),
    (HEAD + b"half", b"half", "4 of 100 bytes"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"hello",
     "before the last chunk"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", b"hello",
     "after 5 bytes"),
    (b"\x1b]0;owned\x07 200 OK\r\n\r\n", b"", "at byte 0"),
])
def test_short_and_malformed(hail, said, arrived, words):
    with peer(says(said)) as at:
        assert failed(run(hail, "get", f"http://{at}/"), PROTO, at, words).stdout == arrived


@pytest.mark.parametrize("scheme, said", [
    ("https", b""), ("http", b""), ("http", b"HTTP/1.1 200 OK\r\n"), ("http", HEAD + b"half")])
def test_deadline_on_a_connection(hail, scheme, said):
    """A server that stops talking: in the TLS handshake, before the head, in it, in the body."""
    stop = threading.Event()

    def talk(conn):
        conn.sendall(said)
        stop.wait(WAIT)

    with peer(talk, ask=scheme == "http") as at:
        begin = time.monotonic()
        result = run(hail, "get", "--timeout", "0.3", f"{scheme}://{at}/")
        took = time.monotonic() - begin
        stop.set()
    failed(result, TIMEOUT, at, "timed out")
    assert result.stdout == said[len(HEAD):]
    assert 0.3 <= took < 3


# --- this machine ---


@pytest.mark.parametrize("command", [["get"], ["lookup", "localhost"], ["ports", "http"]])
@pytest.mark.parametrize("fault", ["full", "closed", "gone"])
def test_standard_output(hail, nginx, command, fault):
    nginx.file("index.html", b"page\n" * 20000)
    if command == ["get"]:
        command = ["get", nginx.url + "/index.html"]
    if fault == "full":
        with open("/dev/full", "wb") as out:
            result = run(hail, *command, stdout=out)
        words = "no space left"
    elif fault == "closed":
        result = run(hail, *command, stdout=None, preexec_fn=lambda: os.close(1))
        words = "bad file descriptor"
    else:
        reading, writing = os.pipe()
        os.close(reading)
        result = run(hail, *command, stdout=writing)
        os.close(writing)
        words = "broken pipe"
    failed(result, LOCAL, "standard output", words)


@pytest.mark.parametrize("most", [4, 5, 6])  # a sanitizer's libraries need one to be loaded
def test_out_of_descriptors(hail, most):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    with peer(says(HEAD + b"y" * 100)) as at:
        result = run(hail, "get", f"http://{at}/", preexec_fn=limit,
                     env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    if result.returncode == 0:
        assert most > 4 and result.stdout == b"y" * 100
    else:
        failed(result, LOCAL, "too many open files")


# --- SIGINT ---


def interrupted(process, ready):
    """Sends SIGINT when `ready()`; gives what had been written."""
    end = time.monotonic() + WAIT
    while not ready():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT)
    assert process.returncode == -signal.SIGINT, (process.returncode, out, err)
    assert err == b""
    return out


def table_has(process, name, test):
    """Whether a row of /proc/PID/net/NAME passes the test (proc(5))."""
    with open(f"/proc/{process.pid}/net/{name}", encoding="ascii") as f:
        return any(test(line.split()) for line in f.readlines()[1:])


def test_interrupt_while_resolving(inside):
    process = inside("silent", "get", "http://web.example/")
    interrupted(process, lambda: table_has(
        process, "udp", lambda row: row[1].endswith(":0035") and row[4][9:] != "00000000"))


def test_interrupt_while_connecting(hail):
    with full_queue() as at:
        tail = ":%04X" % int(at.split(":")[1])
        process = subprocess.Popen([hail, "get", f"http://{at}/"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def inodes():
            folder, found = f"/proc/{process.pid}/fd", set()
            for fd in os.listdir(folder):
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    found.add(os.stat(f"{folder}/{fd}").st_ino)
            return found

        interrupted(process, lambda: table_has(
            process, "tcp", lambda row: row[2].endswith(tail) and row[3] == "02"
            and int(row[9]) in inodes()))


@pytest.mark.parametrize("scheme, said", [("https", b""), ("http", b""), ("http", HEAD + b"half")])
def test_interrupt_on_a_connection(hail, tmp_path, scheme, said):
    """In the TLS handshake, waiting for the head, in the middle of the body."""
    asked, stop = threading.Event(), threading.Event()
    content = tmp_path / "content"

    def talk(conn):
        if scheme == "https":
            conn.recv(1)
        conn.sendall(said)
        asked.set()
        stop.wait(WAIT)

    with peer(talk, ask=scheme == "http") as at, open(content, "wb") as out:
        process = subprocess.Popen([hail, "get", f"{scheme}://{at}/"], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.PIPE)
        interrupted(process, lambda: asked.is_set()
                    and content.stat().st_size == len(said[len(HEAD):]))
        stop.set()
    assert content.read_bytes() == said[len(HEAD):]


# --- bytes that a terminal would obey ---

HOSTILE = ("\x1b]0;owned\x07\x1b[2Jred \x9b31m \u202eright \u2066to\u2069 \x08\x7f\n".encode()
           + b"\x9b1m \xff\xfe\r\nend\n")
HOSTILE_HEAD = (b"HTTP/1.1 200 O\xc2\x9bK\r\nX-Evil: \xe2\x80\xae\xc2\x9b31m\xff\r\n"
                b"Content-Length: %d\r\n\r\n" % len(HOSTILE))


def test_a_pipe_gets_exact_bytes(hail):
    with peer(says(HOSTILE_HEAD + HOSTILE)) as at:
        assert run(hail, "get", f"http://{at}/").stdout == HOSTILE
        assert run(hail, "get", "-i", f"http://{at}/").stdout == HOSTILE_HEAD + HOSTILE


@pytest.mark.parametrize("options", [[], ["-i"], ["-I"], ["--trace"], ["-f"]])
def test_a_terminal_gets_nothing_to_obey(hail, options):
    head = HOSTILE_HEAD.replace(b"200", b"404") if options == ["-f"] else HOSTILE_HEAD
    with peer(says(head + (b"" if options == ["-I"] else HOSTILE))) as at:
        child = pexpect.spawn(hail, ["get", "--color=never", *options, f"http://{at}/"],
                              timeout=WAIT, dimensions=(24, 80))
        shown = child.read()
        child.close()
    text = shown.decode()  # and it is UTF-8
    assert text.strip()
    bad = [c for c in text if not c.isprintable() and c not in "\r\n"]
    assert not bad, text


def test_trace_of_hostile_bytes(hail, tmp_path):
    """Every line is a JSON document, and the bytes are all there."""
    trace = tmp_path / "t.jsonl"
    with peer(says(HOSTILE_HEAD + HOSTILE)) as at:
        assert run(hail, "get", f"--trace={trace}", f"http://{at}/").stdout == HOSTILE
    events = [json.loads(line) for line in trace.read_text("utf-8").splitlines()]
    assert {e["schema"] for e in events} == {"hail.trace/1"}
    begun = {e["span"] for e in events if e["event"] == "start"}
    assert begun == {e["span"] for e in events if e["event"] == "done"}
    assert all(e.get("parent", 0) in begun | {0} for e in events)
    assert sum(e["bytes"] for e in events if e["event"] == "in") == len(HOSTILE_HEAD + HOSTILE)
