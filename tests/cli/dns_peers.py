"""Name servers for test_lookup.py: a real one (nsd) with a zone of its own, and ones in Python that
misbehave on purpose. All on free ports of the loopback, all gone when the test ends."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA = 1, 2, 5, 6, 12, 15, 16, 28

ZONE = r"""$ORIGIN example.
$TTL 300
@       SOA ns hostmaster 2024 7200 3600 1209600 60
@       NS ns
@       MX 10 mail
@       MX 20 ns
@       CAA 0 issue "ca.example"
@       HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1
ns      A 127.0.0.1
web     600 A 192.0.2.1
web     60 AAAA 2001:db8::1
www     120 CNAME web
v4      A 192.0.2.4
v6      AAAA 2001:db8::6
txt     TXT "hello \"quoted\" \\ \027[31m" "second"
many    A 192.0.2.10
many    A 192.0.2.11
many    A 192.0.2.12
xn--bcher-kva A 192.0.2.77
_dns    SVCB 1 ns alpn=dot port=853
_sip._tcp SRV 5 10 5060 web
deep.sub A 192.0.2.99
alias   DNAME sub
dangling CNAME nothing
"""
REVERSE4 = """$ORIGIN 2.0.192.in-addr.arpa.
$TTL 300
@ SOA ns.example. hostmaster.example. 1 7200 3600 1209600 60
@ NS ns.example.
1 PTR web.example.
"""
REVERSE6 = """$ORIGIN 8.b.d.0.1.0.0.2.ip6.arpa.
$TTL 300
@ SOA ns.example. hostmaster.example. 1 7200 3600 1209600 60
@ NS ns.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR web.example.
"""


def big_records():
    """A record set that no UDP answer holds: 8 strings of 250 bytes, and 200 addresses."""
    rows = ["big     TXT " + " ".join('"%s"' % (c * 250) for c in "abcdefgh")]
    rows += ["huge    A 198.51.100.%d" % i for i in range(1, 200)]
    return "\n".join(rows) + "\n"


def free_port():
    """A port that is free for UDP and TCP on the loopback."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            u.bind(("127.0.0.1", 0))
            try:
                t.bind(u.getsockname())
            except OSError:
                continue
            return u.getsockname()[1]
    raise RuntimeError("no free port")


def name_bytes(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p) + b"\0"


def query_bytes(name, qtype, qid=4711):
    return struct.pack(">6H", qid, 0x0100, 1, 0, 0, 0) + name_bytes(name) + struct.pack(
        ">HH", qtype, 1)


