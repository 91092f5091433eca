"""hail nc -u: one read is one datagram both ways, several peers, refusals, every way to end; beside
netcat-openbsd where that is right. Sockets of Python are the judges."""

import contextlib
import errno
import fcntl
import json
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import tty

import pytest
from nc_udp_bed import NETCAT, Namespace, Running, is_bound, received, udp, until

SIZES = [64, 1, 1400, 0, 16384, 16385, 0, 0, 65507, 9]
IP_RECVTOS = 13
IP_RECVTTL = 12  # ip(7); Python has no name for it
ROOT = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nsenter"),
                          reason="network namespaces take root")


def data(size, salt=0):
    return bytes((i * 31 + size + salt) & 0xFF for i in range(size))


@pytest.fixture(name="nc")
def fixture_nc(hail, tmp_path):
    """The command by netcat's name, as Debian's scripts call it."""
    link = tmp_path / "bin" / "nc"
    link.parent.mkdir()
    link.symlink_to(os.path.abspath(hail))
    return [str(link)]


def listening(nc, folder, port, *options, host="127.0.0.1", **more):
    running = Running(folder, [*nc, "-lu", *options, host, port], **more)
    table = "/proc/net/udp6" if ":" in host else "/proc/net/udp"
    until(lambda: is_bound(port, table) or running.process.poll() is not None)
    return running


# --- boundaries ---


