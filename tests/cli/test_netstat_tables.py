"""hail netstat's -r -i -g -s -M and old families, byte for byte net-tools' netstat.

Both run in one private network namespace with names of its own, or on a /proc made up for the test.
"""

import itertools
import os
import pty
import random
import shutil
import subprocess

import pytest

import netstat_files

NETSTAT = shutil.which("netstat") or "/usr/bin/netstat"
TOOLS = ("unshare", "nsenter", "ip", "mount")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists(NETSTAT) or not all(map(shutil.which, TOOLS)),
    reason="needs root, net-tools' netstat, util-linux and iproute2")

HOSTS = """127.0.0.1 localhost
10.1.0.254 gateway.example
10.1.0.2 a-very-long-host-name-of-a-gateway.example.org alias
10.77.0.1 single
2001:db8::2 gw6.example
2001:db8::3 a-really-long-name-for-a-router-in-ipv6.example.org
224.1.2.3 group.example
ff02::1 all-nodes
2001:db8:5:: v6net
"""
NETWORKS = "loopback 127.0.0.0\nlink-local 169.254.0.0\nbig-network-name-here 10.9.0.0\nshort 10.12\n"

# No packets but the test's own. What the kernel may lack is left out: "|| :".
SETUP = r"""
set -e
mount --make-rprivate /
for f in hosts networks resolv.conf; do mount --bind "$DIR/$f" "/etc/$f"; done
for s in accept_dad router_solicitations; do echo 0 >/proc/sys/net/ipv6/conf/default/$s || :; done
ip link set lo up
ip link add longvethname14 type veth peer name veth0
ip link add veth10 type veth peer name veth2
ip link add veth9x type veth peer name a9
ip link add veth11 type veth peer name 9a
ip link add "$(printf 'bad\033[31m')" type veth peer name abcdefghijklmno
for t in ifb dummy bridge gre ipip sit; do ip link add kind-$t type $t remote 10.1.0.9 2>/dev/null ||
    ip link add kind-$t type $t 2>/dev/null || :; done
for t in tun tap; do ip tuntap add dev ${t}7 mode $t 2>/dev/null || :; done
for i in longvethname14 veth0 veth10 veth2 abcdefghijklmno kind-ifb tun7; do
    ip link set $i up || :; done
ip addr add 10.1.0.1/16 dev veth0
ip addr add 10.1.7.1/24 brd + dev veth0 label veth0:1
ip addr add 10.1.8.1/24 dev veth0 label veth0:10
ip addr add 10.1.9.1/24 dev veth0 label veth0:9
ip addr add 192.0.2.1 peer 192.0.2.9 dev longvethname14
for a in 2001:db8::1/64 fec0::1/64 ::ffff:1.2.3.4/128 ::1.2.3.4/128; do
    ip addr add $a dev veth0 nodad; done
ip link set veth10 promisc on allmulticast on mtu 9000
ip link set veth2 arp off
ip link set veth9x multicast off txqueuelen 7
ip route add default via 10.1.0.254
ip route add 10.9.0.0/16 via 10.1.0.2 metric 77 mtu 1300 window 4000 rtt 5
ip route add blackhole 10.10.0.0/16
ip route add unreachable 10.11.1.1
ip route add prohibit 10.12.0.0/16 metric 5
ip route add throw 10.13.0.0/16
for r in 127.0.0.0/8 127.0.0.1 169.254.0.0/16 0.0.0.0/1 0.0.0.0/32 10.77.0.1; do
    ip route add $r dev veth0; done
ip route add 10.78.0.0/16 nexthop via 10.1.0.5 nexthop via 192.0.2.9
ip -6 route add default via 2001:db8::2
ip -6 route add 2001:db8:5::/48 via 2001:db8::3 metric 9 mtu 1400
ip -6 route add 2001:db8:8::/48 via 2001:db8::3 expires 1000
ip -6 route add unreachable 2001:db8:6::/48
ip -6 route add blackhole 2001:db8:7::/48
ip addr add 224.1.2.3/32 dev veth0 autojoin
ip addr add ff05::1:3/128 dev veth0 autojoin
/usr/bin/python3 - <<'END'
import socket
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        for _ in range(30):
            s.sendto(b"x" * 500, (host, 9))
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as client, server.accept()[0] as other:
        client.sendall(b"y" * 3000)
        other.recv(9999)
END
"""

