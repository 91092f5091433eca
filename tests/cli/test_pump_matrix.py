"""hail nc's pump, who closes first and how, over what, from and to what: every byte that was sent
before arrives, by its checksum. The peers are Python's sockets."""

import contextlib
import hashlib
import os
import random
import select
import signal
import socket
import ssl
import struct
import subprocess
import termios
import threading
import time
import tty
from fcntl import ioctl

import pytest

TRANSPORTS = ["plain", "tls", "unix"]
LOCALS = ["pipe", "file", "terminal"]
SIOCOUTQ = 0x5411


def text(n, seed):
    """Lines of printable characters, so that a terminal passes them as they are."""
    line = random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz0123456789 ", k=79)
    data = b"".join(b"%07d %s\n" % (i, "".join(line).encode()) for i in range(n // 88 + 1))
    return data[:n - 1] + b"\n"


def binary(n, seed):
    return random.Random(seed).randbytes(n)


def same(got, want):
    """By checksum, with the lengths where they differ."""
    assert (len(got), hashlib.sha256(got).hexdigest()) == \
        (len(want), hashlib.sha256(want).hexdigest())


class Conn:
    """One end of a connection, plain or under TLS, that can be half closed, closed, reset."""

    def __init__(self, sock, context=None):
        self.sock = sock
        sock.settimeout(30)
        self.tls, self.ahead = None, b""
        if context:
            self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self.into, self.out, server_side=True)
            self._do(self.tls.do_handshake)

    def _do(self, step, *args):
        while True:
            try:
                result = step(*args)
                break
            except ssl.SSLWantReadError:
                self._flush()
                piece = self.sock.recv(65536)
                if piece:
                    self.into.write(piece)
                else:
                    self.into.write_eof()
        self._flush()
        return result

    def _flush(self):
        if self.out.pending:
            self.sock.sendall(self.out.read())

    def recv(self, n=65536):
        """b"" at the end; under TLS only a close_notify is one."""
        if not self.tls:
            return self.sock.recv(n)
        if self.ahead:
            piece, self.ahead = self.ahead[:n], self.ahead[n:]
            return piece
        try:
            return self._do(self.tls.read, n)
        except ssl.SSLZeroReturnError:
            return b""

    def read(self, n=None):
        """n bytes, or all until the end."""
        got = []
        while n is None or n > 0:
            piece = self.recv(65536 if n is None else min(n, 65536))
            if not piece:
                break
            got.append(piece)
            n = None if n is None else n - len(piece)
        return b"".join(got)

    def sendall(self, data):
        if not self.tls:
            self.sock.sendall(data)
            return
        for i in range(0, len(data), 16384):
            self._do(self.tls.write, data[i:i + 16384])

    def half_close(self):
        if self.tls:
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                while piece := self.tls.read(65536):  # unwrap() takes what has come for a fault
                    self.ahead += piece
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLSyscallError):
                self.tls.unwrap()
            self._flush()
        else:
            self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        if self.tls:
            self.half_close()
        self.sock.close()

    def delivered(self):
        """Waits until the other system has all that was sent."""
        end = time.monotonic() + 20
        while struct.unpack("i", ioctl(self.sock, SIOCOUTQ, b"\0" * 4))[0]:
            assert time.monotonic() < end
            time.sleep(0.005)

    def reset(self):
        """RST; a Unix socket says the same when something is left unread."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Peer:
    """Listens for one connection, and does behave(conn) with it in a thread."""

    def __init__(self, transport, certs, tmp_path, behave):
        self.transport, self.certs = transport, certs
        self.context = None
        if transport == "unix":
            self.path = str(tmp_path / "s")
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.path)
            self.listener.listen()
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
        if transport == "tls":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certs.cert, certs.key)
        self.error = None
        self.thread = threading.Thread(target=self._serve, args=(behave,), daemon=True)
        self.thread.start()

    def _serve(self, behave):
        try:
            sock, _ = self.listener.accept()
            with sock:
                behave(Conn(sock, self.context))
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def words(self):
        if self.transport == "unix":
            return ["-U", self.path]
        port = str(self.listener.getsockname()[1])
        if self.transport == "tls":
            return ["--tls", f"--ca={self.certs.ca}", "127.0.0.1", port]
        return ["127.0.0.1", port]

    def over(self):
        self.thread.join(40)
        assert not self.thread.is_alive()
        self.listener.close()
        if self.error:
            raise self.error


class Nc:
    """hail nc with its input and output on pipes, files or a terminal. The input is `data`, which
    begins when `go` is set; a file has it at once."""

    def __init__(self, hail, words, local, tmp_path, data, go):
        self.local, self.tmp_path, self.data, self.go = local, tmp_path, data, go
        self.got = b""
        getattr(self, "_" + local)([hail, "nc", *words])

    def _start(self, args, **kw):
        self.process = subprocess.Popen(args, stderr=subprocess.PIPE, **kw)
        self.threads = []

    def _thread(self, act, *args):
        self.threads.append(threading.Thread(target=act, args=args, daemon=True))
        self.threads[-1].start()

    def _pipe(self, args):
        self._start(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._thread(self._feed_pipe)
        self._thread(self._collect, self.process.stdout.fileno())

    def _file(self, args):
        (self.tmp_path / "in").write_bytes(self.data)
        with open(self.tmp_path / "in", "rb") as i, open(self.tmp_path / "out", "wb") as o:
            self._start(args, stdin=i, stdout=o)

    def _terminal(self, args):
        """Line by line, as typed, with ^D at the end; nothing is echoed or changed."""
        self.master, slave = os.openpty()
        mode = termios.tcgetattr(slave)
        mode[tty.IFLAG] &= ~(termios.ICRNL | termios.IXON)
        mode[tty.OFLAG] &= ~termios.OPOST
        mode[tty.LFLAG] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        self._start(args, stdin=slave, stdout=slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        self._thread(self._feed_terminal)
        self._thread(self._collect, self.master)

    def _feed_pipe(self):
        self.go.wait(30)
        with contextlib.suppress(BrokenPipeError), self.process.stdin as i:
            i.write(self.data)

    def _feed_terminal(self):
        self.go.wait(30)
        for line in [*self.data.splitlines(keepends=True), b"\x04"]:
            while line and self.process.poll() is None:
                try:
                    line = line[os.write(self.master, line):]
                except BlockingIOError:
                    time.sleep(0.002)

    def _collect(self, fd):
        pieces = []
        with contextlib.suppress(OSError):  # a terminal whose other end is closed
            while select.select([fd], [], []) and (piece := os.read(fd, 65536)):
                pieces.append(piece)
        self.got = b"".join(pieces)

    def over(self):
        """Its status, and all that came out."""
        status = self.process.wait(timeout=40)
        for t in self.threads:
            t.join(40)
        self.error = self.process.stderr.read()
        self.process.stderr.close()
        if self.local == "file":
            self.got = (self.tmp_path / "out").read_bytes()
        elif self.local == "pipe":
            self.process.stdout.close()
        else:
            os.close(self.master)
        return status, self.got


def loads(local):
    """What goes up, and what comes down; more than all buffers hold, but for a terminal."""
    if local == "terminal":
        return text(30000, 1), text(200000, 2)
    return binary(3 << 20, 1), binary(3 << 20, 2)


@pytest.fixture(name="talk")
def fixture_talk(hail, certs, tmp_path):
    """Holds one conversation: what hail nc ended with, and put out."""
    def talk(transport, local, behave, up, *options, go=None, act=None):
        peer = Peer(transport, certs, tmp_path, behave)
        if go is None:
            go = threading.Event()
            go.set()  # the input waits for nothing
        nc = Nc(hail, [*options, *peer.words()], local, tmp_path, up, go)
        try:
            if act:
                act(nc.process)
            result = nc.over()
            peer.over()
        finally:
            go.set()
            nc.process.kill()
        return result
    return talk


@pytest.mark.parametrize("local", LOCALS)
@pytest.mark.parametrize("transport", TRANSPORTS)
class TestMatrix:
    """{who closes first} x {how} x {over what} x {from and to what}."""

    def test_we_half_close(self, talk, transport, local):
        """The answer to all of the input comes after its end."""
        up, down = loads(local)
        got = []

        def behave(conn):
            got.append(conn.read())
            conn.sendall(down)
            conn.close()
        status, out = talk(transport, local, behave, up, "-N")
        same(got[0], up)
        same(out, down)
        assert status == 0

    def test_we_close(self, talk, transport, local):
        """-q 0: the end of the input is the end of all; what was read still arrives."""
        up, _ = loads(local)
        got = []

        def behave(conn):
            time.sleep(0.2)  # so that more waits than one write takes
            got.append(conn.read(len(up)))
        status, out = talk(transport, local, behave, up, "-q", "0")
        same(got[0], up)
        assert (status, out) == (0, b"")

    def test_we_are_killed(self, talk, transport, local):
        """What arrives then is the front of what was sent."""
        up, _ = loads(local)
        got = []
        some = threading.Event()

        def behave(conn):
            got.append(conn.read(1000))
            some.set()
            with contextlib.suppress(OSError):
                got.append(conn.read())

        def kill(process):
            assert some.wait(30)
            process.send_signal(signal.SIGTERM)
        status, _ = talk(transport, local, behave, up, act=kill)
        assert status in (-signal.SIGTERM, 0)  # 0: it was done already
        front = b"".join(got)
        assert len(front) >= 1000
        same(front, up[:len(front)])

    def test_the_peer_half_closes(self, talk, transport, local):
        """The input goes on after the peer's end, and all of it arrives."""
        up, down = loads(local)
        got = []
        go = threading.Event()

        def behave(conn):
            conn.sendall(down)
            conn.half_close()
            go.set()
            got.append(conn.read())  # to the end: closing ahead of it would be a reset
        status, out = talk(transport, local, behave, up, "-N", go=go)
        same(out, down)
        same(got[0], up)
        assert status == 0

    def test_the_peer_closes(self, talk, transport, local):
        up, down = loads(local)
        got = []

        def behave(conn):
            got.append(conn.read(len(up)))
            conn.sendall(down)
            conn.close()
        status, out = talk(transport, local, behave, up)
        same(got[0], up)
        same(out, down)
        assert status == 0

    def test_the_peer_resets(self, talk, transport, local):
        """What was queued ahead of the reset arrives: the program stands still until both are."""
        up, down = loads(local)
        down = down[:60000]
        got, ready, sent = [], threading.Event(), threading.Event()

        def behave(conn):
            got.append(conn.read(len(up) - 1))
            if transport == "unix":
                conn.sock.recv(1, socket.MSG_PEEK)  # it has come, and stays unread
            ready.set()
            assert sent.wait(30)
            conn.sendall(down)
            if transport != "unix":
                conn.delivered()
            conn.reset()
            sent.clear()
            ready.set()

        def stand_still(process):
            assert ready.wait(30)
            time.sleep(0.1)
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            ready.clear()
            sent.set()
            assert ready.wait(30)
            process.send_signal(signal.SIGCONT)
        _, out = talk(transport, local, behave, up, act=stand_still)
        same(got[0], up[:-1])
        same(out, down)