@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_DGRAM])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_messages_become_datagrams(nc, tmp_path, kind, host):
    """Whole, in order, up to the largest and down to none."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with udp(host) as judge, ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        with Running(tmp_path, [*nc, "-u", "-q0", host, judge.getsockname()[1]], stdin=theirs) as run:
            theirs.close()
            for size in SIZES:
                ours.send(data(size))
                assert judge.recv(70000) == data(size)
            if kind == socket.SOCK_SEQPACKET:  # datagrams have no end
                for _ in range(3):
                    ours.send(b"")
                ours.close()
                assert run.process.wait(10) == 0, run.err()
                assert received(judge) == [b"", b"", b""]
            assert run.err() == ""


@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_DGRAM])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_datagrams_become_messages(nc, tmp_path, free_port, kind, host):
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    port = free_port()
    with udp(host) as peer, ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.settimeout(10)
        with listening(nc, tmp_path, port, host=host, stdout=theirs) as run:
            for size in SIZES:
                peer.sendto(data(size), (host, port))
                assert ours.recv(70000) == data(size)
            assert run.process.poll() is None, run.err()


def test_packets_of_a_pipe(nc, tmp_path, free_port):
    """A pipe in packet mode keeps the boundaries on both sides, in bursts as well."""
    port = free_port()
    in_r, in_w = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    out_r, out_w = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(out_r, fcntl.F_SETPIPE_SZ, 1 << 20)
    sent = [data(1 + (i * 37) % 1400, i) for i in range(150)]
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(listening(nc, tmp_path, port, stdout=out_w))
        os.close(out_w)
        client = stack.enter_context(Running(tmp_path, [*nc, "-u", "-q0", "127.0.0.1", port], stdin=in_r))
        os.close(in_r)
        for one in sent:
            os.write(in_w, one)
        os.close(in_w)
        assert client.process.wait(10) == 0, client.err()
        got = [os.read(out_r, 70000) for _ in sent]
        assert got == sent
        assert run.process.poll() is None
    os.close(out_r)


def test_equal_packets_in_bursts(nc, tmp_path, free_port):
    """What the kernel cuts and joins comes out as it went in."""
    port = free_port()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    r, w = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 1 << 20)
    sent = [struct.pack(">I", i) * 16 for i in range(200)] + [b"short"]
    for one in sent:  # before anybody reads them
        os.write(w, one)
    with ours, theirs, listening(nc, tmp_path, port, stdout=theirs):
        ours.settimeout(10)
        with Running(tmp_path, [*nc, "-u", "127.0.0.1", port], stdin=r):
            assert [ours.recv(70000) for _ in sent] == sent
    os.close(r)
    os.close(w)


@pytest.mark.parametrize("size", [1, 1400, 16384, 16385, 65507])
def test_a_write_to_a_plain_pipe_is_a_datagram(nc, tmp_path, size):
    with udp() as judge, Running(tmp_path, [*nc, "-u", "127.0.0.1", judge.getsockname()[1]]) as run:
        fcntl.fcntl(run.stdin, fcntl.F_SETPIPE_SZ, 1 << 20)
        for salt in range(3):
            run.say(data(size, salt))
            assert judge.recv(70000) == data(size, salt)


def test_a_line_of_a_terminal_is_a_datagram(nc, tmp_path):
    ours, theirs = pty.openpty()
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-q0", "127.0.0.1", judge.getsockname()[1]],
                                 stdin=theirs) as run:
        for line in (b"one\n", b"\n", b"three words here\n"):
            os.write(ours, line)
            assert judge.recv(100) == line
        os.write(ours, b"\x04")  # ^D at the beginning of a line is the end, and no datagram
        assert run.process.wait(10) == 0
        assert received(judge) == []
    os.close(ours)
    os.close(theirs)


def test_datagrams_on_a_terminal(nc, tmp_path, free_port):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port = free_port()
    with udp() as peer, listening(nc, tmp_path, port, stdout=theirs):
        peer.sendto(b"hello\n", ("127.0.0.1", port))
        assert os.read(ours, 100) == b"hello\n"
    os.close(ours)
    os.close(theirs)


def test_a_file_goes_whole(nc, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(data(150000))
    with udp() as judge, open(path, "rb") as f:
        judge.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with Running(tmp_path, [*nc, "-u", "-q0", "127.0.0.1", judge.getsockname()[1]], stdin=f) as run:
            assert run.process.wait(10) == 0
        got = received(judge)
    assert b"".join(got) == data(150000)
    assert [len(one) for one in got] == [65507, 65507, 150000 - 2 * 65507]


def test_bytes_of_a_plain_pipe_out(nc, tmp_path, free_port):
    """Into a file nothing stands between datagrams, and nothing is missing."""
    port = free_port()
    with udp() as peer, listening(nc, tmp_path, port) as run:
        sent = [data(size) for size in SIZES]
        for one in sent:
            peer.sendto(one, ("127.0.0.1", port))
        until(lambda: len(run.out()) >= sum(map(len, sent)))
        assert run.out() == b"".join(sent)


def test_one_that_is_too_large_is_told_and_the_next_goes(nc, tmp_path):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with udp() as judge, ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        with Running(tmp_path, [*nc, "-u", "-q0", "127.0.0.1", judge.getsockname()[1]], stdin=theirs) as run:
            theirs.close()
            for size in (3, 65508, 4):
                ours.send(data(size))
            assert [len(judge.recv(70000)) for _ in range(2)] == [3, 4]
            ours.close()
            assert run.process.wait(10) != 0
            assert "too long" in run.err()


# --- peers ---


def test_first_peer_only(nc, tmp_path, free_port):
    port = free_port()
    with udp() as first, udp() as second, listening(nc, tmp_path, port, "-v") as run:
        first.sendto(b"first\n", ("127.0.0.1", port))
        until(lambda: run.out() == b"first\n")
        second.connect(("127.0.0.1", port))
        second.send(b"second\n")
        with pytest.raises(ConnectionRefusedError):
            second.recv(10)
        run.say(b"answer\n")
        assert first.recv(100) == b"answer\n"
        assert run.out() == b"first\n"
        assert run.err() == ("Bound on localhost %d\nConnection received on localhost %d\n"
                             % (port, first.getsockname()[1]))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_several_peers(nc, tmp_path, free_port, host):
    """-k: everybody is heard, and the answer goes to the one that spoke last."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(udp(host)) for _ in range(5)]
        run = stack.enter_context(listening(nc, tmp_path, port, "-k", host=host))
        run.say(b"before anybody is there\n")  # waits for somebody
        heard = b""
        for round_ in range(3):
            for i, peer in enumerate(peers):
                word = b"%d from %d\n" % (round_, i)
                peer.sendto(word, (host, port))
                heard += word
                until(lambda: run.out() == heard)
                if round_ == i == 0:
                    assert peer.recv(100) == b"before anybody is there\n"
                run.say(b"to " + word)
                assert peer.recv(100) == b"to " + word
        assert run.process.poll() is None
        assert run.err() == ""


