"""The examples against real peers: nginx, and Python's own socket module."""

import os
import pathlib
import re
import socket
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAIL_BUILD", ROOT / "build/release-gcc"))


def example(name):
    return str(BUILD / "examples" / name)


def code_lines(path):
    """Lines of code of main(): not blank, not a lone brace, not a comment."""
    body = path.read_text().split("int main", 1)[1].split("\n")[1:]
    return [line for line in body if line.strip() not in ("", "{", "}") and not
            line.strip().startswith(("/*", "*"))]


def test_tcp_client_is_short():
    assert len(code_lines(ROOT / "examples/tcp-client.c")) <= 12


def test_tcp_client_gets_the_page_of_nginx(nginx):
    (nginx.root / "index.html").write_bytes(os.urandom(48823))
    done = subprocess.run([example("tcp-client"), "127.0.0.1", str(nginx.port)], capture_output=True,
                          timeout=30)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert done.returncode == 0 and head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == (nginx.root / "index.html").read_bytes()


def test_tcp_client_says_why_not(free_port):
    done = subprocess.run([example("tcp-client"), "127.0.0.1", str(free_port())], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 1 and "connection refused" in done.stderr and done.stdout == ""


def test_https_client(nginx, certs):
    (nginx.root / "index.html").write_text("over TLS")
    command = [example("https-client"), "localhost", str(nginx.tls_port)]
    done = subprocess.run([*command, str(certs.ca)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.endswith("\n\nover TLS")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "certificate" in done.stderr and done.stdout == ""


class Server:
    """An example that prints the port it waits at."""

    def __init__(self, name):
        self.child = subprocess.Popen([example(name)], stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r"port (\d+)", self.child.stdout.readline()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(timeout=30)
        self.child.stdout.close()


@pytest.mark.parametrize("size", [1, 5, 200_000])
def test_tcp_server_echoes(size):
    data = os.urandom(size)
    with Server("tcp-server") as server:
        for _ in range(2):  # one connection after another
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
                got = b""
                for at in range(0, size, 4096):
                    piece = data[at:at + 4096]
                    s.sendall(piece)
                    while len(got) < at + len(piece):
                        got += s.recv(65536)
                s.shutdown(socket.SHUT_WR)
                assert s.recv(1) == b"" and got == data


def test_udp_server_and_python_client():
    with Server("udp-server") as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        for message in (b"hello", b"", b"\0" * 8000):
            s.sendto(message, ("127.0.0.1", server.port))
            assert s.recv(65536) == message


def test_udp_client_and_python_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(30)
        child = subprocess.Popen([example("udp-client"), "127.0.0.1", str(s.getsockname()[1]), "ping"],
                                 stdout=subprocess.PIPE, text=True)
        message, peer = s.recvfrom(100)
        s.sendto(b"pong", peer)
        assert child.communicate(timeout=30)[0] == "pong\n" and child.returncode == 0
        assert message == b"ping"


def test_udp_client_is_refused(free_port):
    done = subprocess.run([example("udp-client"), "127.0.0.1", str(free_port())], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 1 and "refused" in done.stderr


def test_connections():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run([example("connections"), f"state listening and sport = :{port}"],
                              capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"LISTEN 127\.0\.0\.1:{port} \S+ {os.getpid()}\n", done.stdout)
    done = subprocess.run([example("connections"), "sport ="], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 1 and "at its end" in done.stderr
