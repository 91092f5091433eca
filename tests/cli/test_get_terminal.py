"""hail get on a terminal: whatever is asked for, what a server wrote is shown and never acted on;
into a pipe the same goes byte for byte."""

import contextlib
import os
import socket
import subprocess
import threading

import pexpect
import pytest

# CSI as one code point, and an override of the direction: both may stand in a field's value
CSI, RLO = b"\xc2\x9b", b"\xe2\x80\xae"
CONTENT = b"a\033[2Jb" + CSI + b"c\r\n"
HEAD = (b"HTTP/1.1 200 O" + CSI + b"2JK\r\nContent-Type: text/a" + CSI + b"2J\r\n"
        b"X: y" + RLO + b"z\r\nServer: " + CSI + b"31m\r\nETag: \"" + CSI + b"\"\r\n"
        b"Set-Cookie: a" + CSI + b"=" + RLO + b"; Domain=" + CSI + b"\r\n"
        b"Cache-Control: max-age=" + CSI + b"\r\nVary: " + RLO + b"\r\n"
        b"Content-Disposition: attachment; filename=a" + RLO + b"\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(CONTENT))

WAYS = {
    "as it is": [], "its head": ["-i"], "the head alone": ["-I"], "verbose": ["-v"],
    "explained": ["--explain"], "the dump": ["-D", "-"], "timing": ["--timing"],
    "JSON": ["--json"], "an archive": ["--har", "-"], "the name of the file": ["-O", "-J"],
    "variables": ["-w", "%{content_type} %header{x} %{json} %{header_json}"],
}


@pytest.fixture(name="url")
def fixture_url():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as conn:
                    head = conn.recv(65536).startswith(b"HEAD")
                    conn.sendall(HEAD + (b"" if head else CONTENT))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield "http://127.0.0.1:%d/file" % listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(30)


@pytest.mark.parametrize("color", ["--color=never", "--color=always"])
@pytest.mark.parametrize("way", list(WAYS))
def test_nothing_acts_on_the_terminal(hail, tmp_path, url, way, color):
    child = pexpect.spawn(hail, ["get", color, *WAYS[way], url], timeout=30, cwd=tmp_path)
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before
    assert CSI not in shown and RLO not in shown and b"\033[2J" not in shown
    if way in ("its head", "the head alone", "verbose", "the dump", "variables"):
        assert b"\\u{009b}" in shown or b"\\u009b" in shown


def test_a_pipe_gets_every_byte(hail, tmp_path, url):
    def run(*args):
        return subprocess.run([hail, "get", "-s", *args, url], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, cwd=tmp_path, check=True).stdout

    assert run() == CONTENT
    assert run("-i") == HEAD + CONTENT
    assert run("-D", "-", "-o", os.devnull) == HEAD
    assert run("-w", "%{content_type}|%header{x}", "-o", os.devnull) == \
        b"text/a" + CSI + b"2J|y" + RLO + b"z"