def test_peers_that_are_gone_do_not_stop_a_listener(nc, tmp_path, free_port):
    port = free_port()
    with listening(nc, tmp_path, port, "-k") as run:
        with udp() as peer:
            peer.sendto(b"one\n", ("127.0.0.1", port))
            until(lambda: run.out() == b"one\n")
        run.say(b"nobody hears this\n")
        with udp() as peer:
            time.sleep(0.1)
            peer.sendto(b"two\n", ("127.0.0.1", port))
            until(lambda: run.out() == b"one\ntwo\n")
            run.say(b"but this\n")
            assert peer.recv(100) == b"but this\n"


def test_a_port_is_not_shared(nc, tmp_path, free_port):
    """netcat lets two listen, and one of them get nothing."""
    port = free_port()
    with listening(nc, tmp_path, port), Running(tmp_path, [*nc, "-lu", "127.0.0.1", port]) as other:
        assert other.process.wait(10) == 1
        assert other.err() == "nc: Address already in use\n"


# --- refusals ---


def test_refused(nc, tmp_path, free_port):
    port = free_port()
    with Running(tmp_path, [*nc, "-u", "127.0.0.1", port]) as run:
        run.say(b"hello\n")
        assert run.end() == 1
        assert run.err() == f"nc: 127.0.0.1 port {port} (udp): Connection refused\n"


def test_refused_in_the_middle(nc, tmp_path):
    """It is told, and the session goes on: the service may come back."""
    with udp() as judge:
        port = judge.getsockname()[1]
        run = Running(tmp_path, [*nc, "-u", "127.0.0.1", port])
        run.say(b"one\n")
        assert judge.recv(10) == b"one\n"
    with run:
        run.say(b"lost\n")
        until(lambda: "Connection refused" in run.err())
        with udp(port=port) as judge:
            for _ in range(3):
                run.say(b"two\n")
                word, peer = judge.recvfrom(10)
                assert word == b"two\n"
            judge.sendto(b"welcome back\n", peer)
            until(lambda: run.out() == b"welcome back\n")
            assert run.err().count("refused") == 1
        run.say(b"lost again\n")
        until(lambda: run.err().count("refused") == 2)
        assert run.end() == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_other_address_of_a_name(nc, tmp_path, host):
    """localhost is two addresses: when the one refuses at once, the other gets what was said."""
    with udp(host) as judge:
        port = judge.getsockname()[1]
        with Running(tmp_path, [*nc, "-u", "-q2", "localhost", port]) as run:
            run.say(b"hello")
            word, peer = judge.recvfrom(10)
            assert word == b"hello"
            run.say(b"again")
            assert judge.recv(10) == b"again"
            judge.sendto(b"answer", peer)
            until(lambda: run.out() == b"answer")
        with Running(tmp_path, [*nc, "-u", "-q0", "localhost", port], stdin=subprocess.PIPE) as run:
            run.say(b"one datagram, then the end")
            assert run.end() == 0
            assert received(judge) == [b"one datagram, then the end"]
            assert run.err() == ""
    with Running(tmp_path, [*nc, "-u", "localhost", port]) as run:  # now both refuse
        run.say(b"hello")
        assert run.end() == 1
        assert run.err().count("Connection refused") == 1


def test_what_came_before_a_refusal_is_shown(nc, tmp_path):
    with udp() as judge:
        run = Running(tmp_path, [*nc, "-u", "127.0.0.1", judge.getsockname()[1]])
        run.say(b"?\n")
        _, peer = judge.recvfrom(10)
        run.process.send_signal(signal.SIGSTOP)
        judge.sendto(b"answer\n", peer)
    with run:
        run.say(b"more\n")
        run.process.send_signal(signal.SIGCONT)
        assert run.end() == 1
        assert run.out() == b"answer\n"


def test_a_listener_ends_when_its_peer_refuses(nc, tmp_path, free_port):
    port = free_port()
    with listening(nc, tmp_path, port) as run:
        with udp() as peer:
            peer.sendto(b"hello\n", ("127.0.0.1", port))
            until(lambda: run.out())
        run.say(b"are you there?\n")
        assert run.process.wait(10) == 1
        assert "Connection refused" in run.err()


# --- letters ---


def test_nothing_is_sent_that_was_not_said(nc, tmp_path):
    with udp() as judge, Running(tmp_path, [*nc, "-uv", "127.0.0.1", judge.getsockname()[1]]) as run:
        until(run.err)
        assert run.err() == f"Sending to 127.0.0.1 {judge.getsockname()[1]} port [udp/*]\n"
        assert received(judge) == []


