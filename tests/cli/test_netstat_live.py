"""`hail netstat --watch`, `--kill` and `--netns`, on sockets that come and go in network namespaces of
the test's own."""
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")


@pytest.fixture(name="inside")
def fixture_inside(tmp_path, hail):
    """Runs a Python script in a new namespace, with loopback up and HAIL the program."""
    def run(text):
        script = tmp_path / "script.py"
        script.write_text("import json, os, signal, socket, subprocess, sys, time\n"
                          f"HAIL = {str(hail)!r}\n"
                          "subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)\n"
                          + textwrap.dedent(HELP) + textwrap.dedent(text))
        done = subprocess.run(["unshare", "-n", "/usr/bin/python3", str(script)],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout
    return run


HELP = """
    def listen(port):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        s.listen()
        return s

    def pair(l):
        c = socket.create_connection(l.getsockname())
        return c, l.accept()[0]

    def netstat(*args, **how):
        return subprocess.run([HAIL, "netstat", "-n", *args], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, **how)

    class Watch:
        def __init__(self, *args):
            self.p = subprocess.Popen([HAIL, "netstat", "-n", *args], stdout=subprocess.PIPE,
                                      text=True)
        def until(self, event, state=None):
            for line in self.p.stdout:
                e = json.loads(line)
                if e["event"] == event and (state is None or e["state"] == state):
                    return e
            raise SystemExit("watch ended before " + event)
        def end(self):
            self.p.send_signal(signal.SIGINT)
            assert self.p.wait(20) == -signal.SIGINT
            self.p.stdout.close()
"""


# --- watch ---


def test_what_opens_changes_and_closes_is_told(inside):
    inside("""
        l = listen(80)
        w = Watch("--watch=0.05", "--json", "-t", "dport = :80")
        time.sleep(1)
        c, s = pair(l)
        opened = w.until("opened", "ESTABLISHED")
        assert opened["schema"] == "hail.netstat.event/1"
        at = c.getsockname()
        assert opened["ends"] == f"127.0.0.1:{at[1]} - 127.0.0.1:80", opened
        assert opened["process"] == f"python3[{os.getpid()}]"
        s.close()
        changed = w.until("changed")
        assert (changed["before"], changed["state"]) == ("ESTABLISHED", "CLOSE_WAIT"), changed
        c.close()
        closed = w.until("closed")
        assert closed["cookie"] == opened["cookie"]
        w.end()
    """)


def test_what_no_look_saw_is_told_as_it_closes(inside):
    inside("""
        l = listen(80)
        w = Watch("--watch=3600", "--json", "-t")
        time.sleep(1)
        c, s = pair(l)
        at = c.getsockname()
        c.close()
        s.close()
        assert w.until("closed")["ends"] == f"127.0.0.1:{at[1]} - 127.0.0.1:80"
        w.end()
    """)


def test_lines_of_a_watch(inside):
    out = inside("""
        l = listen(80)
        w = Watch("--watch=0.05", "-t")
        first = w.p.stdout.readline()
        c, s = pair(l)
        lines = [w.p.stdout.readline() for _ in range(2)]
        w.end()
        print(first, *lines, sep="", end="")
    """).splitlines()
    assert out[0].endswith("1 socket; watching")
    for line in out[1:]:
        clock, sign, kind, one, dash, other, state, process = line.split()
        assert (sign, kind, dash, state) == ("+", "tcp", "-", "ESTABLISHED")
        assert len(clock) == len("12:00:00.000") and "127.0.0.1:80" in (one, other)
        assert process.startswith("python3[")


def test_a_watch_ends_when_its_time_is_over(inside):
    inside("""
        done = netstat("--watch=0.05", "--timeout=0.3")
        assert done.returncode == 0 and done.stdout.endswith("0 sockets; watching\\n"), done
        done = netstat("--watch=0")
        assert done.returncode == 2 and "--watch wants seconds" in done.stderr
    """)


def test_a_watch_ends_when_nobody_reads(inside):
    inside("""
        l = listen(80)
        w = Watch("--watch=0.05", "-t")
        w.p.stdout.readline()
        w.p.stdout.close()
        keep = [pair(l) for _ in range(5)]
        assert w.p.wait(20) == 8
    """)


# --- kill ---


def test_kill_closes_what_fits(inside):
    inside("""
        l, other = listen(80), listen(81)
        c, s = pair(l)
        c2, s2 = pair(other)
        done = netstat("--kill", "--yes", "dport = :80")
        assert done.returncode == 0, done
        assert done.stdout.startswith("closed tcp ESTABLISHED  127.0.0.1:"), done.stdout
        try:
            c.recv(1)
            raise SystemExit("the connection lives")
        except ConnectionAbortedError:
            pass
        c2.send(b"still here")
        assert s2.recv(20) == b"still here"
        assert pair(l)                       # the listener lives: no state was named
        done = netstat("--kill", "--yes", "--json", "sport = :80", "state", "=", "listening")
        row = json.loads(done.stdout)
        assert row["schema"] == "hail.netstat.kill/1" and row["closed"] is True
        assert netstat("--kill", "--yes", "sport = :80 state = listening").returncode == 1
    """)


def test_kill_asks_and_refuses(inside):
    inside("""
        l = listen(80)
        c, s = pair(l)
        done = netstat("--kill")
        assert done.returncode == 2 and "wants a filter" in done.stderr, done
        done = netstat("--kill", "dport = :80")
        assert done.returncode == 2 and "--yes" in done.stderr, done
        done = netstat("--kill", "--yes", "dport = :81")
        assert done.returncode == 1 and "no socket fits" in done.stderr, done
        c.send(b"x")
        assert s.recv(1) == b"x"
    """)


def test_kill_on_a_terminal(inside):
    inside("""
        import pty
        l = listen(80)
        for answer, status in ((b"n\\n", 1), (b"y\\n", 0)):
            c, s = pair(l)
            pid, fd = pty.fork()
            if pid == 0:
                os.execv(HAIL, [HAIL, "netstat", "-n", "--kill", "dport = :80"])
            said = b""
            while b"[y/N] " not in said:
                said += os.read(fd, 1000)
            assert b"close this 1 socket?" in said, said
            os.write(fd, answer)
            try:
                while os.read(fd, 1000):
                    pass
            except OSError:
                pass
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status
            if status:
                c.send(b"x")
                c.close()
    """)


def test_kill_without_the_right(inside):
    inside("""
        l = listen(80)
        c, s = pair(l)
        done = subprocess.run(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
                               HAIL, "netstat", "-n", "--kill", "--yes", "dport = :80"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 8, done
        assert "CAP_NET_ADMIN" in done.stderr
        c.send(b"x")
        assert s.recv(1) == b"x"
    """)


# --- namespaces ---

HOLDER = """
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 8000 + int(sys.argv[1])))
s.listen()
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture(name="three")
def fixture_three():
    """Three named namespaces, each with a process that listens on a port of its own."""
    names = [f"hail-{uuid.uuid4().hex[:8]}-{i}" for i in range(3)]
    holders = []
    for i, name in enumerate(names):
        subprocess.run(["ip", "netns", "add", name], check=True, timeout=20)
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True, timeout=20)
        p = subprocess.Popen(["ip", "netns", "exec", name, "/usr/bin/python3", "-c", HOLDER, str(i)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        p.stdout.readline()
        holders.append(p)
    yield names, holders
    for p in holders:
        p.stdin.close()
        p.wait(20)
        p.stdout.close()
    for name in names:
        subprocess.run(["ip", "netns", "del", name], check=False, timeout=20)


def documents(hail, *args):
    done = subprocess.run([hail, "netstat", "-n", "--json", *args], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_namespace_once(hail, three):
    names, _ = three
    for _ in range(20):
        rows = documents(hail, "-tl", "--netns", "all")
        found = {r["netns"].get("name"): r["local"]["port"] for r in rows
                 if r["netns"].get("name") in names}
        assert found == {name: 8000 + i for i, name in enumerate(names)}
        keys = [(r["netns"]["inode"], r["cookie"]) for r in rows]
        assert len(keys) == len(set(keys))


def test_one_namespace_by_name_and_by_process(hail, three):
    names, holders = three
    for which in (names[1], str(holders[1].pid)):
        (row,) = documents(hail, "-tl", "--netns", which)
        assert row["local"]["port"] == 8001


def test_the_table_says_whose(hail, three):
    names, _ = three
    done = subprocess.run([hail, "netstat", "-nlt", "--netns", "all"], capture_output=True,
                          text=True, timeout=60, check=True)
    for i, name in enumerate(names):
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(name)]
        assert f"127.0.0.1:{8000 + i}" in line


def test_kill_in_another_namespace(hail, three):
    names, _ = three
    done = subprocess.run([hail, "netstat", "-n", "--kill", "--yes", "--netns", names[2],
                           "sport = :8002 state = listening"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert documents(hail, "-tl", "--netns", names[2]) == []


def test_a_namespace_that_is_not_there(hail):
    for which in ("no-such-namespace", "4194303999", "/etc/passwd", "/"):
        done = subprocess.run([hail, "netstat", "--netns", which], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 8 and f"network namespace '{which}'" in done.stderr


def test_namespaces_that_come_and_go(hail):
    """Listing all while others are made and removed: no crash, no error."""
    churn = subprocess.Popen([sys.executable, "-c",
                              "import subprocess,sys\n"
                              "while True: subprocess.run(['unshare','-n','true'])"])
    try:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            documents(hail, "-tl", "--netns", "all")
    finally:
        churn.send_signal(signal.SIGKILL)
        churn.wait()


# --- names from others ---


def test_names_from_others_cannot_act(inside):
    """A process and a Unix socket whose names have escapes, newlines and bytes that are no UTF-8."""
    out = inside("""
        import pty
        evil = b"\\x1b[31mred\\n\\xff\\xe2\\x80\\xaeend"
        code = ("import socket,sys,ctypes;s=socket.socket();s.bind(('127.0.0.1',99));s.listen();"
                "u=socket.socket(socket.AF_UNIX);u.bind(b'/tmp/' + sys.argv[1].encode("
                "'utf-8','surrogateescape') + str(s.fileno()).encode());"
                "open('/proc/self/comm','wb').write(b'\\\\x1b]0;x\\\\x07y');"
                "print('up',flush=True);sys.stdin.read()")
        p = subprocess.Popen([evil, b"-c", code.encode(), evil], executable="/usr/bin/python3",
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        p.stdout.readline()
        try:
            for options in ("-antpx", "-lntp", "--table -tx", "--tree -tx", "--explain -tx",
                            "--summary -tx", "--json -antpx", "called by its name"):
                pid, fd = pty.fork()
                if pid == 0:
                    os.environ["NO_COLOR"] = "1"
                    words = [HAIL, "netstat", *options.split()]
                    if options == "called by its name":
                        words = ["netstat", "-antpx"]
                    os.execv(HAIL, words)
                said = b""
                try:
                    while chunk := os.read(fd, 65536):
                        said += chunk
                except OSError:
                    pass
                status = os.waitpid(pid, 0)[1]
                assert status == 0 and (b"python" in said or b"x" in said), (options, status, said)
                for bad in (b"\\x1b", b"\\x07", b"\\xff", b"\\xe2\\x80\\xae"):
                    assert bad not in said, (options, bad, said)
            piped = subprocess.run([HAIL, "netstat", "-antp"], capture_output=True).stdout
            assert piped.count(b"\\n") == 3, piped
            rows = [json.loads(x) for x in subprocess.run(
                [HAIL, "netstat", "-xtp", "--json"], capture_output=True).stdout.splitlines()]
            assert any("\\x1b]0;x\\x07y" == q["name"] for r in rows for q in r["processes"]), rows
        finally:
            p.stdin.close()
            p.wait()
            for name in os.listdir(b"/tmp"):
                if name.startswith(evil):
                    os.unlink(b"/tmp/" + name)
        print("done")
    """)
    assert out == "done\n"


def test_hidden_processes_are_said(inside, tmp_path):
    """/proc with hidepid: what is not seen is said, on standard error."""
    inside(f"""
        l = listen(80)
        import shutil
        at = "/tmp/hail-hidden-" + str(os.getpid())
        shutil.copy(HAIL, at)
        os.chmod(at, 0o755)
        try:
            done = subprocess.run(["unshare", "-m", "sh", "-c",
                                   "mount -t proc -o hidepid=2 proc /proc && exec setpriv "
                                   "--reuid=65534 --regid=65534 --clear-groups " + at +
                                   " netstat -ntp --table"], capture_output=True, text=True)
        finally:
            os.unlink(at)
        assert done.returncode == 0, done
        assert "127.0.0.1:80" in done.stdout
        assert "hidepid" in done.stderr, done.stderr
    """)


# --- many ---


def test_more_ipv6_than_is_kept(inside):
    """IPv6 is told behind IPv4: from memory, and when it is more, by asking again."""
    inside("""
        l4, l6 = listen(80), socket.create_server(("::1", 80), family=socket.AF_INET6, backlog=64)
        keep = []
        for i in range(2500):
            c = socket.create_connection(("::1", 80))
            keep += [c, l6.accept()[0]]
            if i in (10, 1000, 2499):
                keep += pair(l4)
                theirs = subprocess.run(["netstat", "-ant"], capture_output=True).stdout
                ours = subprocess.run([HAIL, "netstat", "-ant"], capture_output=True).stdout
                assert ours == theirs
                assert ours.count(b"\\n") == 4 + 2 * (i + 1) + len(keep) - 2 * (i + 1)
    """)
