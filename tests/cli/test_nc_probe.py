"""hail nc -zu: reply, refused or unknown, and never a false "succeeded". In network namespaces, where the
ports of the services are free."""

import json
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest
from dns_peers import find_program
from nc_udp_bed import NETCAT, Namespace, received, udp, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nsenter"),
                                reason="network namespaces take root")
EPOCH = 2208988800


@pytest.fixture(name="nc", scope="module")
def fixture_nc(hail, tmp_path_factory):
    link = tmp_path_factory.mktemp("bin") / "nc"
    link.symlink_to(os.path.abspath(hail))
    return str(link)


@pytest.fixture(name="ns", scope="module")
def fixture_ns():
    with Namespace() as ns:
        yield ns


class Peer:
    """Answers datagrams at a port by a function of (datagram) -> list of answers; keeps what came."""

    def __init__(self, ns, port, answer, host="127.0.0.1"):
        self.socket = ns.make(lambda: udp(host, port))
        self.socket.settimeout(0.1)
        self.answer, self.got, self.over = answer, [], False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.over:
            try:
                question, peer = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            self.got.append(question)
            for answer in self.answer(question):
                self.socket.sendto(answer, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.socket.close()


def dns(question):
    """REFUSED, with the question."""
    return [question[:2] + b"\x80\x05\0\1\0\0\0\0\0\0" + question[12:]]


def ntp(question):
    assert len(question) == 48 and question[0] == 0x23
    now = struct.pack(">II", int(time.time()) + EPOCH, 0)
    return [bytes([0x24, 3, 6, 0xEC]) + bytes(12) + now + question[40:48] + now + now]


def tlv(tag, content):
    return bytes([tag, len(content)]) + content


def snmp(question):
    """A Report with the engine's name, as RFC 3414 has it: built anew from the question's msgID."""
    msg_id = question[7:13]
    head = tlv(0x30, msg_id + tlv(2, b"\0\xff\xe3") + tlv(4, b"\0") + tlv(2, b"\3"))
    user = tlv(0x30, tlv(4, b"\x80\0\x1f\x88\x80abc") + tlv(2, b"\1") + tlv(2, b"\x10") + tlv(4, b"") * 3)
    value = tlv(0x30, tlv(6, bytes([0x2B, 6, 1, 6, 3, 15, 1, 1, 4, 0])) + tlv(0x41, b"\1"))
    pdu = tlv(0xA8, tlv(2, b"\1") + tlv(2, b"\0") + tlv(2, b"\0") + tlv(0x30, value))
    return [tlv(0x30, tlv(2, b"\3") + head + tlv(4, user) + tlv(0x30, tlv(4, b"e") + tlv(4, b"") + pdu))]


def stun(question):
    assert question[:8] == b"\0\1\0\0\x21\x12\xa4\x42" and len(question) == 20
    port = struct.pack(">H", 4096 ^ 0x2112)
    ip = bytes(a ^ b for a, b in zip(bytes([127, 0, 0, 1]), question[4:8]))
    return [b"\1\1\0\x0c" + question[4:] + b"\0\x20\0\x08\0\1" + port + ip]


SERVICES = [(53, "domain", dns, "DNS REFUSED, 0 in answer, 0 in authority"),
            (123, "ntp", ntp, "NTP stratum 3"),
            (161, "snmp", snmp, "SNMP engine 80001f8880616263"),
            (3478, "*", stun, "STUN seen as 127.0.0.1:4096")]


@pytest.mark.parametrize("port, name, answer, words", SERVICES)
def test_services(ns, nc, port, name, answer, words):
    """The question is asked once it is answered, with -v or --probe; without them nothing is said."""
    with Peer(ns, port, answer) as peer:
        done = ns.run(nc, "-zuv", "127.0.0.1", port)
        first, rest = done.stderr.decode().split(" [", 1)
        assert done.returncode == 0, done.stderr
        assert first == f"Connection to 127.0.0.1 {port} port"
        assert rest.startswith("udp/") and rest.endswith(f"] succeeded! reply: {words}\n")
        assert name in rest or name == "*"
        assert len(peer.got) == 1
        done = ns.run(nc, "-zu", "--probe", "127.0.0.1", port)
        assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"")


@pytest.mark.parametrize("port", [53, 123, 161, 3478, 4000])
def test_without_leave_nothing_is_asked(ns, nc, port):
    """An empty datagram carries no payload; a service that does not answer it stays unknown."""
    with Peer(ns, port, lambda question: []) as peer:
        done = ns.run(nc, "-zu", "-w1", "127.0.0.1", port)
        assert done.returncode == 1
        assert done.stderr.decode() == f"nc: 127.0.0.1 port {port} (udp) unknown: no reply, no refusal\n"
        assert peer.got == [b"", b"", b""]