@pytest.mark.parametrize("options, status", [(["-w1"], 0), (["-q0"], 0), (["-q1"], 0), (["-W1"], 0),
                                             (["--idle-timeout=0.3"], 0), (["--timeout=0.5"], 5)])
def test_ends(nc, tmp_path, options, status):
    with udp() as judge, Running(tmp_path, [*nc, "-u", *options, "127.0.0.1",
                                            judge.getsockname()[1]]) as run:
        run.say(b"hello")
        _, peer = judge.recvfrom(10)
        if options == ["-W1"]:
            judge.sendto(b"first", peer)
            judge.sendto(b"second", peer)
        assert run.end() == status, run.err()
        assert run.out() == (b"first" if options == ["-W1"] else b"")


def test_quit_timer_waits_for_answers(nc, tmp_path):
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-q2", "127.0.0.1", judge.getsockname()[1]]) as run:
        run.say(b"hello")
        run.stdin.close()
        _, peer = judge.recvfrom(10)
        time.sleep(0.3)
        judge.sendto(b"late", peer)
        until(lambda: run.out() == b"late")
        assert run.process.poll() is None
        assert run.process.wait(10) == 0


def test_an_empty_datagram_does_not_end_it(nc, tmp_path, free_port):
    port = free_port()
    with udp() as peer, listening(nc, tmp_path, port) as run:
        for word in (b"", b"a", b"", b"b"):
            peer.sendto(word, ("127.0.0.1", port))
        until(lambda: run.out() == b"ab")
        run.say(b"still here")
        assert peer.recv(100) == b"still here"


def test_lines_at_intervals(nc, tmp_path):
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-i1", "-q0", "127.0.0.1",
                                            judge.getsockname()[1]]) as run:
        begin = time.monotonic()
        run.say(b"one\ntwo\nthree")
        run.stdin.close()
        assert [judge.recv(100) for _ in range(3)] == [b"one\n", b"two\n", b"three"]
        assert time.monotonic() - begin > 1.5
        assert run.process.wait(10) == 0


def test_crlf_within_a_datagram(nc, tmp_path):
    """netcat makes three datagrams of it."""
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-C", "127.0.0.1", judge.getsockname()[1]]) as run:
        for said, heard in ((b"a\nb\r\n\n", b"a\r\nb\r\n\r\n"), (b"\r", b"\r"), (b"\n", b"\n"),
                            (b"\n" * 5000, b"\r\n" * 5000)):
            run.say(said)
            assert judge.recv(70000) == heard


def test_source(nc, tmp_path, free_port):
    port = free_port()
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-s", "127.0.0.2", "-p", port, "127.0.0.1",
                                            judge.getsockname()[1]]) as run:
        run.say(b"x")
        assert judge.recvfrom(10) == (b"x", ("127.0.0.2", port))


def test_detached_reads_nothing(nc, tmp_path):
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-d", "-w1", "127.0.0.1",
                                            judge.getsockname()[1]]) as run:
        run.say(b"x")
        assert run.process.wait(10) == 0
        assert received(judge) == []


def test_broadcast(nc, tmp_path):
    """To lo's broadcast address; without -b the kernel does not let us."""
    with udp("127.255.255.255") as judge:
        port = judge.getsockname()[1]
        with Running(tmp_path, [*nc, "-u", "127.255.255.255", port]) as run:
            assert run.process.wait(10) == 1
        with Running(tmp_path, [*nc, "-ub", "-q0", "127.255.255.255", port]) as run:
            run.say(b"everybody")
            assert run.end() == 0
        assert received(judge) == [b"everybody"]


@ROOT
def test_hops_of_a_group(nc, tmp_path):
    """-M sets the hops of datagrams to a group, too; -m refuses those that come from too far."""
    with Namespace() as ns:
        def judge_of(hops):
            s = udp("0.0.0.0")
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton("239.1.2.3") + socket.inet_aton("127.0.0.1"))
            s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
            return s

        with ns.make(lambda: judge_of(10)) as judge:
            with Running(tmp_path, [*nc, "-u", "-M", "7", "-q0", "239.1.2.3", judge.getsockname()[1]],
                         prefix=ns.prefix) as run:
                run.say(b"x")
                assert run.end() == 0, run.err()
            word, (control,), _, _ = judge.recvmsg(10, 100)
            assert (word, control[2]) == (b"x", struct.pack("i", 7))
            with Running(tmp_path, [*nc, "-luv", "-m", "200", "127.0.0.1", "4000"],
                         prefix=ns.prefix) as run:
                until(run.err)
                judge.sendto(b"far\n", ("127.0.0.1", 4000))
                judge.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
                judge.sendto(b"near\n", ("127.0.0.1", 4000))
                until(lambda: run.out() == b"near\n")


