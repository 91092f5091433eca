"""hail lookup: what it finds without asking, how it looks, and name servers that are silent, lie,
cut, loop and send garbage. Real ones are in test_lookup_servers.py."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pexpect
import pytest

from dns_peers import A, AAAA, CNAME, PTR, TXT, Server, free_port, name_bytes, record
from lookup_program import ENV, HAIL, addresses, at, error, hail, lines, rows

ADDRESS = record(A, bytes([192, 0, 2, 1]))


def only_v4(*records, **more):
    """Answers A questions with these records, others with none."""
    return lambda q: q.reply(*(records if q.type == A else ()), **more)


# What is never asked

def refuse_to_be_asked(tmp_path, server):
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver %s\n" % server.server)
    return "--resolv-conf", str(conf)


@pytest.mark.parametrize("host,want", [
    ("127.0.0.1", ["127.0.0.1"]),
    ("::1", ["::1"]),
    ("localhost", ["::1", "127.0.0.1"]),
    ("a.b.LOCALHOST.", ["::1", "127.0.0.1"]),
    (":80", ["[::1]:80", "127.0.0.1:80"]),
    ("unix:/run/x", ["unix:/run/x"]),
    ("box", ["192.0.2.9"]),
])
def test_no_question_is_asked(tmp_path, host, want):
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.9 box\n")
    with Server(lambda q: None) as server:
        r = hail(host, "--hosts", str(hosts), *refuse_to_be_asked(tmp_path, server))
        assert r.returncode == 0, error(r)
        assert sorted(addresses(r)) == sorted(want)
        assert not server.queries


def test_onion_is_not_asked(tmp_path):
    with Server(lambda q: None) as server:
        r = hail("x.onion", *refuse_to_be_asked(tmp_path, server))
        assert r.returncode == 3 and not server.queries


def test_agrees_with_getent():
    for name in ("localhost", socket.gethostname()):
        known = subprocess.run(["getent", "ahosts", name], capture_output=True, check=False)
        if known.returncode == 0:
            ours = set(addresses(hail(name)))
            theirs = {line.split()[0] for line in known.stdout.decode().splitlines()}
            assert theirs <= ours


def in_namespace(script, tmp_path):
    """Runs a shell script as root of a network of its own."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("needs unshare and ip")
    probe = subprocess.run(["unshare", "-rmn", "ip", "link", "set", "lo", "up"],
                           capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("cannot make a namespace: " + probe.stderr.decode().strip())
    return subprocess.run(["unshare", "-rmn", "sh", "-ec", script], capture_output=True,
                          timeout=60, cwd=tmp_path, env=ENV, check=False)


NAMESPACE_SERVER = """
import sys
sys.path.insert(0, %r)
import socket, struct
from dns_peers import Query, record
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 53))
print("ready", flush=True)
names = {("box.corp.test", 1): bytes([10, 9, 8, 7]), ("box.corp.test", 28): bytes(15) + b"\\x09"}
while True:
    data, peer = s.recvfrom(4096)
    q = Query(data, "udp")
    known = names.get((q.name.lower(), q.type))
    s.sendto(q.reply(*([record(q.type, known)] if known else []),
                     rcode=0 if q.name.lower() == "box.corp.test" else 3), peer)
"""


def test_system_configuration_as_getent(tmp_path):
    """/etc/resolv.conf itself, with a link-local server and a search list; glibc is the judge."""
    (tmp_path / "server.py").write_text(NAMESPACE_SERVER % str(pathlib.Path(__file__).parent))
    (tmp_path / "resolv.conf").write_text(
        "nameserver fe80::53%lo\nsearch corp.test\noptions timeout:2 attempts:2\n")
    r = in_namespace(
        f"""ip link set lo up; ip addr add fe80::53/64 dev lo nodad
        ip addr add 10.9.8.7/32 dev lo
        mount --bind resolv.conf /etc/resolv.conf
        /usr/bin/python3 server.py > ready & server=$!
        trap 'kill $server' EXIT
        for i in $(seq 100); do grep -q ready ready && break; sleep 0.05; done
        getent ahostsv4 box | cut -d' ' -f1 | uniq
        {HAIL} lookup -4 --timeout 10 box | cut -f1
        {HAIL} lookup -4 --timeout 10 --json box""", tmp_path)
    assert r.returncode == 0, error(r)
    out = r.stdout.decode().splitlines()
    assert out[:2] == ["10.9.8.7", "10.9.8.7"]
    assert json.loads(out[2])["server"] == "[fe80::53%lo]:53"
    assert json.loads(out[2])["canonical"] == "box.corp.test"


def test_without_any_name_server(tmp_path):
    (tmp_path / "resolv.conf").write_text("")
    r = in_namespace(f"ip link set lo up; {HAIL} lookup --resolv-conf resolv.conf --timeout 20 "
                     "box.test || echo $?", tmp_path)
    assert r.stdout == b"3\n"
    assert "no name server configured in resolv.conf" in error(r)


# Servers that misbehave

def test_silent(tmp_path):
    with Server(lambda q: None) as server:
        began = time.monotonic()
        r = hail("--timeout", "0.5", "some.example", at(server))
        took = time.monotonic() - began
        assert r.returncode == 5
        assert 0.5 <= took < 1.5
        assert "no answer from %s in time" % server.server in error(r)
        for args in (("-t", "MX", "some.example"), ("-x", "192.0.2.1")):
            assert hail("--timeout", "0.3", *args, at(server)).returncode == 5
        conf = tmp_path / "resolv.conf"
        conf.write_text("nameserver %s\noptions timeout:1 attempts:1\n" % server.server)
        assert hail("--resolv-conf", str(conf), "some.example").returncode == 5


def test_silent_over_tcp():
    with Server(lambda q: None if q.over == "tcp" else q.reply(flags=0x8380)) as server:
        began = time.monotonic()
        r = hail("--timeout", "0.5", "some.example", at(server))
        assert r.returncode == 5 and time.monotonic() - began < 1.5


def test_interrupted():
    with Server(lambda q: None) as server:
        with subprocess.Popen([HAIL, "lookup", "some.example", at(server)],
                              stderr=subprocess.PIPE, env=ENV) as p:
            while not server.queries:
                time.sleep(0.01)
            p.send_signal(signal.SIGINT)
            assert p.wait(10) == -signal.SIGINT


def test_nobody_listens():
    r = hail("--timeout", "20", "some.example", "@127.0.0.1:%d" % free_port())
    assert r.returncode == 3
    assert "no usable answer" in error(r)


def test_options_from_the_environment(tmp_path):
    with Server(only_v4(ADDRESS)) as server:
        r = hail("some.example", at(server), env={"RES_OPTIONS": "use-vc"})
        assert addresses(r) == ["192.0.2.1"], error(r)
        assert {q.over for q in server.queries} == {"tcp"}
        server.queries.clear()
        hail("-4", "box", at(server), env={"LOCALDOMAIN": "corp.test", "RES_OPTIONS": "ndots:2"})
        assert [q.name for q in server.queries] == ["box.corp.test"]


def test_slow():
    with Server(lambda q: [0.4, only_v4(ADDRESS)(q)]) as server:
        assert addresses(hail("some.example", at(server))) == ["192.0.2.1"]


def test_silent_for_one_family():
    with Server(lambda q: q.reply(ADDRESS) if q.type == A else None) as server:
        began = time.monotonic()
        r = hail("some.example", at(server))
        assert addresses(r) == ["192.0.2.1"] and r.returncode == 0
        assert time.monotonic() - began < 4  # not the whole time of resolv.conf


def test_failing_for_one_family():
    with Server(lambda q: q.reply(ADDRESS) if q.type == A else q.reply(rcode=2)) as server:
        assert addresses(hail("some.example", at(server))) == ["192.0.2.1"]


def test_both_families_are_asked_at_once():
    seen = []

    def handler(q):
        seen.append(q.type)
        until = time.monotonic() + 5
        while len(set(seen)) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        return only_v4(ADDRESS)(q) if len(set(seen)) == 2 else None

    with Server(handler) as server:
        r = hail("--timeout", "4", "some.example", at(server))
        assert addresses(r) == ["192.0.2.1"]
        assert set(seen) == {A, AAAA}


def test_lies_are_not_taken():
    other = name_bytes("other.example") + b"\0\1\0\1"
    lie = record(A, bytes([203, 0, 113, 66]))

    def handler(q):
        wrong = bytes([q.data[0] ^ 0xFF, q.data[1]])
        return [q.reply(lie, qid=wrong), q.reply(lie, question=other),
                q.reply(lie, flags=0x0100), 0.1, only_v4(ADDRESS)(q)]

    with Server(handler) as server:
        r = hail("--timeout", "10", "some.example", at(server))
        assert addresses(r) == ["192.0.2.1"], error(r)
    with Server(lambda q: handler(q)[:3]) as server:
        r = hail("--timeout", "0.5", "some.example", at(server))
        assert r.returncode == 5 and not r.stdout


def test_addresses_of_another_name_are_not_taken():
    lie = record(A, bytes([203, 0, 113, 66]), owner=name_bytes("bank.example"))
    with Server(only_v4(lie)) as server:
        r = hail("some.example", at(server))
        assert r.returncode == 3 and b"203.0.113.66" not in r.stdout


def test_truncated_over_udp():
    with Server(lambda q: q.reply(flags=0x8380) if q.over == "udp" else only_v4(ADDRESS)(q)) as s:
        assert addresses(hail("some.example", at(s))) == ["192.0.2.1"]
        assert {q.over for q in s.queries} == {"udp", "tcp"}
    with Server(lambda q: q.reply(flags=0x8380), tcp=False) as s:
        r = hail("--timeout", "20", "some.example", at(s))
        assert r.returncode == 3 and not r.stdout


def test_aliases_in_a_circle():
    there = record(CNAME, name_bytes("b.example"))
    back = record(CNAME, b"\xc0\x0c", owner=name_bytes("b.example"))
    with Server(lambda q: q.reply(there, back)) as server:
        r = hail("--timeout", "20", "a.example", at(server))
        assert r.returncode == 3 and "aliases in a circle" in error(r)


@pytest.mark.parametrize("junk", [
    lambda q: q.reply(b"\xc0\x21" + ADDRESS[2:]),                # a pointer to itself
    lambda q: q.reply(b"\xff\xff" + ADDRESS[2:]),                # a pointer past the end
    lambda q: q.reply(ADDRESS, counts=65535),                    # a count that lies
    lambda q: q.reply(ADDRESS[:-2]),                             # cut
    lambda q: q.reply(record(q.type, b"\1\2\3")),                # an address of three bytes
    lambda q: q.reply(record(CNAME, b"\3www\xc0")),              # a name that is cut
], ids=["pointer-loop", "pointer-out", "count", "cut", "short", "name"])
def test_malformed(junk):
    with Server(junk) as server:
        r = hail("--timeout", "20", "some.example", at(server))
        assert r.returncode == 3, (r.returncode, error(r))
        assert not r.stdout and error(r)
        r = hail("--timeout", "20", "-t", "A", "some.example", at(server))
        assert r.returncode in (0, 3)


def test_garbage():
    with Server(lambda q: [b"", b"x", q.data[:12], os.urandom(300), q.data[:2] + bytes(40)]) as s:
        r = hail("--timeout", "1", "some.example", at(s))
        assert r.returncode in (3, 5) and not r.stdout and error(r)


@pytest.mark.parametrize("rcode,word,status", [
    (1, "FORMERR", 3), (2, "SERVFAIL", 3), (3, "does not exist", 3), (4, "NOTIMP", 3),
    (5, "REFUSED", 3)])
def test_response_codes(rcode, word, status):
    with Server(lambda q: q.reply(rcode=rcode)) as server:
        r = hail("--timeout", "20", "some.example", at(server))
        assert r.returncode == status and word in error(r)


def test_what_a_server_says_is_safe_to_show():
    name = b"\x06a\x1b[31m\x00"
    with Server(lambda q: q.reply(record(q.type, name)) if q.type == PTR else
                q.reply(record(TXT, b"\x05\x1b[2Jx"))) as server:
        for args in (("-x", "192.0.2.1"), ("-t", "TXT", "some.example")):
            r = hail(*args, at(server))
            assert r.returncode == 0 and b"\x1b" not in r.stdout and b"\\027" in r.stdout


def test_hosts_file_on_a_terminal(tmp_path):
    (tmp_path / "hosts").write_bytes(b"10.0.0.1 evil\x1b[31m box\n")
    child = pexpect.spawn(HAIL, ["lookup", "--color=never", "-x", "10.0.0.1", "--hosts",
                                 str(tmp_path / "hosts")], env=ENV, timeout=20)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert b"\x1b" not in child.before and b"evil\\e[31m" in child.before
    piped = hail("-x", "10.0.0.1", "--hosts", str(tmp_path / "hosts"))
    assert b"evil\x1b[31m" in piped.stdout  # exact bytes


# How it looks

def test_localhost_as_json():
    got = rows(hail("localhost", "--json"))
    assert {g["address"] for g in got} == {"::1", "127.0.0.1"}
    assert [g["order"] for g in got] == [1, 2]
    for g in got:
        assert g["schema"] == "hail.lookup/1" and g["kind"] == "address"
        assert g["host"] == "localhost" and g["source"] == "local" and g["ttl"] is None
        assert g["server"] is None and g["port"] is None and g["reason"].startswith("rule ")


def test_rows_in_a_pipe():
    with Server(web) as server:
        got = lines(hail("-4", "www.example", at(server)))
        assert [row[:4] for row in got] == [["192.0.2.1", "www.example", "dns", "120"]]
        got = lines(hail("-t", "A", "www.example", at(server)))
        assert got == [["www.example.", "120", "CNAME", "web.example."],
                       ["web.example.", "600", "A", "192.0.2.1"]]


def web(q):
    """An alias and an address of either family."""
    where = name_bytes("web.example")
    ip = bytes([192, 0, 2, 1]) if q.type == A else b"\x20\x01\x0d\xb8" + bytes(11) + b"\1"
    return q.reply(record(CNAME, where, ttl=120), record(q.type, ip, ttl=600, owner=where))


def test_fits_a_terminal():
    with Server(web) as server:
        child = pexpect.spawn(HAIL, ["lookup", "www.example", "localhost", "::1", at(server)],
                              env={**ENV, "TERM": "xterm", "NO_COLOR": "1"}, dimensions=(24, 80),
                              timeout=20)
        child.expect(pexpect.EOF)
        child.close()
    text = child.before.decode().replace("\r", "")
    assert child.exitstatus == 0 and "\x1b" not in text
    assert "www.example is web.example, asked " + server.server in text
    assert "ADDRESS" in text and "600 s" not in text and "120 s" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_trace(tmp_path):
    trace = tmp_path / "t.jsonl"
    with Server(web) as server:
        r = hail("--trace=%s" % trace, "www.example", at(server))
    assert r.returncode == 0, error(r)
    text = trace.read_text()
    assert "asks %s over UDP" % server.server in text
    assert "question: www.example AAAA" in text and "192.0.2.1" in text
    assert len([json.loads(line) for line in text.splitlines()]) > 5


def test_long_addresses_fit_a_terminal(tmp_path):
    long = "2001:db8:1111:2222:3333:4444:5555:%d666 long\n"
    (tmp_path / "hosts").write_text(long % 6 + long % 7 + "192.0.2.1 long\n")
    child = pexpect.spawn(HAIL, ["lookup", "long", "--hosts", str(tmp_path / "hosts")],
                          env={**ENV, "NO_COLOR": "1"}, dimensions=(24, 80), timeout=20)
    child.expect(pexpect.EOF)
    child.close()
    text = child.before.decode().replace("\r", "")
    assert child.exitstatus == 0
    assert text.count("rule ") == 3 and max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("args", [
    (), ("@127.0.0.1",), ("-t", "NONSENSE", "a.example", "@127.0.0.1"), ("-x", "name.example"),
    ("-x", "-t", "A", "127.0.0.1"), ("a", "@127.0.0.1", "@127.0.0.2"), ("a..b",), ("-t", "A", ""),
    ("a.example", "@unix:/x"), ("a.example", "@"), ("-4", "-t", "A", "a.example"),
    ("-x", "fe80::1%nowhere0"), ("a.example", "@127.0.0.1:99999"), ("--nonsense",),
])
def test_usage(args):
    r = hail(*args)
    assert r.returncode == 2 and not r.stdout and error(r).startswith("hail: ")


def test_bad_zone():
    r = hail("fe80::1%nowhere0")
    assert r.returncode == 3 and "interface" in error(r)


def test_standard_output_full():
    with open("/dev/full", "wb") as full:
        r = subprocess.run([HAIL, "lookup", "localhost"], stdout=full, stderr=subprocess.PIPE,
                           check=False)
    assert r.returncode == 8 and b"standard output" in r.stderr


def test_unreadable_resolv_conf():
    r = hail("some.example", "--resolv-conf", "/dev/null/x")
    assert r.returncode == 8 and "/dev/null/x" in error(r)
