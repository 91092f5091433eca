"""`hail nc` through proxies: real ones of every kind, netcat's words for refusals, and proxies that lie."""
import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

NETCAT = shutil.which("nc.openbsd")


@contextlib.contextmanager
def running(command, port, **more):
    """A server, from when it listens until it is ended."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **more) as server:
        try:
            for _ in range(500):
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None, "the proxy has ended"
                time.sleep(0.02)
            yield
        finally:
            server.terminate()
            server.wait(10)


@pytest.fixture(name="echo", scope="module")
def fixture_echo():
    """A server that speaks first, then sends back what it hears until it hears "quit"; its port.

    It is the one that closes: not every proxy passes a half-close on.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(c):
        with c:
            c.sendall(b"hello first\n")
            last = b""
            while not last.endswith(b"quit\n") and (data := c.recv(65536)):
                c.sendall(data)
                last = (last + data)[-5:]

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def nc(hail, *args, stdin=b"", timeout=20):
    return subprocess.run([hail, "nc", *map(str, args)], input=stdin, capture_output=True,
                          timeout=timeout, check=False)


DATA = os.urandom(200000) + b"quit\n"


def check(hail, echo, *options, host="127.0.0.1"):
    done = nc(hail, *options, host, echo, stdin=DATA)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"hello first\n" + DATA


def need(program):
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip(f"{program} is not installed")


TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 30
MaxClients 20
{auth}
"""


@pytest.mark.peers
@pytest.mark.parametrize("auth", ["", "BasicAuth me secret"])
def test_connect_by_tinyproxy(hail, echo, free_port, tmp_path, auth):
    need("tinyproxy")
    port = free_port()
    conf = tmp_path / "tinyproxy.conf"
    conf.write_text(TINYPROXY.format(port=port, auth=auth))
    with running(["tinyproxy", "-d", "-c", conf], port):
        if not auth:
            check(hail, echo, "-X", "connect", "-x", f"127.0.0.1:{port}")
            check(hail, echo, "--proxy", f"http://127.0.0.1:{port}", host="localhost")
            done = nc(hail, "-X", "connect", "-x", f"127.0.0.1:{port}", "127.0.0.1", free_port())
            assert done.returncode == 1 and done.stderr.startswith(b"nc: Proxy error: \"HTTP/1."), done
            return
        check(hail, echo, "--proxy", f"http://me:secret@127.0.0.1:{port}")
        done = nc(hail, "--proxy", f"http://me:wrong@127.0.0.1:{port}", "127.0.0.1", echo)
        assert done.returncode == 4 and b"it refused user and password" in done.stderr
        assert b"wrong" not in done.stderr
        done = nc(hail, "--proxy", f"http://127.0.0.1:{port}", "127.0.0.1", echo)
        assert done.returncode == 4 and b"wants user and password" in done.stderr


DANTE = """
logoutput: {dir}/log
internal: 127.0.0.1 port = {port}
external: lo
clientmethod: none
socksmethod: none
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 127.0.0.1/32 port = {blocked} }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 protocol: tcp }}
"""


@pytest.mark.peers
def test_socks_by_dante(hail, echo, free_port, tmp_path):
    need("danted")
    if os.geteuid() != 0:
        pytest.skip("danted wants to become another user")
    port, blocked = free_port(), free_port()
    conf = tmp_path / "danted.conf"
    conf.write_text(DANTE.format(dir=tmp_path, port=port, blocked=blocked))
    tmp_path.chmod(0o755)
    with running(["/usr/sbin/danted", "-f", str(conf)], port):
        check(hail, echo, "-x", f"127.0.0.1:{port}")
        check(hail, echo, "-X", "4", "-x", f"127.0.0.1:{port}")
        for scheme in ("socks4", "socks4a", "socks5", "socks5h"):
            check(hail, echo, "--proxy", f"{scheme}://127.0.0.1:{port}")
        for refused, words in ((free_port(), b"Connection refused"),
                               (blocked, b"Connection not allowed by ruleset")):
            done = nc(hail, "-x", f"127.0.0.1:{port}", "127.0.0.1", refused)
            assert done.returncode == 1
            assert done.stderr == b"nc: connection failed, SOCKSv5 error: " + words + b"\n"
        done = nc(hail, "--proxy", f"socks5://127.0.0.1:{port}", "127.0.0.1", blocked)
        assert done.returncode == 4 and b"not allowed by ruleset (reply 2)" in done.stderr


@pytest.mark.peers
def test_connect_by_ncat(hail, echo, free_port):
    need("ncat")
    port = free_port()
    with running(["ncat", "-lk", "127.0.0.1", str(port), "--proxy-type", "http"], port):
        check(hail, echo, "--proxy", f"http://127.0.0.1:{port}")


# --- proxies that lie ---


@contextlib.contextmanager
def liar(script):
    """Answers each connection by the script: a number of bytes to hear, or bytes to say."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard = []

    def talk(c):
        got = b""
        with c, contextlib.suppress(OSError):
            c.settimeout(5)
            for step in script:
                if isinstance(step, bytes):
                    c.sendall(step)
                    continue
                while len(got) < step or (step < 0 and b"\r\n\r\n" not in got):
                    more = c.recv(4096)
                    if not more:
                        break
                    got += more
            heard.append(got)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        listener.close()