# A name server at 127.0.0.1 of the namespace, for gateways that no file names.
NAME_SERVER = r"""
import socket, struct
NAMES = {b"5.0.1.10": [b"first.example", b"second.example"], b"6.0.1.10": [b"under_score.Example"],
         b"7.0.1.10": [b"es\x1b[31mcape.example"], b"8.0.1.10": [b"-dash.example"],
         b"9.0.1.10": [b"bad example", b"good.example"]}
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        question, peer = s.recvfrom(2000)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]])
            at += 1 + question[at]
        names = NAMES.get(b".".join(labels[:4]), []) if labels[4:5] == [b"in-addr"] else []
        answer = b""
        for name in names:
            data = b"".join(bytes([len(one)]) + one for one in name.split(b".")) + b"\0"
            answer += b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 60, len(data)) + data
        head = struct.pack(">HHHHH", 0x8180 if names else 0x8183, 1, len(names), 0, 0)
        s.sendto(question[:2] + head + question[12:at + 5] + answer, peer)
"""

# A /proc of files, with what the sanitizers need of the real one.
FILES = r"""
set -e
mount --make-rprivate /
for f in hosts networks resolv.conf; do mount --bind "$DIR/$f" "/etc/$f"; done
ip link add eth0 type veth peer name eth1
mount --rbind /proc "$DIR/proc/real"
mount --rbind "$DIR/proc" /proc
"""