@ROOT
def test_the_network_goes_and_comes_back(nc, tmp_path):
    """What cannot be sent is told and left; nothing spins, and the next goes when it can."""
    with Namespace() as ns, ns.make(lambda: udp("0.0.0.0")) as judge:
        ns.run("ip", "addr", "add", "10.9.9.1/32", "dev", "lo")
        with Running(tmp_path, [*nc, "-u", "10.9.9.1", judge.getsockname()[1]], prefix=ns.prefix) as run:
            run.say(b"one")
            assert judge.recv(10) == b"one"
            ns.run("ip", "addr", "del", "10.9.9.1/32", "dev", "lo")
            run.say(b"lost")
            until(lambda: "unreachable" in run.err())
            idles(run)
            ns.run("ip", "addr", "add", "10.9.9.1/32", "dev", "lo")
            run.say(b"two")
            assert judge.recv(10) == b"two"


@ROOT
def test_narrow_path(nc, tmp_path):
    """Datagrams that the path does not take in one packet are not cut by us, but by IP."""
    with Namespace() as ns:
        ns.run("ip", "link", "set", "lo", "mtu", "1280")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ns.make(udp) as judge, ours, theirs:
            for _ in range(8):
                ours.send(data(1400))
            for _ in range(8):
                ours.send(data(1000))
            with Running(tmp_path, [*nc, "-u", "127.0.0.1", judge.getsockname()[1]], stdin=theirs,
                         prefix=ns.prefix):
                assert [judge.recv(70000) for _ in range(16)] == [data(1400)] * 8 + [data(1000)] * 8


def test_hexdump(nc, tmp_path):
    with udp() as judge, Running(tmp_path, [*nc, "-u", "--hexdump", "-q0", "127.0.0.1",
                                            judge.getsockname()[1]]) as run:
        run.say(b"hello")
        assert judge.recv(10) == b"hello"
        assert run.end() == 0
        assert "68 65 6c 6c 6f" in run.err()


def test_trace_tells_of_each(nc, tmp_path, free_port):
    """Also of those that the kernel cuts and joins."""
    port = free_port()
    r, w = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 1 << 20)
    for i in range(20):
        os.write(w, b"%03d" % i)
    os.close(w)
    traces = [tmp_path / "in.jsonl", tmp_path / "out.jsonl"]
    with listening(nc, tmp_path, port, f"--trace={traces[0]}", "-w1") as server, \
            Running(tmp_path, [*nc, "-u", "-q0", f"--trace={traces[1]}", "127.0.0.1", port], stdin=r) as run:
        os.close(r)
        assert run.process.wait(10) == 0, run.err()
        assert server.process.wait(10) == 0
    for path in traces:
        events = [json.loads(line) for line in path.read_text().splitlines()]
        said = [e for e in events if e.get("op") == "datagram"]
        assert len(said) == 20, path.read_text()[:2000]


@pytest.mark.parametrize("host, level, ask, got", [
    ("127.0.0.1", socket.IPPROTO_IP, IP_RECVTOS, 1),
    ("::1", socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS)])
def test_type_of_service(nc, tmp_path, host, level, ask, got):
    with udp(host) as judge:
        judge.setsockopt(level, ask, 1)
        with Running(tmp_path, [*nc, "-u", "-T", "af21", host, judge.getsockname()[1]]) as run:
            run.say(b"x")
            _, control, _, _ = judge.recvmsg(10, 100)
    assert [(kind, value[0]) for _, kind, value in control] == [(got, 0x48)]


# --- standard output ---


def test_dead_standard_output(nc, tmp_path, free_port):
    port = free_port()
    r, w = os.pipe()
    with udp() as peer, listening(nc, tmp_path, port, stdout=w) as run:
        os.close(w)
        os.close(r)
        peer.sendto(b"x", ("127.0.0.1", port))
        assert run.end() == 8
        assert "standard output" in run.err()


