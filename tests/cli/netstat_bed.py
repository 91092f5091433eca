"""A bed of sockets for the tests of netstat: one of every kind and state, in a network namespace of
its own, that stays as it is while programs look at it.

As a module, start() gives a Bed; run as a program (by start(), inside `unshare -n -m`) it makes the
sockets and then runs the commands that it reads from standard input, a JSON document a line.
"""
import array
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve()


# --- the side of the tests ---


class Bed:
    """The running bed; run() runs a command in it."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            ["unshare", "-n", "-m", "--propagation", "private", "/usr/bin/python3", str(HERE),
             str(directory)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        if ready != "ready\n":
            self.close()
            raise AssertionError(f"the bed did not come up: {ready!r}")

    def run(self, argv, user=None, shell=None, seconds=None):
        """(status, standard output, standard error), the latter as bytes in Latin-1. `user`: a uid;
        `shell`: a redirection for sh; `seconds`: SIGINT after so long."""
        json.dump({"argv": [str(a) for a in argv], "user": user, "shell": shell,
                   "seconds": seconds}, self.process.stdin)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def start(directory):
    return Bed(directory)


# --- inside the namespace ---

KEEP = []  # every socket, as long as the bed lives
HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n192.0.2.1 near.example near\n"
POINTERS = {"3.2.0.192.in-addr.arpa": "far.example",
            "4.2.0.192.in-addr.arpa": "a-very-long-name-that-is-cut.far.example"}


def keep(*sockets):
    KEEP.extend(sockets)
    return sockets[0]


def shell(*lines):
    for line in lines:
        subprocess.run(line.split(), check=True, capture_output=True, timeout=20)


def network():
    try:
        shell("ip link add d0 type dummy")
    except subprocess.CalledProcessError:
        shell("ip link add d0 type ifb")  # swallows what it is given, too
    shell("ip link set lo up", "ip link set d0 up",
          "ip addr add 192.0.2.1/24 dev d0",
          "ip -6 addr add 2001:db8:aaaa:bbbb:cccc:dddd:eeee:1/64 dev d0 nodad",
          "ip -6 addr add fe80::1/64 dev d0 nodad", "ip addr add 127.100.100.100/8 dev lo",
          "ip addr add 10.255.255.254/24 dev d0")
    pathlib.Path("/proc/sys/net/ipv4/tcp_syn_retries").write_text("15")
    pathlib.Path("/proc/sys/net/ipv4/tcp_synack_retries").write_text("15")


def name_server():
    """Answers PTR from POINTERS on 127.0.0.1:53, everything else with NXDOMAIN."""
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    s.bind(("127.0.0.1", 53))

    def answer():
        while True:
            query, peer = s.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            question = query[12:at + 5]
            name = POINTERS.get(".".join(labels).lower())
            data = b"".join(bytes([len(x)]) + x.encode() for x in (name or "").split(".") if x)
            flags = 0x8180 if name else 0x8183
            head = query[:2] + struct.pack(">HHHHH", flags, 1, 1 if name else 0, 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 60, len(data) + 1) + data + b"\0"
            s.sendto(head + question + (record if name else b""), peer)

    threading.Thread(target=answer, daemon=True).start()


def files(directory):
    """The namespace's own /etc/hosts and /etc/resolv.conf."""
    for name, text in (("hosts", HOSTS), ("resolv.conf", "nameserver 127.0.0.1\n")):
        path = directory / name
        path.write_text(text)
        os.chmod(path, 0o644)
        shell(f"mount --bind {path} {os.path.realpath('/etc/' + name)}")


def listener(address, port, backlog=5, family=socket.AF_INET, v6only=None):
    s = keep(socket.socket(family, socket.SOCK_STREAM))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if v6only is not None:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    s.bind((address, port))
    s.listen(backlog)
    return s


def pair(server):
    """Both ends of a new connection: the client's, the server's."""
    c = socket.socket(server.family, socket.SOCK_STREAM)
    at = server.getsockname()
    c.connect((at[0], *at[1:]))
    s, _ = server.accept()
    keep(c, s)
    return c, s


