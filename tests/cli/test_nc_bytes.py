"""`hail nc`, called nc, beside netcat-openbsd: the same words, statuses and bytes on the wire.

Both run in one network namespace of the test's own, one after the other, against the same state of
the world. What differs on purpose has its test in test_nc.py and is in the manual.
"""
import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import threading

import pytest

NETCAT = shutil.which("nc.openbsd")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root"),
    pytest.mark.skipif(not NETCAT, reason="netcat-openbsd is not installed"),
]


@pytest.fixture(name="space", scope="module")
def fixture_space(tmp_path_factory):
    """The prefix for a command to be run in a namespace with its own loopback and names."""
    hosts = tmp_path_factory.mktemp("etc") / "hosts"
    hosts.write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.0.2 two\n127.0.0.3 two\n")
    begin = f"mount --bind {hosts} /etc/hosts; ip link set lo up; echo ready; exec cat"
    with subprocess.Popen(["unshare", "-nm", "sh", "-c", begin], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "ready\n"
        yield ["nsenter", "-t", str(holder.pid), "-n", "-m"]
        holder.stdin.close()


@pytest.fixture(name="both", scope="module")
def fixture_both(hail, tmp_path_factory, space):
    """Runs netcat, then hail, and gives what each did."""
    link = tmp_path_factory.mktemp("bin") / "nc"
    link.symlink_to(os.path.abspath(hail))
    env = {k: v for k, v in os.environ.items() if not k.startswith("NC")}

    def run(args, stdin=b"", timeout=20):
        seen = []
        for program in (NETCAT, str(link)):
            done = subprocess.run([*space, program, *args], input=stdin, capture_output=True, env=env,
                                  timeout=timeout, check=False)
            err = done.stderr.replace(program.encode() + b": ", b"nc: ").replace(b"nc.openbsd: ", b"nc: ")
            seen.append((done.returncode, done.stdout, err))
        return seen

    return run


WORDS = """
|127.0.0.1|-l|-l 1 2 3|-lk|-N -l|-l -s 127.0.0.1|-l -p 80 -s 127.0.0.1 90|-l -p 0 127.0.0.1
-lv -p 45001 127.0.0.1|-l -s 127.0.0.1 45003|-vl -s 127.0.0.1 127.0.0.2 45003|-k 127.0.0.1 1|-kz 1 2
-d -k 127.0.0.1 1|-lz 1|-lUz /nowhere/x|-F -U /x|-U a b|-U|-u|-u -x 1:1 127.0.0.1 1
-s 127.0.0.1 -x 1:1 127.0.0.1 1|-U -x foo /nowhere/x|-l -x a:1 45003|-h|-y|--foo|--|-w|-q|-I|-X
-w x 127.0.0.1 1|-w -1 127.0.0.1 1|-w 0 127.0.0.1 1|-w 99999999999 127.0.0.1 1|-w 1x 127.0.0.1 1
-q x 127.0.0.1 1|-q -5 127.0.0.1 1|-q 99999999999 127.0.0.1 1|-i 0 127.0.0.1 1|-i -1 127.0.0.1 1
-i 99999999999 127.0.0.1 1|-i z 127.0.0.1 1|-W x|-W 0 127.0.0.1 1|-W 99999999999 127.0.0.1 1
-X 3 127.0.0.1 1|-X 5 127.0.0.1 1|-X CONNECT 127.0.0.1 1|-X Socks 127.0.0.1 1|-Z|-V 1 127.0.0.1 1
-T lowdelay 127.0.0.1 1|-T foo 127.0.0.1 1|-T 256 127.0.0.1 1|-T -1 127.0.0.1 1|-T 0xff 127.0.0.1 1
-T af11 127.0.0.1 1|-T AF11 127.0.0.1 1|-T ef -v -z 127.0.0.1 1|-T cs7 -zv ::1 1|-T 010 127.0.0.1 1
-M x 127.0.0.1 1|-M -1 127.0.0.1 1|-M 256 127.0.0.1 1|-M 5 -vz 127.0.0.1 1|-m x 127.0.0.1 1
-m 300 127.0.0.1 1|-m 0 127.0.0.1 1|-m 1 -vz 127.0.0.1 1|-M 9 -vz ::1 1|-m 1 -vz ::1 1
-I x -O x 127.0.0.1 1|-I 0 127.0.0.1 1|-I 99999999999 127.0.0.1 1|-O -1 127.0.0.1 1|-O 4096 -vz ::1 1
127.0.0.1 1|-v 127.0.0.1 1|-vn 127.0.0.1 1|-vn localhost 1|-v nosuch.invalid 80|-v ::1 1|-v 127.1 1
-v 0x7f000001 1|-v 2130706433 1|-vl nosuch.invalid 1|-4 ::1 1|-6v 127.0.0.1 1|-v 0 1|-vn nosuch 1
-zv 127.0.0.1 5-1|-zv 127.0.0.1 0|-zv 127.0.0.1 65536|-zv 127.0.0.1 1-|-zv 127.0.0.1 -- -1
-zv 127.0.0.1 1-70000|-zv 127.0.0.1 http-https|-zv 127.0.0.1 1-http|-zv 127.0.0.1 x-2|-zv 127.0.0.1 +1
-zv 127.0.0.1 1-3|-zvr 127.0.0.1 7-7|-zvw1 127.0.0.1 1-3|-zvn 127.0.0.1 1-3|-z 127.0.0.1 1-3
-v 127.0.0.1 nosuchservice|-v 127.0.0.1 http|-vv 127.0.0.1 ssh|-zv 127.0.0.1 0-3|-zv 127.0.0.1 3-3
-s 192.0.2.1 -v 127.0.0.1 1|-p abc 127.0.0.1 1|-p 99999 127.0.0.1 1|-v -p 7654 127.0.0.1 1
-vs 127.0.0.2 127.0.0.1 1|-s ::1 -v 127.0.0.1 1|-s nosuch.invalid 127.0.0.1 1|-U /nowhere/x
-Uv /nowhere/x|-lU /nowhere/x|-Uz /nowhere/x|-Un x|-UN @nobody-listens|-S 127.0.0.1 1|-D 127.0.0.1 1
-b 127.0.0.1 1|-t -v 127.0.0.1 1|-r -v 127.0.0.1 1|-C -v 127.0.0.1 1|-d -v 127.0.0.1 1
-v localhost 1|-zv localhost 1-3|-v6 localhost 1|-v two 1|-zv two 1-2 7|-zv 127.0.0.1 3 1-2 2
-zv 127.0.0.1 3 x|-zv 127.0.0.1 3 0 1|-v 127.0.0.1 1 2 3|-v -p 7755 localhost 1|-v -s ::1 localhost 1
-v -s 127.0.0.1 localhost 1|-v -s localhost localhost 1|-v -s 127.0.0.9 two 1|-zv -s ::1 127.0.0.1 1-2
-Z 127.0.0.1 1|-vZ ::1 1|-zvZ 127.0.0.1 1-3|-lvZ 127.0.0.1 45005|-ZU a b|-Zx 1:1 127.0.0.1 1|-ZU
-x a -Z -l 1|-Zlz 1|-Zk 1 2|-v -x 127.0.0.1:1 127.0.0.1 80|-v -x 127.0.0.1 -X connect 127.0.0.1 80
-v -x 127.0.0.1 -X 4 127.0.0.1 80|-v -x 127.0.0.1 name.invalid 80|-v -x [::1] 127.0.0.1 80
-v -x [::1]1 127.0.0.1 80|-v -x [::1 127.0.0.1 80|-v -x : 127.0.0.1 80|-v -x a:b:c 127.0.0.1 80
-v -x ::1 127.0.0.1 80|-v -x ::1:1 127.0.0.1 80|-v -x [::1]: 127.0.0.1 80|-v -x [] 127.0.0.1 80
-v -x 127.0.0.1:http 127.0.0.1 80|-v -x 127.0.0.1:nosuch 127.0.0.1 80|-v -x localhost:1 127.0.0.1 80
-v -6 -x 127.0.0.1:1 127.0.0.1 80|-n -x localhost:1 127.0.0.1 80|-vzx 127.0.0.1:1 127.0.0.1 80-82
-v -x 127.0.0.1:1 127.0.0.1 nosuch|-P joe -x 127.0.0.1:1 127.0.0.1 1|-x nosuch.invalid:1 127.0.0.1 1
-F -v 127.0.0.1 1|-v -l 127.0.0.1 45000-45001|-vl 192.0.2.1 45000|-6vl 127.0.0.1 45000|-n -l localhost 1
"""
CASES = [words.split() for line in WORDS.strip().splitlines() for words in line.split("|")]


@pytest.mark.parametrize("args", CASES, ids=" ".join)
def test_words_and_statuses(both, args):
    theirs, ours = both(args)
    assert ours == theirs


# Every mixture of what says where, with no operand to three.
PLACES = [[*itertools.chain(*options), *operands[:n]]
          for k in range(6) for options in itertools.combinations(
              [["-U"], ["-u"], ["-l"], ["-k"], ["-s", "/nowhere/y"], ["-p", "nosuch"]], k)
          for operands in [["/nowhere/x", "nosuch", "3"]]
          for n in range(4)]


def test_operands_of_every_kind(both):
    for args in PLACES:
        if "-u" in args and "-U" in args and "-l" not in args and "-s" not in args:
            continue  # a temporary name is in the message
        theirs, ours = both(args)
        assert ours == theirs, args


class Peer:
    """A server in the namespace that talks as told and keeps what it heard."""

    CODE = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(64)
print("ready", flush=True)
for _ in range(int(sys.argv[4])):
    c, _ = s.accept()
    heard = c.recv(65536) if sys.argv[5] == "asked" else b""
    c.sendall(bytes.fromhex(sys.argv[3]))
    if sys.argv[5] == "half": c.shutdown(socket.SHUT_WR)
    c.settimeout(0.6 if sys.argv[5] == "keep" else 5)
    try:
        while sys.argv[5] != "close" and (more := c.recv(65536)): heard += more
    except OSError as e: heard += repr(e).encode()
    c.close()
    print(heard.hex(), flush=True)
"""

    def __init__(self, space, host, port, says, times, how):
        self.process = subprocess.Popen(
            [*space, "/usr/bin/python3", "-c", self.CODE, host, str(port), says.hex(), str(times), how],
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def heard(self):
        return bytes.fromhex(self.process.stdout.readline().strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


PORTS = itertools.count(21000)
IAC = b"\xff"
CONVERSATIONS = [
    # options, what we say, what the peer says, how it ends
    (["-N"], b"hello\n", b"hi\n", "half"),
    (["-N", "-v"], b"hello\n", b"hi\n", "half"),
    (["-Nn", "-vv"], b"", b"only the peer\n", "half"),
    (["-q", "1"], b"then wait\n", b"answer", "half"),
    (["-q", "0"], b"then go\n", b"", "keep"),
    (["-d", "-N"], b"never read", b"said\n", "close"),
    (["-C", "-N"], b"one\ntwo\r\nthree", b"", "half"),
    (["-C", "-N"], b"\n\n\r\n\r", b"", "half"),
    (["-t", "-w", "1"], b"", IAC + b"\xfd\x01" + IAC + b"\xfb\x03login: ", "keep"),
    (["-W", "1"], b"ask", b"first", "asked"),
    (["-w", "1"], b"ask", b"idle", "keep"),
    (["-N", "-I", "8192", "-O", "8192"], b"small buffers\n", b"ok\n", "half"),
    (["-N", "-T", "throughput", "-M", "3"], b"marked\n", b"ok\n", "half"),
    (["-z"], b"", b"", "half"),
    (["-zv"], b"", b"", "half"),
    (["-N", "-r"], b"x" * 30000, b"y" * 30000, "half"),
    (["-N", "-i", "1"], b"one\n", b"", "half"),
]


@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("case", CONVERSATIONS, ids=lambda c: " ".join(c[0]))
def test_conversations(both, space, case, family):
    options, say, hear, how = case
    port = next(PORTS)
    with Peer(space, family, port, hear, 2, how) as peer:
        theirs, ours = both([*options, family, str(port)], stdin=say)
        heard = [peer.heard(), peer.heard()]
    assert ours == theirs
    assert heard[0] == heard[1]


MIXTURES = list(itertools.product(
    ["-N", "-q 1", "-w 1", "-C -N", "-d", "-t -N", "-W 1 -N", "-N -v", "-n -N -vv", "-N -O 4096", "-r -N",
     "-N -T ef", "-i 1 -N", "-N -m 1", "-N -D", "-N -b", "-4 -N", "-N -s 127.0.0.1"],
    [b"", b"one\ntwo", b"x" * 9000], [b"", b"hi\n"], ["half", "keep"]))


@pytest.mark.parametrize("options", sorted({m[0] for m in MIXTURES}))
def test_mixtures(both, space, options):
    for _, say, hear, how in (m for m in MIXTURES if m[0] == options):
        port = next(PORTS)
        with Peer(space, "127.0.0.1", port, hear, 2, how) as peer:
            theirs, ours = both([*options.split(), "127.0.0.1", str(port)], stdin=say)
            heard = [peer.heard(), peer.heard()]
        assert ours == theirs, (say, hear, how)
        # -W: whether the peer's end comes before or after what is said is chance, for both
        if "-W" not in options:
            assert heard[0] == heard[1], (say, hear, how)


def test_a_range_with_open_and_closed_ports(both, space):
    with contextlib.ExitStack() as stack:
        for port in (22001, 22003, 22004):
            stack.enter_context(Peer(space, "127.0.0.1", port, b"", 4, "close"))
        for options in (["-zv"], ["-z"]):
            theirs, ours = both([*options, "127.0.0.1", "22000-22006"])
            assert ours == theirs
            assert ours[0] == 0


def listened(space, program, args, client):
    """What a listener did: status, output, errors, and what its client heard."""
    with subprocess.Popen([*space, program, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as listener:
        timer = threading.Timer(20, listener.kill)
        timer.start()
        heard = subprocess.run([*space, "/usr/bin/python3", "-c", CLIENT, *client], capture_output=True,
                               timeout=20, check=True).stdout
        out, err = listener.communicate(timeout=20)
        timer.cancel()
    return listener.returncode, out, err, heard


CLIENT = """
import socket, sys, time
family, where, local, say = sys.argv[1:5]
s = socket.socket(getattr(socket, family))
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if family != "AF_UNIX": s.bind((local, 23456 if family == "AF_INET" else 23457))
for _ in range(500):
    try:
        s.connect(where if family == "AF_UNIX" else (where, int(sys.argv[5]))); break
    except (ConnectionRefusedError, FileNotFoundError): time.sleep(0.01)
s.sendall(say.encode()); s.shutdown(socket.SHUT_WR)
sys.stdout.buffer.write(s.recv(100)); s.close()
"""


@pytest.mark.parametrize("args,family,where", [
    (["-l", "127.0.0.1", "{}"], "AF_INET", "127.0.0.1"),
    (["-lvn", "127.0.0.1", "{}"], "AF_INET", "127.0.0.1"),
    (["-lv", "127.0.0.1", "{}"], "AF_INET", "127.0.0.1"),
    (["-lvn", "-p", "{}"], "AF_INET", "127.0.0.1"),
    (["-lvn", "-s", "127.0.0.1", "-p", "{}"], "AF_INET", "127.0.0.1"),
    (["-lvn6", "{}"], "AF_INET6", "::1"),
    (["-lvnN", "::1", "{}"], "AF_INET6", "::1"),
    (["-lF", "127.0.0.1", "{}"], "AF_INET", "127.0.0.1"),
    (["-lvU", "{}"], "AF_UNIX", "{}"),
    (["-lU", "{}"], "AF_UNIX", "{}"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else a)
def test_listeners(hail, space, tmp_path, args, family, where):
    link = tmp_path / "nc"
    link.symlink_to(os.path.abspath(hail))
    seen = []
    for program in (NETCAT, str(link)):
        place = str(tmp_path / "socket") if family == "AF_UNIX" else str(next(PORTS))
        local = "127.0.0.1" if family == "AF_INET" else "::1"
        status, out, err, heard = listened(space, program, [a.format(place) for a in args],
                                           [family, where.format(place), local, "said\n", place])
        seen.append((status, out, err.replace(place.encode(), b"PLACE"), heard))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place)
    assert seen[1] == seen[0]
    assert seen[0][1] == b"said\n"


def test_passing_the_descriptor(hail, space, tmp_path):
    link = tmp_path / "nc"
    link.symlink_to(os.path.abspath(hail))
    port = next(PORTS)
    seen = []
    with Peer(space, "127.0.0.1", port, b"through the descriptor", 2, "half"):
        for program in (NETCAT, str(link)):
            a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            with a, b:
                done = subprocess.run([*space, program, "-F", "127.0.0.1", str(port)], stdout=b,
                                      stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=20,
                                      check=False)
                data, fds, _, _ = socket.recv_fds(a, 10, 4)
            with socket.socket(fileno=fds[0]) as s:
                seen.append((done.returncode, done.stderr, data, len(fds), s.recv(100)))
    assert seen[1] == seen[0]
    assert seen[0][4] == b"through the descriptor"