def test_full_disk(nc, tmp_path, free_port):
    port = free_port()
    with open("/dev/full", "wb") as full, udp() as peer, \
            listening(nc, tmp_path, port, stdout=full) as run:
        peer.sendto(b"x", ("127.0.0.1", port))
        assert run.end() == 8
        assert "No space left" in run.err() or "no space left" in run.err()


def test_a_full_output_does_not_stop_what_is_sent(nc, tmp_path, free_port):
    port = free_port()
    r, w = os.pipe()
    with udp() as peer, listening(nc, tmp_path, port, stdout=w) as run:
        os.close(w)
        peer.connect(("127.0.0.1", port))
        peer.send(b"hello")
        assert os.read(r, 5) == b"hello"
        thread = threading.Thread(target=lambda: [peer.send(bytes(1400)) for _ in range(4000)])
        thread.start()
        thread.join()
        run.say(b"still talking")
        assert peer.recv(100) == b"still talking"
    os.close(r)


def test_what_was_received_is_written_at_the_end(nc, tmp_path):
    """Also when the reader of standard output takes its time."""
    r, w = os.pipe()
    with unix(tmp_path / "s") as judge, Running(tmp_path, [*nc, "-Uu", "-W9", tmp_path / "s"], stdout=w) as run:
        os.close(w)
        run.say(b"x")
        _, peer = judge.recvfrom(10)
        # the pipe holds less than that, and then nothing more is received
        thread = threading.Thread(target=lambda: [judge.sendto(bytes(150000), peer) for _ in range(9)])
        thread.start()
        time.sleep(0.3)
        assert run.process.poll() is None
        with os.fdopen(r, "rb") as reader:
            assert len(reader.read()) == 9 * 150000
        thread.join()
        assert run.process.wait(10) == 0


# --- Unix datagrams ---


def unix(path=None):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if path is not None:
        s.bind(str(path) if not isinstance(path, bytes) else path)
    s.settimeout(10)
    return s


def test_unix_loses_nothing_to_a_slow_reader(nc, tmp_path):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sent = [b"%d" % i * (1 + i % 50) for i in range(2000)]
    with unix(tmp_path / "s") as judge, ours, theirs:
        with Running(tmp_path, [*nc, "-Uu", "-q0", tmp_path / "s"], stdin=theirs) as run:
            theirs.close()

            def feed():
                for one in sent:
                    ours.send(one)
                ours.close()
            thread = threading.Thread(target=feed)
            thread.start()
            got = []
            for i, _ in enumerate(sent):
                if i % 500 == 0:
                    time.sleep(0.1)
                got.append(judge.recv(10000))
            thread.join()
            assert got == sent
            assert run.process.wait(10) == 0, run.err()


@pytest.mark.parametrize("size", [0, 16385, 100000])
def test_unix_sizes(nc, tmp_path, size):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with unix(tmp_path / "s") as judge, ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.settimeout(10)
        with Running(tmp_path, [*nc, "-Uu", tmp_path / "s"], stdin=theirs, stdout=theirs):
            ours.send(data(size))
            got, peer = judge.recvfrom(1 << 18)
            assert got == data(size)
            judge.sendto(data(size, 1), peer)
            assert ours.recv(1 << 18) == data(size, 1)


def test_unix_both_ends(nc, tmp_path):
    path, own = tmp_path / "s", tmp_path / "own"
    with Running(tmp_path, [*nc, "-lUuv", path]) as server:
        until(path.exists)
        with Running(tmp_path, [*nc, "-Uu", "-s", own, path]) as client:
            client.say(b"hello\n")
            until(lambda: server.out() == b"hello\n")
            assert own.is_socket()
            server.say(b"answer\n")
            until(lambda: client.out() == b"answer\n")
            assert server.err() == f"Bound on {path}\nConnection received on {path}\n"
            server.process.terminate()
            server.process.wait(10)
            client.say(b"anybody?\n")
            assert client.process.wait(10) == 1
            assert "Connection refused" in client.err()
        assert not own.exists()
    assert not path.exists()


