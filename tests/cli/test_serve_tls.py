"""hail serve --tls with the user's own authority, and what that may vouch for; --tls-ca; --lan with
its addresses and the QR Code, which zbarimg reads."""

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import socket
import ssl
import stat
import struct
import subprocess
import termios
import time

import pytest
import serving

NAMESPACES = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")


def start(hail, home, *args, **popen):
    return serving.Server(hail, "-q", *args, env={**os.environ, "XDG_DATA_HOME": str(home)},
                          **popen)


def curl(url, *args, prefix=()):
    return subprocess.run([*prefix, "curl", "-sS", *map(str, args), url], capture_output=True,
                          text=True, timeout=60)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "index.html").write_text("hello")
    return folder


def test_who_trusts_the_authority_trusts_localhost(hail, root, home):
    with start(hail, home, "-l", "127.0.0.1:0", "--tls", root) as server:
        url = server.url
        assert url.startswith("https://")
        ca = home / "hail" / "authority.crt"
        local = url.replace("127.0.0.1", "localhost")
        assert curl(local, "--cacert", ca, "-4").stdout == "hello"
        assert curl(url, "--cacert", ca).stdout == "hello"
        assert curl(url).returncode == 60
    key = home / "hail" / "authority.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    before = key.read_bytes()
    with start(hail, home, "-l", "127.0.0.1:0", "--tls", root) as server:
        url = server.url
        assert curl(url, "--cacert", ca).stdout == "hello"
    assert key.read_bytes() == before and b"PRIVATE" not in ca.read_bytes()


def test_the_certificate(hail, root, home):
    with start(hail, home, "-l", "127.0.0.1:0", "--tls", root) as server:
        context = ssl.create_default_context(cafile=home / "hail" / "authority.crt")
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            with context.wrap_socket(s, server_hostname="localhost") as tls:
                cert = tls.getpeercert()
    names = cert["subjectAltName"]
    assert ("DNS", "localhost") in names and ("IP Address", "127.0.0.1") in names
    assert ("IP Address", "0:0:0:0:0:0:0:1") in names
    days = (ssl.cert_time_to_seconds(cert["notAfter"]) -
            ssl.cert_time_to_seconds(cert["notBefore"])) / 86400
    assert 300 < days <= 398


def test_what_the_authority_may_not_vouch_for(hail, home, tmp_path):
    assert subprocess.run([hail, "serve", "--tls-ca"], env={**os.environ, "XDG_DATA_HOME": home},
                          capture_output=True, timeout=30).returncode == 0
    ca, key = home / "hail" / "authority.crt", home / "hail" / "authority.pem"
    verdicts = []
    for name in ("DNS:localhost", "DNS:my.test", "IP:192.168.7.7", "DNS:example.org",
                 "DNS:localhost.example.org", "IP:9.9.9.9"):
        leaf, request = tmp_path / "leaf.pem", tmp_path / "leaf.csr"
        extension = tmp_path / "extension"
        extension.write_text(f"subjectAltName={name}\n")
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "leaf.key",
                        "-subj", "/CN=x", "-out", request], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", key,
                        "-extfile", extension, "-out", leaf], check=True, capture_output=True)
        done = subprocess.run(["openssl", "verify", "-CAfile", ca, leaf], capture_output=True)
        verdicts.append(done.returncode == 0)
    assert verdicts == [True, True, True, False, False, False]


@NAMESPACES
def test_names_that_are_not_local_are_left_out(hail, root, home):
    prefix = ("unshare", "-n", "--", "sh", "-c", "ip link set lo up; ip addr add 203.0.113.9/24 "
              "dev lo; ip link add d0 type veth peer name d1; ip link set d0 up; "
              "ip addr add 198.51.100.7/24 dev d0; ip addr add 10.9.8.7/24 dev d0; "
              "exec \"$@\"", "sh")
    with start(hail, home, "-l", "203.0.113.9:0", "-l", "10.9.8.7:0", "--tls", root,
                 prefix=prefix) as server:
        second = server.next_url()
        inside = ("nsenter", "-t", str(server.child.pid), "-n")
        ca = home / "hail" / "authority.crt"
        assert curl(second, "--cacert", ca, prefix=inside).stdout == "hello"


def test_two_at_once_make_one_authority(hail, home):
    children = [subprocess.Popen([hail, "serve", "--tls-ca"], stdout=subprocess.PIPE,
                                 env={**os.environ, "XDG_DATA_HOME": str(home)}) for _ in range(8)]
    assert [child.wait(timeout=60) for child in children] == [0] * 8
    for child in children:
        child.stdout.close()
    assert sorted(p.name for p in (home / "hail").iterdir()) == ["authority.crt", "authority.pem"]
    for name in ("crt", "pem"):
        text = (home / "hail" / f"authority.{name}").read_text()
        assert text.count("BEGIN CERTIFICATE") == 1
    assert ((home / "hail" / "authority.crt").read_text() in
            (home / "hail" / "authority.pem").read_text())