# --- beside the matrix ---

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_input_does_not_end_the_output(hail, certs, tmp_path, transport):
    down = binary(3 << 20, 3)

    def behave(conn):
        conn.sendall(down[:10])
        time.sleep(0.3)
        conn.sendall(down[10:])
        conn.close()
    peer = Peer(transport, certs, tmp_path, behave)
    done = subprocess.run([hail, "nc", *peer.words()], stdin=subprocess.DEVNULL, timeout=60,
                          capture_output=True, check=False)
    peer.over()
    same(done.stdout, down)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_dead_output_ends_it(hail, certs, tmp_path, transport):
    """... when the input has ended as well, as with netcat; with a status of its own."""
    def behave(conn):
        with contextlib.suppress(OSError):
            while True:
                conn.sendall(b"x" * 65536)
    peer = Peer(transport, certs, tmp_path, behave)
    child = subprocess.Popen([hail, "nc", *peer.words()], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.read(100000) == b"x" * 100000
    child.stdout.close()
    child.stdin.close()
    assert child.wait(timeout=40) == 8
    err = child.stderr.read()
    assert b"standard output" in err and b"roken pipe" in err and err.count(b"\n") <= 2
    child.stderr.close()
    peer.over()


def resident(pid):
    """Bytes of memory that a process has."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(x for x in f if x.startswith("VmRSS")).split()[1]) << 10


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_slow_reader_slows_the_peer_and_nothing_else(hail, certs, tmp_path, transport):
    """The output stands still: the peer's sending does too, the input goes on; then all arrives."""
    up, down = binary(3 << 20, 4), binary(30 << 20, 5)
    got = []
    connected, taken = threading.Event(), threading.Event()

    def behave(conn):
        connected.set()
        sender = threading.Thread(target=conn.sendall, args=(down,), daemon=True)
        if transport == "tls":  # one SSL object is one thread's
            got.append(conn.read(len(up)))
            taken.set()
            conn.sendall(down)
        else:
            sender.start()
            got.append(conn.read(len(up)))
            taken.set()
            sender.join(40)
        conn.close()
    peer = Peer(transport, certs, tmp_path, behave)
    child = subprocess.Popen([hail, "nc", *peer.words()], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    assert connected.wait(40)
    before = resident(child.pid)
    with child.stdin as i:
        i.write(up)
    assert taken.wait(40)  # though nobody has read the output
    time.sleep(0.3)
    assert resident(child.pid) - before < 12 << 20
    out = child.stdout.read()
    child.stdout.close()
    same(got[0], up)
    same(out, down)
    assert child.wait(timeout=40) == 0
    peer.over()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_peer_that_does_not_read_still_is_heard(hail, certs, tmp_path, transport):
    """The input stands still, and the output does not."""
    up, down = binary(30 << 20, 6), binary(3 << 20, 7)
    heard, got = threading.Event(), []

    def behave(conn):
        conn.sendall(down)
        assert heard.wait(40)
        got.append(conn.read())
        conn.close()
    peer = Peer(transport, certs, tmp_path, behave)
    child = subprocess.Popen([hail, "nc", "-N", *peer.words()], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)

    def feed():
        with child.stdin as i:
            i.write(up)
    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    out = b""
    while len(out) < len(down):
        assert select.select([child.stdout], [], [], 40)[0]
        out += os.read(child.stdout.fileno(), 65536)
    assert feeder.is_alive()  # it stands still
    heard.set()
    feeder.join(40)
    assert child.stdout.read() == b""
    child.stdout.close()
    assert child.wait(timeout=40) == 0
    peer.over()
    same(out, down)
    same(got[0], up)


def test_a_peer_of_single_bytes(hail, certs, tmp_path):
    data = binary(3000, 8)

    def behave(conn):
        conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            conn.sendall(data[i:i + 1])
        conn.close()
    peer = Peer("tls", certs, tmp_path, behave)
    done = subprocess.run([hail, "nc", *peer.words()], stdin=subprocess.DEVNULL, timeout=60,
                          capture_output=True, check=False)
    peer.over()
    assert (done.returncode, done.stderr) == (0, b"")
    same(done.stdout, data)


def test_an_end_without_close_notify_is_told(hail, certs, tmp_path):
    """... and all that came before it has come out."""
    down = binary(1 << 20, 9)

    def behave(conn):
        conn.sendall(down)
        conn.sock.close()
    peer = Peer("tls", certs, tmp_path, behave)
    done = subprocess.run([hail, "nc", *peer.words()], stdin=subprocess.DEVNULL, timeout=60,
                          capture_output=True, check=False)
    peer.over()
    same(done.stdout, down)
    assert done.returncode == 7 and b"close_notify" in done.stderr