def test_unix_temporary_socket_goes(nc, tmp_path):
    with unix(tmp_path / "s") as judge, Running(tmp_path, [*nc, "-Uuv", "-q0", tmp_path / "s"]) as run:
        run.say(b"x")
        _, peer = judge.recvfrom(10)
        assert run.err() == f"Bound on {peer}\n"
        assert peer.startswith("/tmp/nc-") and os.path.exists(peer)
        assert run.end() == 0
        assert not os.path.exists(os.path.dirname(peer))


def test_unix_abstract_and_nameless(nc, tmp_path):
    """A peer without a name is heard, though it cannot be answered; netcat gives up."""
    name = f"hail-nc-udp-{os.getpid()}"
    with Running(tmp_path, [*nc, "-lUu", "@" + name]) as run, unix() as peer:
        until(lambda: "@" + name in open("/proc/net/unix", encoding="utf-8", errors="replace").read())
        peer.connect(b"\0" + name.encode())
        peer.send(b"one")
        peer.send(b"two")
        until(lambda: run.out() == b"onetwo")


def test_unix_takes_no_file_away(nc, tmp_path):
    (tmp_path / "file").write_text("precious")
    with Running(tmp_path, [*nc, "-lUu", tmp_path / "file"]) as run:
        assert run.process.wait(10) == 1
    assert (tmp_path / "file").read_text() == "precious"


def test_unix_several(nc, tmp_path):
    with Running(tmp_path, [*nc, "-klUu", tmp_path / "s"]) as run:
        until((tmp_path / "s").exists)
        for i in range(3):
            with unix(tmp_path / f"peer{i}") as peer:
                peer.sendto(b"%d" % i, str(tmp_path / "s"))
                until(lambda: len(run.out()) == i + 1)
                run.say(b"to %d" % i)
                assert peer.recv(10) == b"to %d" % i
        run.say(b"to nobody")  # the last is gone
        until(lambda: run.err())
        assert run.process.poll() is None


# --- waiting ---


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idles(run):
    """It waits: no time of a processor passes."""
    before = cpu_seconds(run.process)
    time.sleep(0.5)
    assert run.process.poll() is None, run.err()
    assert cpu_seconds(run.process) - before < 0.2