@pytest.mark.parametrize("spoil, said", [
    (lambda key: key.write_text("no key"), "authority.pem"),
    (lambda key: key.write_bytes(key.read_bytes()[:200]), "authority.pem"),
    (lambda key: (key.unlink(), key.mkdir()), "authority.pem"),
])
def test_an_authority_that_cannot_be_used(hail, root, home, spoil, said):
    env = {**os.environ, "XDG_DATA_HOME": str(home)}
    subprocess.run([hail, "serve", "--tls-ca"], env=env, check=True, capture_output=True)
    spoil(home / "hail" / "authority.pem")
    done = subprocess.run([hail, "serve", "-l", "127.0.0.1:0", "--tls", root], env=env,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode in (6, 8) and said in done.stderr and done.stdout == ""


def test_no_home(hail, root):
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_DATA_HOME")}
    done = subprocess.run([hail, "serve", "-l", "127.0.0.1:0", "--tls", root], env=env,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 8 and "HOME" in done.stderr


def test_how_it_is_trusted(hail, home):
    env = {**os.environ, "XDG_DATA_HOME": str(home)}
    path = str(home / "hail" / "authority.crt")
    said = subprocess.run([hail, "serve", "--tls-ca"], env=env, check=True, text=True,
                          capture_output=True).stdout
    for system in ("Debian", "Fedora", "Alpine", "macOS", "Windows", "Chromium", "Firefox", "curl"):
        assert re.search(rf"^{system}.*{re.escape(path)}", said, re.M)
    said = subprocess.run([hail, "serve", "--tls-ca", "--json"], env=env, check=True, text=True,
                          capture_output=True).stdout
    assert json.loads(said)["certificate"] == path


def test_sessions_are_resumed_by_any_worker(hail, root, home):
    with start(hail, home, "-l", "127.0.0.1:0", "--tls", "--threads=4", root) as server:
        context = ssl.create_default_context(cafile=home / "hail" / "authority.crt")
        session, reused = None, []
        for _ in range(12):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
                with context.wrap_socket(s, server_hostname="localhost", session=session) as tls:
                    tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    while tls.recv(4096):
                        pass
                    reused.append(tls.session_reused)
                    session = tls.session
    assert reused == [False] + [True] * 11


# --- the network ---

LAN = ("unshare", "-n", "--", "sh", "-c", "ip link set lo up; "
       "ip link add d0 type veth peer name d1; ip link set d0 up; ip addr add 192.168.77.5/24 dev d0; exec \"$@\"", "sh")


@NAMESPACES
def test_lan_says_where(hail, root, home):
    with start(hail, home, "--lan", root, prefix=LAN) as server:
        url = server.url
        assert url == "http://localhost:8080/"
        assert server.child.stdout.readline() == "on the network at http://192.168.77.5:8080/\n"
        inside = ("nsenter", "-t", str(server.child.pid), "-n")
        assert curl("http://192.168.77.5:8080/", prefix=inside).stdout == "hello"


@NAMESPACES
def test_lan_without_any(hail, root, home):
    prefix = ("unshare", "-n", "--", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh")
    with start(hail, home, "--lan", root, prefix=prefix) as server:
        assert server.child.stdout.readline().startswith("on no network")


def test_lan_and_listen_contradict_each_other(hail, root):
    done = subprocess.run([hail, "serve", "--lan", "-l", ":0", root], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 2 and "--lan" in done.stderr


def on_terminal(command, columns, env):
    """What a command prints on a terminal until it is quiet for a second; then it is ended."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    child = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    said = b""
    try:
        while b"192.168.77.5:8080/" not in said or (b"\xe2\x96" in said and
                                                     said.count(b"\033[0m\r\n") < 10):
            said += os.read(leader, 65536)
        os.set_blocking(leader, False)
        for _ in range(20):
            with contextlib.suppress(BlockingIOError):
                said += os.read(leader, 65536)

            time.sleep(0.02)
    finally:
        child.terminate()
        child.wait(timeout=30)
        os.close(leader)
    return said.decode()


@NAMESPACES
@pytest.mark.peers
@pytest.mark.skipif(not shutil.which("zbarimg"), reason="zbarimg is not installed")
def test_a_camera_reads_the_code(hail, root, tmp_path):
    env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    env.pop("NO_COLOR", None)
    said = on_terminal([*LAN, hail, "serve", "-q", "--lan", str(root)], 80, env)
    rows = re.findall("\033\\[38;5;16;48;5;231m([ \u2580\u2584\u2588]+)\033\\[0m", said)
    assert len(rows) >= 10
    dark = []
    for row in rows:
        dark.append([c in "\u2580\u2588" for c in row])
        dark.append([c in "\u2584\u2588" for c in row])
    scale = 5
    picture = tmp_path / "code.pbm"
    lines = [" ".join("1" if cell else "0" for cell in row for _ in range(scale))
             for row in dark for _ in range(scale)]
    picture.write_text(f"P1\n{len(dark[0]) * scale} {len(dark) * scale}\n" + "\n".join(lines) + "\n")
    done = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True)
    assert done.stdout.strip() == "http://192.168.77.5:8080/"


@NAMESPACES
@pytest.mark.parametrize("columns, changed", [(20, {}), (80, {"NO_COLOR": "1"}),
                                              (80, {"LC_ALL": "C"})])
def test_no_code_where_it_would_not_be_one(hail, root, columns, changed):
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **changed}
    said = on_terminal([*LAN, hail, "serve", "-q", "--lan", str(root)], columns, env)
    assert "\u2588" not in said and "on the network at" in said