def fill(s):
    """Sends until nothing more goes: the peer does not read."""
    s.setblocking(False)
    silence = 0
    while silence < 3:
        try:
            s.send(b"x" * 65536)
            silence = 0
        except BlockingIOError:
            silence += 1
            time.sleep(0.02)


def drop(s):
    """Closes it and forgets it."""
    KEEP.remove(s)
    s.close()


def tcp_opening(web):
    full = listener("127.0.0.1", 2001, backlog=0)
    for _ in range(3):  # the queue takes one; the others go on knocking
        c = keep(socket.socket())
        c.setblocking(False)
        c.connect_ex(full.getsockname())
    for at in (("192.0.2.9", 443), ("192.0.2.200", 65535)):
        c = keep(socket.socket())
        c.setblocking(False)
        c.connect_ex(at)
    half_open("192.0.2.77", web)


def half_open(source, server):
    """A SYN from an address that never answers: SYN_RECV."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    src, dst = socket.inet_aton(source), socket.inet_aton("192.0.2.1")
    head = struct.pack(">HHIIBBHHH", 4321, server.getsockname()[1], 7, 0, 5 << 4, 2, 1024, 0, 0)
    pseudo = src + dst + struct.pack(">BBH", 0, 6, len(head))
    total = sum(array.array("H", pseudo + head))
    total = (total & 0xffff) + (total >> 16)
    total = ~(total + (total >> 16)) & 0xffff
    head = head[:16] + struct.pack("=H", total) + head[18:]
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(head), 1, 0, 64, 6, 0, src, dst)
    raw.sendto(ip + head, ("192.0.2.1", 0))
    raw.close()


def tcp_closing(web):
    pair(web)[0].shutdown(socket.SHUT_WR)         # FIN_WAIT2 with an owner, CLOSE_WAIT
    drop(pair(web)[0])                            # FIN_WAIT2 without
    c, s = pair(web)                              # FIN_WAIT1: data before the FIN does not go
    fill(c)
    c.shutdown(socket.SHUT_WR)
    c, s = pair(web)                              # the same without an owner
    fill(c)
    drop(c)
    c, s = pair(web)                              # LAST_ACK
    fill(s)
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    drop(s)
    c, s = pair(web)                              # CLOSING
    fill(c)
    c.shutdown(socket.SHUT_WR)
    s.shutdown(socket.SHUT_WR)
    time_wait(web)


def time_wait(web):
    c, s = pair(web)
    drop(c)
    s.recv(1)
    drop(s)


def tcp():
    web = listener("0.0.0.0", 80)
    listener("127.0.0.1", 8080)
    listener("127.100.100.100", 65535)
    listener("::", 443, family=socket.AF_INET6, v6only=0)
    only6 = listener("::", 8443, family=socket.AF_INET6, v6only=1)
    listener("::1", 22, family=socket.AF_INET6)
    both = listener("::", 9000, family=socket.AF_INET6, v6only=0)
    c = keep(socket.create_connection(("127.0.0.1", 9000)))  # IPv4-mapped
    keep(both.accept()[0])
    pair(only6)
    wide = listener("2001:db8:aaaa:bbbb:cccc:dddd:eeee:1", 54321, family=socket.AF_INET6)
    pair(wide)
    linked = keep(socket.socket(socket.AF_INET6))
    linked.bind(("fe80::1", 25, 0, socket.if_nametoindex("d0")))
    linked.listen()
    c, s = pair(web)
    c.send(b"unread" * 100)                       # Recv-Q
    c, s = pair(web)
    fill(c)                                       # Send-Q, and a probe timer
    c, s = pair(web)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    bound = keep(socket.socket())
    bound.bind(("127.0.0.1", 3333))               # neither listens nor connects
    tcp_opening(web)
    tcp_closing(web)


def udp():
    for family, at in ((socket.AF_INET, ("0.0.0.0", 123)), (socket.AF_INET, ("127.0.0.1", 500)),
                       (socket.AF_INET6, ("::", 5353)), (socket.AF_INET6, ("::1", 65000))):
        keep(socket.socket(family, socket.SOCK_DGRAM)).bind(at)
    full = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    full.bind(("127.0.0.1", 4444))
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    s.connect(("127.0.0.1", 4444))
    s.send(b"queued")
    s = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    s.connect(("::1", 65000))
    zone = socket.if_nametoindex("d0")
    s = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    s.bind(("fe80::1", 546, 0, zone))
    s.connect(("fe80::2", 547, 0, zone))
    s = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    s.connect(("::ffff:127.0.0.1", 500))
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    s.connect(("192.0.2.3", 53))
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    s.connect(("192.0.2.4", 123))
    member = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    member.bind(("224.0.0.251", 5354))
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                      socket.inet_aton("224.0.0.251") + socket.inet_aton("192.0.2.1"))
    try:
        keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)).bind(("127.0.0.1", 136))
    except OSError:
        pass  # a kernel without UDP-Lite


def raw():
    for family, protocol in ((socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET, 255),
                             (socket.AF_INET6, socket.IPPROTO_ICMPV6), (socket.AF_INET6, 255)):
        keep(socket.socket(family, socket.SOCK_RAW, protocol))
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, 89))
    s.connect(("192.0.2.3", 0))
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, 47))
    s.bind(("127.0.0.1", 0))
    keep(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)))
    keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))


def unix(directory):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        keep(*socket.socketpair(socket.AF_UNIX, kind))
    for kind, name in ((socket.SOCK_STREAM, str(directory / "stream")),
                       (socket.SOCK_DGRAM, str(directory / "datagram")),
                       (socket.SOCK_SEQPACKET, "\0abstract-seqpacket"),
                       (socket.SOCK_STREAM, "\0hail-test/abstract"),
                       (socket.SOCK_DGRAM, b"\0a\0b\0"), (socket.SOCK_DGRAM, b"\0\xff\xfe"),
                       (socket.SOCK_STREAM, "\0" + "x" * 107)):
        s = keep(socket.socket(socket.AF_UNIX, kind))
        s.bind(name)
        if kind != socket.SOCK_DGRAM:
            s.listen(1)
            c = keep(socket.socket(socket.AF_UNIX, kind))
            c.connect(name)
    s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    s.bind("")  # a name that the kernel picks
    keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))


NAMES = ("/usr/bin/a-name-that-is-much-longer-than-net-tools-shows", "plain", "/opt/x/", "-login",
         "two words", "", "//", "daemon: at /run/x", "pro\u00e9", b"\xff\xfe", "(sd-pam)")


def child(argv0, uid, port, shared):
    """A process of that name and user that holds a listener of its own and the shared one."""
    code = ("import os,socket,sys,time\n"
            "s=socket.socket();s.bind(('127.0.0.1',int(sys.argv[1])));s.listen()\n"
            "os.setuid(int(sys.argv[2]));print('up',flush=True);sys.stdin.read()\n")
    p = subprocess.Popen([argv0, "-c", code, str(port), str(uid)], executable="/usr/bin/python3",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[shared.fileno()])
    p.stdout.readline()
    return p


def execute(request):
    argv, user = request["argv"], request["user"]
    if request["shell"]:
        argv = ["sh", "-c", f'exec "$@" {request["shell"]}', "sh", *argv]
    if user is not None:
        argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *argv]
    if request["seconds"]:
        argv = ["timeout", "-s", "INT", str(request["seconds"]), *argv]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


def main():
    directory = pathlib.Path(sys.argv[1])
    network()
    files(directory)
    name_server()
    udp()
    raw()
    unix(directory)
    shared = listener("127.0.0.1", 7000)
    children = [child(name, (65534, 1, 0, 65534, 2)[i % 5], 7001 + i, shared)
                for i, name in enumerate(NAMES)]
    tcp()
    time.sleep(0.2)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(execute(json.loads(line))), flush=True)
    for p in children:
        p.stdin.close()
        p.wait()


if __name__ == "__main__":
    main()