HEAD = -1
ANSWERS = [
    ("connect", [HEAD, b"HTTP/1.0 200 OK\r\n\r\nhello"]),
    ("connect", [HEAD, b"HTTP/1.1 200 Connection established\r\nA: b\r\n\r\nhello"]),
    ("connect", [HEAD, b"HTTP/1.1 403 Forbidden\r\n\r\nno"]),
    ("connect", [HEAD, b"HTTP/1.1 407 Auth\r\n\r\n"]),
    ("connect", [HEAD, b"garbage\r\n"]),
    ("5", [3, b"\5\0", 13, b"\5\0\0\1\x7f\0\0\1\0\x50hello"]),
    ("5", [3, b"\5\0", 13, b"\5\0\0\4" + bytes(18) + b"hello"]),
    *[("5", [3, b"\5\0", 13, bytes([5, code, 0, 1]) + bytes(6)]) for code in range(1, 10)],
    ("5", [3, b"\5\xff"]),
    ("4", [9, b"\0\x5a" + bytes(6) + b"hello"]),
    *[("4", [9, bytes([0, code]) + bytes(6)]) for code in (91, 92, 93, 1)],
]


@pytest.mark.skipif(not NETCAT, reason="netcat-openbsd is not installed")
@pytest.mark.parametrize("kind,script", ANSWERS, ids=lambda a: a if isinstance(a, str) else repr(a[-1]))
def test_netcats_words(hail, kind, script):
    with liar(script) as (port, heard):
        args = ["-v", "-X", kind, "-x", f"127.0.0.1:{port}", "127.0.0.1", "80"]
        theirs = subprocess.run([NETCAT, *args], stdin=subprocess.DEVNULL, capture_output=True,
                                timeout=20, check=False)
        ours = nc(hail, *args)
        for _ in range(200):
            if len(heard) == 2:
                break
            time.sleep(0.02)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    assert ours.stderr == theirs.stderr.replace(b"nc.openbsd: ", b"nc: ")
    if kind != "connect":  # there hail sends the Host that RFC 9112 section 3.2 wants
        assert heard[0] == heard[1]


FIVE = b"\5\0" + b"\5\0\0\1\x7f\0\0\1\0\x50"


@pytest.mark.parametrize("cut", range(len(FIVE)))
def test_a_proxy_that_stops_in_the_middle(hail, cut):
    script = [3, FIVE[:2][:cut]] + ([13, FIVE[2:cut]] if cut > 2 else [])
    with liar(script) as (port, _):
        done = nc(hail, "-N", "--proxy", f"socks5://127.0.0.1:{port}", "127.0.0.1", "80")
    assert done.returncode == 4
    assert b"through the socks5 proxy 127.0.0.1:" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("answer,words", [
    (b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 100000, b"too long"),
    (b"x" * 100000, b"too long"),
    (b"SSH-2.0-nothing\r\n", b"its answer is not HTTP"),
    (b"HTTP/1.1 2\r\n\r\n", b"its answer is not HTTP"),
    (b"HTTP/2 200\r\n\r\n", b"its answer is not HTTP"),
    (b"HTTP/1.1 503 \x1b]0;title\x07\r\n\r\n", b"503"),
    (b"HTTP/1.1 200 OK\r\nA: b\r\n", b"closed the connection in the middle"),
    (b"", b"closed the connection in the middle"),
], ids=range(8))
def test_connect_answered_with_nonsense(hail, answer, words):
    with liar([HEAD, answer]) as (port, _):
        done = nc(hail, "--proxy", f"http://127.0.0.1:{port}", "127.0.0.1", "80")
    assert done.returncode == 4
    assert words in done.stderr
    assert b"\x1b" not in done.stderr and b"\x07" not in done.stderr


def test_a_silent_proxy_is_given_up(hail):
    with liar([3, 100]) as (port, _):
        done = nc(hail, "--timeout", "0.3", "--proxy", f"socks5://127.0.0.1:{port}", "127.0.0.1", "80")
    assert done.returncode == 5


def test_no_proxy_there(hail, free_port):
    port = free_port()
    done = nc(hail, "-v", "-x", f"127.0.0.1:{port}", "127.0.0.1", "80")
    assert done.returncode == 1
    assert done.stderr == b"nc: connect to 127.0.0.1 port %d (tcp) failed: Connection refused\n" % port


@pytest.mark.parametrize("url", ["ftp://x", "socks5://", "http://a/b", "http://user:%zz@h"])
def test_a_bad_url(hail, url):
    done = nc(hail, "--proxy", url, "127.0.0.1", "80")
    assert done.returncode == 2
    assert b"proxy's URL" in done.stderr