def test_no_payload_for_other_services(ns, nc):
    with Peer(ns, 5000, lambda question: []) as peer:
        done = ns.run(nc, "-zuv", "--probe", "-w1", "127.0.0.1", 5000)
        assert done.returncode == 1
        assert peer.got == [b"", b"", b""]


def test_reply_to_nothing(ns, nc):
    with Peer(ns, 5001, lambda question: [b"hello"]):
        done = ns.run(nc, "-zuv", "127.0.0.1", 5001)
        assert (done.returncode, done.stderr) == (
            0, b"Connection to 127.0.0.1 5001 port [udp/*] succeeded! reply: 5 bytes\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_refused(ns, nc, host):
    done = ns.run(nc, "-zuv", host, 5002)
    assert done.returncode == 1
    assert done.stderr.decode() == f"nc: connect to {host} port 5002 (udp) failed: Connection refused\n"
    done = ns.run(nc, "-zu", host, 5002)
    assert (done.returncode, done.stderr) == (1, b"")


def test_lost_answers(ns, nc):
    """The first two are lost: the third is heard."""
    count = []

    def third(question):
        count.append(1)
        return dns(question) if len(count) == 3 else []
    with Peer(ns, 53, third):
        assert ns.run(nc, "-zuv", "127.0.0.1", 53).returncode == 0


def test_stray_answers_do_not_count(ns, nc):
    """From another port, or another address: not this port's reply."""
    other = ns.make(lambda: udp("127.0.0.1", 6001))
    with other, ns.make(lambda: udp("127.0.0.2", 6000)) as elsewhere:
        with Peer(ns, 6000, lambda question: []) as peer:
            running = subprocess.Popen([*ns.prefix, nc, "-zuv", "-w1", "-p", "6002", "127.0.0.1", "6000"],
                                       stderr=subprocess.PIPE)
            until(lambda: peer.got)
            for stray in (other, elsewhere):
                stray.sendto(b"it is me", ("127.0.0.1", 6002))
            assert b"unknown" in running.communicate(timeout=20)[1]
            assert running.returncode == 1


def test_range(ns, nc):
    """In order, in parallel, in the time of one; 0 when somebody replied."""
    silent = [ns.make(lambda port=port: udp("127.0.0.1", port)) for port in range(7000, 7400, 2)]
    with Peer(ns, 7401, lambda question: [b"x"]):
        begin = time.monotonic()
        done = ns.run(nc, "-zuv", "-w1", "127.0.0.1", "7000-7401")
        assert time.monotonic() - begin < 8
    for one in silent:
        one.close()
    lines = done.stderr.decode().splitlines()
    assert [int(line.split(" port ")[1].split()[0]) if line.startswith("nc: ") else 7401
            for line in lines] == list(range(7000, 7402))
    assert sum("unknown" in line for line in lines) == 200
    assert sum("refused" in line for line in lines) == 201
    assert done.returncode == 0


def test_every_port(ns, nc):
    done = ns.run(nc, "-zuv", "127.0.0.1", "1-65535")
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 65535
    # the port that it asks from is its own
    assert sum("refused" in line for line in lines) >= 65534
    assert done.returncode == 1


def test_name_with_two_addresses(ns, nc):
    """A reply of one address is the port's, whatever the other says."""
    with Peer(ns, 7500, lambda question: [b"x"], host="::1"):
        done = ns.run(nc, "-zuv", "localhost", 7500)
        assert done.returncode == 0
        assert done.stderr.decode() == \
            "Connection to localhost (::1) 7500 port [udp/*] succeeded! reply: 1 byte\n"
    with Peer(ns, 7500, lambda question: [b"x"]):
        done = ns.run(nc, "-zuv", "localhost", 7500)
        assert done.returncode == 0
        assert done.stderr.decode() == \
            "Connection to localhost (127.0.0.1) 7500 port [udp/*] succeeded! reply: 1 byte\n"


def test_json(ns, nc):
    """A document a port; of silence nothing is known."""
    silent = ns.make(lambda: udp("127.0.0.1", 54))
    with silent, Peer(ns, 53, dns):
        done = ns.run(nc, "-zu", "--probe", "--json", "-w1", "127.0.0.1", "53-55")
    assert (done.returncode, done.stderr) == (0, b"")
    common = {"schema": "hail.nc/1", "host": "127.0.0.1", "address": "127.0.0.1"}
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [row.pop("service") for row in rows][0] == "domain"
    assert rows == [
        {**common, "port": 53, "open": True, "error": None, "answer": "reply", "asked": "DNS",
         "says": "REFUSED, 0 in answer, 0 in authority"},
        {**common, "port": 54, "open": None, "error": None, "answer": "unknown", "asked": None, "says": None},
        {**common, "port": 55, "open": False, "error": "Connection refused", "answer": "refused",
         "asked": None, "says": None}]


def test_no_route(ns, nc):
    done = ns.run(nc, "-zuv", "192.0.2.1", 53)
    assert done.returncode == 1
    assert done.stderr.decode() == "nc: 192.0.2.1 port 53 (udp) unknown: Network is unreachable\n"


def test_source_in_use(ns, nc):
    with ns.make(lambda: udp("127.0.0.1", 7600)):
        done = ns.run(nc, "-zuv", "-s", "127.0.0.1", "-p", "7600", "127.0.0.1", 53)
        assert (done.returncode, done.stderr) == (1, b"nc: bind failed: Address already in use\n")


@pytest.mark.parametrize("port, answer", [(p, a) for p, _, a, _ in SERVICES])
def test_malformed_answers(ns, nc, port, answer):
    """Cut, changed, random and huge: a reply all the same, told in printable words."""
    rng = random.Random(port)

    def spoil(question):
        whole = answer(question)[0]
        kind = rng.randrange(5)
        if kind == 0:
            return [whole[:rng.randrange(len(whole))]]
        if kind == 1:
            at = rng.randrange(len(whole))
            return [whole[:at] + bytes([rng.randrange(256)]) + whole[at + 1:]]
        if kind == 2:
            return [rng.randbytes(rng.randrange(200))]
        if kind == 3:
            return [whole + rng.randbytes(60000)]
        return [b""]
    with Peer(ns, port, spoil):
        for _ in range(40):
            done = ns.run(nc, "-zuv", "127.0.0.1", port)
            assert done.returncode == 0, done.stderr
            line = done.stderr.decode("ascii")
            assert "succeeded! reply: " in line and line[:-1].isprintable() and line[-1] == "\n"


@pytest.mark.parametrize("program", ["nsd", "unbound"])
def test_real_name_server(ns, nc, tmp_path, program):
    if not find_program(program):
        pytest.skip(program + " is not installed")
    conf = tmp_path / "conf"
    if program == "nsd":
        conf.write_text('server:\n ip-address: 127.0.0.1@53\n username: ""\n chroot: ""\n database: ""\n'
                        f' zonesdir: "{tmp_path}"\n pidfile: "{tmp_path}/pid"\n xfrdfile: ""\n'
                        f' zonelistfile: "{tmp_path}/list"\n server-count: 1\n'
                        'remote-control:\n control-enable: no\n')
        command = ["nsd", "-d", "-c"]
    else:
        conf.write_text('server:\n interface: 127.0.0.1@53\n username: ""\n chroot: ""\n'
                        f' directory: "{tmp_path}"\n pidfile: "{tmp_path}/pid"\n use-syslog: no\n'
                        ' module-config: "iterator"\n num-threads: 1\nremote-control:\n'
                        ' control-enable: no\n')
        command = ["unbound", "-d", "-p", "-c"]
    daemon = subprocess.Popen([*ns.prefix, find_program(command[0]), *command[1:], conf],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: ns.run(nc, "-zu", "--probe", "-w1", "127.0.0.1", 53).returncode == 0, 20)
        done = ns.run(nc, "-zuv", "127.0.0.1", "domain")
        assert done.returncode == 0
        assert done.stderr.startswith(
            b"Connection to 127.0.0.1 53 port [udp/domain] succeeded! reply: DNS ")
    finally:
        daemon.terminate()
        daemon.wait(15)


@pytest.mark.skipif(not NETCAT, reason="netcat-openbsd is not installed")
def test_where_netcat_says_otherwise(ns, nc):
    """netcat calls the silent port open, and writes into whatever listens there."""
    with ns.make(lambda: udp("127.0.0.1", 7700)) as silent:
        theirs = ns.run(NETCAT, "-zuv", "-w1", "127.0.0.1", 7700)
        assert theirs.returncode == 0 and b"succeeded" in theirs.stderr
        assert set(received(silent)) == {b"X"}
        ours = ns.run(nc, "-zuv", "-w1", "127.0.0.1", 7700)
        assert ours.returncode == 1 and b"unknown" in ours.stderr
        assert set(received(silent)) == {b""}
