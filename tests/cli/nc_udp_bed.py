"""What the tests of `hail nc -u` share: the program running in the background, sockets as judges, a
network namespace of a test's own."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
NETCAT = shutil.which("nc.openbsd")


def until(true, seconds=10):
    """Waits until true() is; its value, or an assertion."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def udp(host="127.0.0.1", port=0, family=None):
    s = socket.socket(family or (socket.AF_INET6 if ":" in host else socket.AF_INET),
                      socket.SOCK_DGRAM)
    s.bind((host, port))
    s.settimeout(10)
    return s


def received(s, quiet=0.2):
    """The datagrams that are there, until none comes for `quiet` seconds."""
    out = []
    s.settimeout(quiet)
    try:
        while True:
            out.append(s.recv(1 << 18))
    except TimeoutError:
        return out
    finally:
        s.settimeout(10)


def is_bound(port, table="/proc/net/udp"):
    """Whether somebody is bound to the UDP port."""
    with open(table, encoding="ascii") as f:
        return any(line.split()[1].endswith(":%04X" % port) for line in f.readlines()[1:])


class Running:
    """A program in the background, its output in files; ended with the `with` at the latest."""

    def __init__(self, folder, command, stdin=subprocess.PIPE, stdout=None, prefix=()):
        self.folder = folder / ("run%d" % len(list(folder.iterdir())))
        self.folder.mkdir()
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            self.process = subprocess.Popen([*prefix, *map(str, command)], stdin=stdin,
                                            stdout=out if stdout is None else stdout, stderr=err)
        self.stdin = self.process.stdin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.stdin and not self.stdin.closed:
            self.stdin.close()
        if self.process.poll() is None:  # so that it removes what it made
            self.process.terminate()
            self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def say(self, data):
        """One write."""
        os.write(self.stdin.fileno(), data)

    def out(self):
        return (self.folder / "out").read_bytes()

    def err(self):
        return (self.folder / "err").read_text()

    def end(self):
        """Ends standard input, and gives the status."""
        if self.stdin:
            self.stdin.close()
        return self.process.wait(15)


class Namespace:
    """A network of one's own with nothing but lo in it; needs root."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up multicast on && "
                                        "ip route add 239.0.0.0/8 dev lo && echo ready && read x"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"ready\n"
        self.prefix = ["nsenter", "-t", str(self.holder.pid), "-n"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait(10)

    def make(self, function):
        """function() on a thread within: the sockets that it makes stay there."""
        out = []

        def inside():
            libc = ctypes.CDLL(None, use_errno=True)
            with open("/proc/%d/ns/net" % self.holder.pid, "rb") as ns:
                assert libc.setns(ns.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            out.append(function())

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return out[0]

    def run(self, *command, **more):
        return subprocess.run([*self.prefix, *map(str, command)], capture_output=True, timeout=60, **more)