def test_waiting_is_idle(nc, tmp_path, free_port):
    """In every state in which one side cannot go on."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        with udp() as gone:
            refused = stack.enter_context(Running(tmp_path, [*nc, "-u", "127.0.0.1", gone.getsockname()[1]]))
            refused.say(b"x")
            gone.recv(10)
        refused.say(b"x")
        until(refused.err)
        nobody = stack.enter_context(listening(nc, tmp_path, port, "-k"))
        nobody.say(b"to whom?")
        alone = stack.enter_context(listening(nc, tmp_path, free_port(), stdin=subprocess.DEVNULL))
        judge = stack.enter_context(udp())
        at = judge.getsockname()[1]
        ended = stack.enter_context(Running(tmp_path, [*nc, "-u", "127.0.0.1", at], stdin=subprocess.DEVNULL))
        r, w = os.pipe()
        dead = stack.enter_context(Running(tmp_path, [*nc, "-u", "127.0.0.1", at], stdout=w))
        os.close(w)
        os.close(r)
        unheard = stack.enter_context(unix(tmp_path / "s"))
        stuck = stack.enter_context(Running(tmp_path, [*nc, "-Uu", tmp_path / "s"]))
        for _ in range(40):
            stuck.say(bytes(30000))
        for run in (refused, nobody, alone, ended, dead, stuck):
            idles(run)
        assert unheard.recv(1 << 18)


def test_a_full_output_is_waited_for(nc, tmp_path, free_port):
    port = free_port()
    r, w = os.pipe()
    with udp() as peer, listening(nc, tmp_path, port, stdout=w) as run:
        os.close(w)
        peer.connect(("127.0.0.1", port))
        for _ in range(2000):
            peer.send(bytes(1400))
        idles(run)
        peer.send(b"")  # more is coming
        got = os.read(r, 1 << 20)
        assert got and set(got) == {0}
    os.close(r)


# --- beside netcat ---


SIDE_BY_SIDE = [
    "-u 127.0.0.1", "-u", "-lu", "-lu 127.0.0.1", "-luz 127.0.0.1 9", "-u -w1 no.such.invalid 9",
    "-u -s 192.0.2.1 127.0.0.1 9", "-lu 192.0.2.1 9999", "-u 127.0.0.1 9-", "-u 127.0.0.1 65536",
    "-Ulu /nonexistent/x", "-Uu /nonexistent/x", "-Uzu /nonexistent/x", "-u -x 127.0.0.1 127.0.0.1 9",
    "-u -n localhost 9", "-ku 127.0.0.1 9", "-u -4 ::1 9", "-u -6 127.0.0.1 9",
    "-zu 127.0.0.1 9", "-u -W0 127.0.0.1 9", "-u 127.255.255.255 9",
]


@pytest.mark.skipif(not NETCAT, reason="netcat-openbsd is not installed")
@pytest.mark.parametrize("words", SIDE_BY_SIDE)
def test_beside_netcat(nc, tmp_path, words):
    theirs = tmp_path / "theirs" / "nc"
    theirs.parent.mkdir()
    theirs.symlink_to(NETCAT)
    done = [subprocess.run([program, *words.split()], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=20, check=False) for program in (nc[0], str(theirs))]
    ours, other = done
    if words == "-zu 127.0.0.1 9":  # netcat finds out only when it happens to see the refusal
        assert (ours.returncode, ours.stderr) == (1, "")
        return
    assert (ours.returncode, ours.stdout, ours.stderr) == (other.returncode, other.stdout, other.stderr)


@pytest.mark.skipif(not NETCAT, reason="netcat-openbsd is not installed")
@pytest.mark.parametrize("server, client", [("hail", "netcat"), ("netcat", "hail"), ("hail", "hail")])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_talks_with_netcat(nc, tmp_path, free_port, server, client, host):
    port = free_port()
    programs = {"hail": nc, "netcat": [NETCAT]}
    with listening(programs[server], tmp_path, port, "-v", host=host) as one, \
            Running(tmp_path, [*programs[client], "-u", host, port]) as other:
        other.say(b"hello\n")
        until(lambda: one.out() == b"hello\n")
        one.say(b"answer\n")
        until(lambda: other.out() == b"answer\n")
        name = "localhost" if host == "127.0.0.1" else "::1"
        lines = one.err().splitlines()
        assert lines[0] in (f"Bound on {name} {port}", f"Bound on localhost {port}")
        assert lines[1].startswith("Connection received on ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_by_signals(nc, tmp_path, number):
    with unix(tmp_path / "s") as judge, Running(tmp_path, [*nc, "-Uu", tmp_path / "s"]) as run:
        run.say(b"x")
        _, peer = judge.recvfrom(10)
        run.process.send_signal(number)
        assert run.process.wait(10) == -number
        assert not os.path.exists(os.path.dirname(peer))


def test_input_that_cannot_be_read(nc, tmp_path):
    """It is told, and not taken for the end."""
    folder = os.open(tmp_path, os.O_RDONLY)
    with udp() as judge, Running(tmp_path, [*nc, "-u", "-q0", "127.0.0.1", judge.getsockname()[1]],
                                 stdin=folder) as run:
        assert run.process.wait(10) == 8
        assert os.strerror(errno.EISDIR).lower() in run.err().lower()
    os.close(folder)


def test_passes_the_socket(nc, tmp_path):
    """-F: whoever is at the other end of standard output gets it, connected."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with udp() as judge, ours, theirs:
        with Running(tmp_path, [*nc, "-uF", "127.0.0.1", judge.getsockname()[1]], stdout=theirs) as run:
            _, fds, _, _ = socket.recv_fds(ours, 1, 1)
            assert run.process.wait(10) == 0
        with socket.socket(fileno=fds[0]) as passed:
            assert passed.type == socket.SOCK_DGRAM
            passed.send(b"from elsewhere")
            assert judge.recv(100) == b"from elsewhere"


def test_closed_standard_input(nc, tmp_path, free_port):
    """The socket does not take its place."""
    port = free_port()
    with udp() as peer, Running(tmp_path, ["sh", "-c", 'exec "$@" <&-', "sh", *nc, "-lu", "127.0.0.1",
                                           port], stdin=subprocess.DEVNULL) as run:
        until(lambda: is_bound(port))
        peer.sendto(b"hello", ("127.0.0.1", port))
        until(lambda: run.out() == b"hello")
        assert received(peer) == []
        assert run.process.poll() is None
