"""Telnets on a terminal of their own, and peers for them that write down what came."""

import os
import shutil
import socket
import subprocess
import threading
import time

import pexpect
import pytest

TIMEOUT = float(os.environ.get("PEXPECT_TIMEOUT", "10"))
PEER = shutil.which("inetutils-telnet")
IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
ECHO, SGA, STATUS, TTYPE, NAWS, LFLOW, LINEMODE = 1, 3, 5, 24, 31, 33, 34

# What a peer says that echoes, and wants every key at once.
CHARACTERS = bytes([IAC, WILL, ECHO, IAC, WILL, SGA])

needs_peer = pytest.mark.skipif(PEER is None, reason="inetutils-telnet is not installed")


def as_telnet(tmp_path, program):
    """A link called telnet to the program: both telnets then name themselves so."""
    folder = tmp_path / os.path.basename(program)
    folder.mkdir(exist_ok=True)
    link = folder / "telnet"
    if not link.exists():
        link.symlink_to(os.path.abspath(program))
    return str(link)


def environment(home, **more):
    env = {"HOME": str(home), "TERM": "xterm", "PATH": os.environ["PATH"], "SHELL": "/bin/sh",
           "LANG": "C.UTF-8"}
    env.update(more)
    return env


def spawn(argv, home, rows=24, columns=80, **env):
    child = pexpect.spawn(argv[0], [str(a) for a in argv[1:]], timeout=TIMEOUT, encoding="latin1",
                          dimensions=(rows, columns), env=environment(home, **env), echo=True)
    child.delaybeforesend = None
    child.shown = ""
    return child


def wait(child, pattern):
    """Waits for it, and keeps all that was shown."""
    at = child.expect(pattern)
    after = child.after if isinstance(child.after, str) else ""
    child.shown += child.before + after
    return at


def end(child):
    """What was shown to the end, the exit status, the signal."""
    wait(child, pexpect.EOF)
    child.close()
    return child.shown, child.exitstatus, child.signalstatus


class Recorder:
    """A server: says something to everyone who comes, and writes down what each of them says. A
    line "bye" is answered by closing."""

    def __init__(self, greeting=b"", half=False):
        self.greeting, self.half = greeting, half
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.said, self.done, self.sockets = [], [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.said.append(b"")
            self.done.append(threading.Event())
            self.sockets.append(s)
            threading.Thread(target=self.listen_to, args=(s, len(self.said) - 1),
                             daemon=True).start()

    def listen_to(self, s, i):
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
            s.sendall(self.greeting)
            while data := s.recv(65536):
                self.said[i] += data
                self.came(s, i)
                if b"bye" in self.said[i]:
                    break
        except OSError:
            pass
        s.close()
        self.done[i].set()

    def came(self, s, i):
        """More of it has come: to be overridden."""

    def heard(self, i):
        """All that the i-th said, once its connection is over."""
        assert self.done[i].wait(10)
        return self.said[i]

    def close(self):
        self.listener.close()
        for s in self.sockets:
            s.close()


class Telnetd:
    """inetutils-telnetd for one login after another, with a harmless shell instead of login(1)."""

    PROGRAM = "/usr/sbin/telnetd"

    def __init__(self, tmp_path, *options):
        login = tmp_path / "login"
        login.write_text("#!/bin/sh\nPS1='ready> '; export PS1; unset ENV\nexec /bin/sh -i\n")
        login.chmod(0o755)
        self.command = [self.PROGRAM, "-h", "-E", str(login), *options]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.daemons = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                self.daemons.append(subprocess.Popen(self.command, stdin=s, stdout=s, stderr=s))

    def close(self):
        self.listener.close()
        for d in self.daemons:
            d.kill()
            d.wait()


@pytest.fixture(name="record")
def fixture_record():
    """Makes servers that write down what comes, closed at the end."""
    servers = []

    def make(greeting=b"", kind=Recorder):
        servers.append(kind(greeting))
        return servers[-1]
    yield make
    for s in servers:
        s.close()


def until(child, holds):
    """Waits until it holds of the child's terminal."""
    for _ in range(1000):
        if holds(child.child_fd):
            return
        time.sleep(0.01)
    raise AssertionError("it never holds")
