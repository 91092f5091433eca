"""examples/tls-server against openssl s_client, Python's ssl, and clients that stall."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("HAIL_BUILD", ROOT / "build/release-gcc")) / "examples/tls-server"


class Server:
    """The example with a certificate by the test's authority; `idle` in seconds."""

    def __init__(self, certs, idle=60):
        self.context = ssl.create_default_context(cafile=certs.ca)
        self.child = subprocess.Popen([PROGRAM, "127.0.0.1:0", str(idle), certs.cert, certs.key],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+)$", self.child.stdout.readline())[1])

    def dial(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def client(self):
        """A connection after the handshake; an end without close_notify is an error to it."""
        return self.context.wrap_socket(self.dial(), server_hostname="localhost",
                                        suppress_ragged_eofs=False)

    def end(self):
        """Waits for the program; its exit status, and its last words."""
        out, err = self.child.communicate(timeout=30)
        return self.child.returncode, out + err

    def close(self):
        self.child.kill()
        self.child.communicate()


@pytest.fixture(name="serve")
def fixture_serve(certs):
    with contextlib.ExitStack() as stack:
        def start(**how):
            server = Server(certs, **how)
            stack.callback(server.close)
            return server
        yield start


def echoed(s, data):
    s.sendall(data)
    got = b""
    while len(got) < len(data):
        piece = s.recv(65536)
        assert piece, "the server has ended early"
        got += piece
    return got == data


def s_client(server, ca, text):
    """What comes back for a line of text, and the exit status."""
    with subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername",
             "localhost", "-CAfile", ca, "-verify_return_error", "-verify_hostname", "localhost",
             "-quiet", "-no_ign_eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True) as child:
        child.stdin.write(text)
        child.stdin.flush()
        line = child.stdout.readline()
        child.stdin.close()
        return line, child.wait(timeout=30)


def test_many_clients_beside_some_that_stall(serve, certs):
    server = serve()
    with server.dial(), server.dial() as half, server.client() as idle:
        half.sendall(b"\x16\x03\x01\x02\x00\x01")  # a record begins, and does not go on
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda i: s_client(server, certs.ca, f"hello {i}\n"), range(6)))
        assert said == [(f"hello {i}\n", 0) for i in range(6)]
        clients = [server.client() for _ in range(40)]
        assert all(echoed(s, b"%d" % i) for i, s in enumerate(clients))
        assert echoed(idle, b"still here")
        for s in clients:
            s.close()
    server.child.send_signal(signal.SIGTERM)
    status, words = server.end()
    assert status == 0 and words == "served: 47, cut off: 0\n"


def test_a_client_that_does_not_read_holds_up_itself_alone(serve):
    server = serve()
    data = os.urandom(8_000_000)
    with server.client() as slow, server.client() as other, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        sent = pool.submit(slow.sendall, data)
        assert all(echoed(other, b"meanwhile") for _ in range(20))
        got = bytearray()
        while len(got) < len(data):
            got += slow.recv(1 << 20)
        sent.result(30)
        assert got == data


def test_what_is_idle_is_told_the_end(serve):
    server = serve(idle=1)
    with server.client() as s:
        assert echoed(s, b"hello")
        assert s.recv(1) == b""  # close_notify: else this would raise
    with server.client() as s:
        assert echoed(s, b"and others are welcome")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(serve, sig):
    server = serve()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(5)]
        stack.enter_context(server.dial())  # stalls in the handshake
        assert all(echoed(s, b"hello") for s in clients)
        server.child.send_signal(sig)
        for s in clients:
            assert s.recv(1) == b""
            s.unwrap().close()
        assert server.end() == (0, "served: 5, cut off: 0\n")
        with pytest.raises(ConnectionRefusedError):
            server.dial()


def test_a_second_signal_ends_it_at_once(serve):
    server = serve()
    with server.client() as s:
        assert echoed(s, b"hello")
        server.child.send_signal(signal.SIGTERM)
        assert s.recv(1) == b""  # and does not answer with an end of its own
        server.child.send_signal(signal.SIGTERM)
        assert server.end() == (0, "served: 1, cut off: 1\n")


@pytest.mark.parametrize("args, words", [
    (["127.0.0.1:0", "1", "missing.pem", "missing.key"], "missing.pem"),
    (["127.0.0.1:nonsense"], "nonsense")])
def test_what_cannot_be_begun_is_said(args, words):
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and words in done.stderr and done.stdout == ""
