"""hail serve's sandbox: what is on once it runs, in each of its threads, and that everything it does
still works within; --user, --follow, and what a link out of the folder comes to."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest
import serving


def fetch(url, *args):
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *args, url], timeout=60,
                          capture_output=True, check=True)
    body, _, code = done.stdout.rpartition(b"\n")
    return int(code), body


def states(pid, *names):
    """Of each thread, what /proc says."""
    return [tuple(re.search(rf"^{name}:[ \t]*(.*)$", (task / "status").read_text(), re.M)[1]
                  for name in names) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]


@pytest.fixture(scope="module")
def confined(hail):
    """What Seccomp in /proc is to be: instrumented builds (sanitizers) have no sandbox."""
    program = pathlib.Path(hail).read_bytes()
    return "0" if b"__asan_" in program or b"__tsan_" in program else "2"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "page.html").write_text("<p>text" * 1000)
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "link.txt").symlink_to("../outside.txt")
    (folder / "absolute.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "process").symlink_to("/proc/self/root")
    return folder


def test_every_thread_is_confined(hail, root, confined):
    with serving.Server(hail, "--threads=3", root) as server:
        assert fetch(server.url + "page.html", "--compressed")[0] == 200  # a task's thread, too
        fetch(server.url)
        found = states(server.child.pid, "Seccomp", "NoNewPrivs")
    assert len(found) >= 4 and {seccomp for seccomp, _ in found} == {confined}
    assert confined == "0" or {privs for _, privs in found} == {"1"}


def test_it_can_be_left_out(hail, root):
    with serving.Server(hail, "--no-sandbox", root) as server:
        assert fetch(server.url + "page.html")[0] == 200
        assert set(states(server.child.pid, "Seccomp", "NoNewPrivs")) == {("0", "0")}


def test_everything_works_within(hail, root, certs, tmp_path):
    log = tmp_path / "log"
    with serving.Server(hail, "--tls-cert", certs.cert, "--tls-key", certs.key, "--log-file", log,
                 "--metrics", "127.0.0.1:0", root, lines=2) as server:
        counts = server.urls[1]
        url = server.url.replace("127.0.0.1", "localhost")
        ca = ("--cacert", certs.ca, "-4")
        for coding in ("gzip", "br", "zstd", "identity"):
            assert fetch(url + "page.html", *ca, "-H", f"Accept-Encoding: {coding}")[0] == 200
        assert fetch(url, *ca)[0] == 200 and fetch(counts)[0] == 200
        (root / "page.html").write_text("changed")
        (root / "new.txt").write_text("new")
        assert fetch(url + "page.html", *ca) == (200, b"changed")
        assert fetch(url + "new.txt", *ca) == (200, b"new")
        log.rename(tmp_path / "log.1")
        server.child.send_signal(signal.SIGHUP)
        assert fetch(url + "sub/", *ca)[0] == 200
        assert server.end() == ("", "") and server.child.returncode == -signal.SIGTERM
    assert "/sub/" in log.read_text() and "/page.html" in (tmp_path / "log.1").read_text()


def test_a_unix_socket_is_taken_away_at_the_end(hail, root, tmp_path):
    where = tmp_path / "socket"
    process = subprocess.Popen([hail, "serve", "-q", "-l", f"unix:{where}", root],
                               stdout=subprocess.PIPE)
    assert process.stdout.readline()
    assert fetch("http://localhost/page.html", "--unix-socket", where)[0] == 200
    process.terminate()
    process.wait(timeout=30)
    process.stdout.close()
    assert not where.exists()


def test_links_that_lead_outside(hail, root):
    with serving.Server(hail, root) as server:
        for name in ("link.txt", "absolute.txt", "process/etc/passwd"):
            assert fetch(server.url + name)[0] == 403
    with serving.Server(hail, "--follow", root) as server:
        for name in ("link.txt", "absolute.txt"):
            assert fetch(server.url + name) == (200, b"outside")
        assert fetch(server.url + "process/etc/passwd")[0] == 403  # of /proc: never
        for path in ("../outside.txt", "%2e%2e/outside.txt", "sub/..%2f../outside.txt"):
            assert fetch(server.url + path, "--path-as-is")[0] in (400, 404)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_another_user(hail, root, confined):
    for folder in [root, *root.parents]:
        if folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o055)
    (root / "shut.txt").write_text("no")
    (root / "shut.txt").chmod(0o600)
    with serving.Server(hail, "--user=nobody", root) as server:
        assert fetch(server.url + "page.html")[0] == 200 and fetch(server.url + "shut.txt")[0] == 403
        for uid, groups, can, privs in states(server.child.pid, "Uid", "Groups", "CapEff",
                                              "NoNewPrivs"):
            assert uid.split() == ["65534"] * 4 and groups.split() == [] and int(can, 16) == 0
            assert privs == ("1" if confined == "2" else "0")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_key_that_only_root_can_read(hail, root, certs):
    for folder in [root, *root.parents]:
        if folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o055)
    with serving.Server(hail, "--user=nobody", "--threads=2", "--tls-cert", certs.cert, "--tls-key",
                 certs.key, root) as server:
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", server.port)):
                pass
            assert fetch(server.url.replace("127.0.0.1", "localhost") + "page.html", "--cacert", certs.ca,
                         "-4")[0] == 200


@pytest.mark.parametrize("who", ["no-such-user", "nobody:no-such-group", "", ":"])
def test_a_user_that_is_none(hail, root, who):
    done = subprocess.run([hail, "serve", "-l", "127.0.0.1:0", "--user", who, root],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode in (2, 8) and done.stderr.startswith("hail: ") and done.stdout == ""