def answers(at, name):
    """Whether a name server at `at` answers for `name`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        try:
            s.sendto(query_bytes(name, SOA), at)
            reply = s.recv(4096)
        except OSError:
            return False
        return len(reply) > 12 and reply[3] & 15 == 0


def find_program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")


class Daemon:
    """A name server of Debian's, run as the present user on a free port; gone with close()."""

    def __init__(self, folder, program, known):
        self.process = None
        for _ in range(5):
            self.port = free_port()
            self.server = "127.0.0.1:%d" % self.port
            command = self.configure(folder)
            with open(folder / "log", "w", encoding="ascii") as log:
                self.process = subprocess.Popen([find_program(program), *command], stdout=log,
                                                stderr=log, start_new_session=True)
            until = time.monotonic() + 20
            while time.monotonic() < until and self.process.poll() is None:
                if answers(("127.0.0.1", self.port), known):
                    return
                time.sleep(0.05)
            self.close()
        raise RuntimeError(program + " did not start: " + (folder / "log").read_text())

    def configure(self, folder):
        """Writes the configuration and returns the arguments."""
        raise NotImplementedError

    def signal(self, number):
        """Signals the daemon and its children; False when none is left."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def close(self):
        self.process.terminate()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self.process.poll() is not None and not self.signal(0):
                return
            time.sleep(0.02)
        self.signal(signal.SIGKILL)
        self.process.wait()


class Nsd(Daemon):
    """The authority for the zones above."""

    def __init__(self, folder):
        super().__init__(folder, "nsd", "example")

    def configure(self, folder):
        zones = (("example", ZONE + big_records()), ("2.0.192.in-addr.arpa", REVERSE4),
                 ("8.b.d.0.1.0.0.2.ip6.arpa", REVERSE6))
        for name, text in zones:
            (folder / (name + ".zone")).write_text(text)
        (folder / "nsd.conf").write_text(
            'server:\n ip-address: 127.0.0.1@%d\n username: ""\n zonesdir: "%s"\n'
            ' chroot: ""\n database: ""\n pidfile: "%s/nsd.pid"\n xfrdfile: ""\n'
            ' zonelistfile: "%s/zone.list"\n server-count: 1\n rrl-ratelimit: 0\n'
            'remote-control:\n control-enable: no\n' % (self.port, folder, folder, folder) +
            "".join('zone:\n name: "%s"\n zonefile: "%s.zone"\n' % (n, n) for n, _ in zones))
        return ["-d", "-c", str(folder / "nsd.conf")]


class Unbound(Daemon):
    """A recursive resolver that asks the nsd at `port`, and never answers for deny.test."""

    def __init__(self, folder, port):
        self.upstream = port
        super().__init__(folder, "unbound", "example")

    def configure(self, folder):
        (folder / "unbound.conf").write_text(
            'server:\n interface: 127.0.0.1@%d\n username: ""\n chroot: ""\n directory: "%s"\n'
            ' pidfile: "%s/unbound.pid"\n use-syslog: no\n do-not-query-localhost: no\n'
            ' module-config: "iterator"\n local-zone: "deny.test." always_deny\n'
            ' local-zone: "test." static\n num-threads: 1\n'
            'remote-control:\n control-enable: no\n'
            'stub-zone:\n name: "example"\n stub-addr: 127.0.0.1@%d\n'
            % (self.port, folder, folder, self.upstream))
        return ["-d", "-p", "-c", str(folder / "unbound.conf")]


class Query:
    """A question as it came in, and answers to it."""

    def __init__(self, data, over):
        self.data, self.over = data, over
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
            at += 1 + data[at]
        self.name = ".".join(labels)
        self.type = struct.unpack(">H", data[at + 1:at + 3])[0]
        self.question = data[12:at + 5]

    def reply(self, *records, rcode=0, flags=0x8180, qid=None, question=None, counts=None):
        """A response with `records` (bytes) as its answer."""
        n = len(records) if counts is None else counts
        head = self.data[:2] if qid is None else qid
        return (head + struct.pack(">5H", flags | rcode, 1, n, 0, 0) +
                (self.question if question is None else question) + b"".join(records))


def record(rtype, data, ttl=300, owner=b"\xc0\x0c"):
    return owner + struct.pack(">HHIH", rtype, 1, ttl, len(data)) + data


class Server:
    """A name server that answers with what `handler` returns for a Query: None (silence), bytes,
    or a list of bytes and of pauses in seconds. `tcp` is whether it listens there too."""

    def __init__(self, handler, tcp=True, host="127.0.0.1", family=socket.AF_INET, scope=0):
        self.handler, self.queries = handler, []
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.tcp = None
        for _ in range(50):
            self.udp.bind((host, 0) if family == socket.AF_INET else (host, 0, 0, scope))
            self.port = self.udp.getsockname()[1]
            if not tcp:
                break
            self.tcp = socket.socket(family, socket.SOCK_STREAM)
            try:
                self.tcp.bind(self.udp.getsockname())
                self.tcp.listen()
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
                self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.server = "127.0.0.1:%d" % self.port
        self.threads = [threading.Thread(target=self.serve_udp, daemon=True)]
        if self.tcp:
            self.threads.append(threading.Thread(target=self.serve_tcp, daemon=True))
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in (self.udp, self.tcp):
            if s:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()

    def steps(self, data, over):
        query = Query(data, over)
        self.queries.append(query)
        out = self.handler(query)
        return out if isinstance(out, list) else [out] if out is not None else []

    def answer_udp(self, data, peer):
        try:
            for step in self.steps(data, "udp"):
                if isinstance(step, bytes):
                    self.udp.sendto(step, peer)
                else:
                    time.sleep(step)
        except OSError:
            pass

    def serve_udp(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if data:
                threading.Thread(target=self.answer_udp, args=(data, peer), daemon=True).start()

    def answer_tcp(self, peer):
        with peer:
            try:
                while True:
                    head = peer.recv(2, socket.MSG_WAITALL)
                    if len(head) < 2:
                        return
                    data = peer.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                    for step in self.steps(data, "tcp"):
                        if isinstance(step, bytes):
                            peer.sendall(struct.pack(">H", len(step)) + step)
                        else:
                            time.sleep(step)
            except OSError:
                pass

    def serve_tcp(self):
        while True:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.answer_tcp, args=(peer,), daemon=True).start()