class Namespace:
    """A process in namespaces of its own; run() runs programs beside it."""

    def __init__(self, directory, setup):
        (directory / "hosts").write_text(HOSTS)
        (directory / "networks").write_text(NETWORKS)
        (directory / "resolv.conf").write_text("nameserver 127.0.0.1\n")  # refuses at once
        self.environment = {**os.environ, "DIR": str(directory), "LC_ALL": "C"}
        self.keeper = subprocess.Popen(
            ["unshare", "-n", "-m", "sh", "-c", setup + "\necho ready\nexec sleep 600"],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.keeper.stdout.readline() != b"ready\n":
            self.close()
            pytest.skip(f"no namespace: {self.keeper.stderr.read().decode(errors='replace')}")
        self.prefix = ["nsenter", "-n", "-m", "-t", str(self.keeper.pid)]

    def run(self, *command, **more):
        done = subprocess.run([*self.prefix, *command], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, env=self.environment, **more)
        return done.returncode, done.stderr, done.stdout

    def open(self, *command, **more):
        return subprocess.Popen([*self.prefix, *command], env=self.environment, **more)

    def differences(self, hail, rows):
        """What differs, for each row of options; the real one may have moved on meanwhile."""
        found = []
        for options in rows:
            for _ in range(5):
                before = self.run(NETSTAT, *options)
                ours = self.run(hail, "netstat", *options)
                if ours == before or ours == self.run(NETSTAT, *options):
                    break
            else:
                found.append((options, before, ours))
        return found

    def close(self):
        self.keeper.kill()
        self.keeper.wait()


@pytest.fixture(name="rich", scope="module")
def fixture_rich(tmp_path_factory):
    namespace = Namespace(tmp_path_factory.mktemp("rich"), SETUP)
    yield namespace
    namespace.close()


@pytest.fixture(name="files", scope="module")
def fixture_files(tmp_path_factory):
    """The namespace, and the folder of the files that its /proc has."""
    directory = tmp_path_factory.mktemp("files")
    (directory / "proc" / "real").mkdir(parents=True)
    (directory / "proc" / "self").symlink_to("real/self")
    namespace = Namespace(directory, FILES)
    # leaks are looked for through /proc/PID, which is not there
    namespace.environment["ASAN_OPTIONS"] = "detect_leaks=0"
    yield namespace, directory / "proc" / "net"
    namespace.close()


def letters(*choices):
    """Every combination of one letter (or none) of each choice."""
    return ["".join(one) for one in itertools.product(*choices)]


FAMILIES = ["", "-4", "-6", "-Ainet6,inet", "-Aipx", "-Aax25", "-Ax25", "-Arose", "-Anetrom",
            "-Addp", "-Aunix", "-Aeconet", "-Aash", "-Abluetooth", "-Ainet,ipx", "--ip", "--inet6"]
GROUPS = {
    "routes": [[f"-r{how}", *([family] if family else [])] for family in FAMILIES
               for how in ("", "n", "e", "ee", "eee", "eeee", "F", "C", "FC", "v", "N", "W", "nee",
                           "Cee", "Nee", "Cn", "al", "po", "eN", "CFn", "CFee")],
    "interfaces": [[f"-i{how}"] for how in
                   letters(["", "a"], ["", "e", "ee"], ["", "n"], ["", "W"], ["", "v"], ["", "6"])],
    "groups": [[f"-g{how}"] for how in
               letters(["", "n"], ["", "4", "6", "46"], ["", "a"], ["", "v", "W", "e"])],
    "statistics": [[f"-s{how}"] for how in letters(["", "t"], ["", "u"], ["", "w"], ["", "S"],
                                                   ["", "U"], ["", "6", "4"], ["", "n", "ce"])],
    "families": [[view, f"-A{family}"] for view in ("-s", "-g", "-gn", "-i", "-M")
                 for family in ("ipx", "ax25", "unix", "inet,inet6", "inet6", "ip6", "ip", "tcpip",
                                "ddp", "ash", "econet", "bluetooth", "foo", "inet,foo")],
    "masquerade": [["-M" + how] for how in letters(["", "n"], ["", "e"], ["", "c"], ["", "v"])],
    "old": [[f"--{family}", *how] for family in ("ipx", "ax25", "x25", "netrom", "rose")
            for how in ([], ["-a"], ["-e"], ["-v"], ["-n"], ["-l"], ["--raw"])] +
           [["-Aipx,ax25"], ["-2"], ["-f"], ["--bluetooth"], ["-v"], ["-r", "-i"], ["-rnM"]],
}


@pytest.mark.parametrize("group", GROUPS)
def test_equals_netstat(hail, rich, group):
    assert rich.differences(hail, GROUPS[group]) == []


def test_takes_names_from_dns_as_netstat_does(hail, tmp_path):
    """Those that cannot be a host's are none: libc refuses them, too."""
    gateways = "".join(f"ip route add 10.9.{k}.0/24 via 10.1.0.{k}\n" for k in range(5, 11))
    namespace = Namespace(tmp_path, SETUP + gateways)
    server = namespace.open("/usr/bin/python3", "-c", NAME_SERVER, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == b"ready\n"
        assert namespace.differences(hail, [["-r"], ["-re"], ["-g"], ["-r6"]]) == []
        shown = namespace.run(hail, "netstat", "-r")[2]
        assert b" first.example " in shown and b" under_score.Exa " in shown
        assert b"\033" not in shown and b" 10.1.0.8 " in shown and b" 10.1.0.9 " in shown
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        namespace.close()


def test_equals_netstat_where_nothing_is(hail, tmp_path):
    empty = Namespace(tmp_path, "")
    rows = [["-" + how] for how in ("r", "re", "ree", "rn", "rC", "r6", "i", "ia", "iae", "g", "gn4",
                                    "s", "s6", "st")]
    try:
        assert empty.differences(hail, rows) == []
    finally:
        empty.close()


def test_equals_netstat_on_any_kernel(hail, files):
    """On files that kernels with these families have, and with lines that are broken."""
    namespace, net = files
    for name, text in netstat_files.NET.items():
        (net / name).parent.mkdir(parents=True, exist_ok=True)
        (net / name).write_text(text)
    assert namespace.differences(hail, [[one] for one in netstat_files.OPTIONS]) == []
    for name in ("igmp", "snmp", "snmp6", "dev", "route", "ipv6_route"):
        (net / name).unlink()
    assert namespace.differences(hail, [["-g"], ["-g4"], ["-s"], ["-s6"], ["-i"], ["-r"],
                                        ["-r6"]]) == []
    (net / "dev").write_text("a\nb compressed\n gone0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
    assert namespace.differences(hail, [["-i"], ["-ie"]]) == []


def mutated(rnd, text):
    b = bytearray(text.encode())
    for _ in range(rnd.choice((1, 3, 10))):
        at = rnd.randrange(len(b) + 1)
        what = rnd.randrange(5)
        if what == 0 and at < len(b):
            b[at] = rnd.choice(b" \n\t:09fFzZ-,\0\xff")
        elif what == 1:
            b[at:at] = rnd.choice((b" ", b"\n", b"9" * 30, b"A" * 300, b":", b"\t", b"-1"))
        elif what == 2:
            del b[at:at + rnd.choice((1, 5, 50))]
        elif what == 3:
            b += b[at:at + 40]
        else:
            del b[at:]
    return bytes(b)


def test_survives_broken_files(hail, files):
    namespace, net = files
    rnd = random.Random(3)
    for _ in range(4):
        for name, text in netstat_files.NET.items():
            (net / name).parent.mkdir(parents=True, exist_ok=True)
            (net / name).write_bytes(mutated(rnd, text))
        for option in netstat_files.OPTIONS:
            status, err, _ = namespace.run(hail, "netstat", option)
            assert status in (0, 1, 3, 255) and b"Sanitizer" not in err, (option, status, err)


def first_lines(namespace, count, *command):
    with namespace.open(*command, stdout=subprocess.PIPE) as process:
        lines = [process.stdout.readline() for _ in range(count)]
        process.terminate()
    return lines


@pytest.mark.parametrize("option", ["-icn", "-iacen", "-rcn", "-rcn6", "-rcC"])
def test_repeats_as_netstat_does(hail, rich, option):
    once = rich.run(NETSTAT, option.replace("c", ""))[2].count(b"\n")
    rounds = 2 * once - (1 if option.startswith("-i") else 0)  # its title comes once
    for _ in range(3):
        theirs = first_lines(rich, rounds, NETSTAT, option)
        if theirs == first_lines(rich, rounds, hail, "netstat", option):
            return
    raise AssertionError(theirs)


def test_repeats_the_groups_of_ipv4(hail, rich):
    """net-tools reads them as IPv6's from the second time on."""
    once = rich.run(hail, "netstat", "-gn")[2].splitlines(keepends=True)
    assert first_lines(rich, 2 * len(once), hail, "netstat", "-gcn") == once + once


def test_counts_with_the_longest_name(hail, rich):
    """net-tools shows zeros for a name of 15 letters."""
    name = "abcdefghijklmno"
    for _ in range(5):
        line = [row.split() for row in rich.run(hail, "netstat", "-i")[2].decode().splitlines()
                if row.startswith(name)][0]
        shown = [int(line[k]) for k in (2, 6)]
        proc = rich.run("sed", "-n", f"s/^ *{name}: *//p", "/proc/net/dev")[2].split()
        counted = [int(proc[k]) for k in (1, 9)]
        if shown == counted:
            return
    raise AssertionError((shown, counted))


def test_names_are_safe_on_a_terminal(hail, rich):
    bad = b"bad\033[31m"
    assert bad in rich.run(hail, "netstat", "-ia")[2]
    for option in ("-ia", "-iae", "-gn"):
        outer, inner = pty.openpty()
        with rich.open(hail, "netstat", option, stdin=inner, stdout=inner, stderr=inner) as process:
            os.close(inner)
            text = b""
            try:
                while piece := os.read(outer, 65536):
                    text += piece
            except OSError:  # the end of a terminal
                pass
            os.close(outer)
            assert process.wait(timeout=30) == 0
        assert b"\033[31m" not in text and b"bad\\e[31m" in text


def test_names_a_full_output(hail, rich):
    for option in ("-r", "-i", "-s"):
        with open("/dev/full", "w", encoding="ascii") as full:
            process = rich.open(hail, "netstat", option, stdout=full, stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 8 and b"no space left" in err
