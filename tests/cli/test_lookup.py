"""hail lookup: against a real name server (nsd, with a zone of the test's own), and against servers
that are silent, lie, cut, loop and send garbage."""

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

from dns_peers import A, AAAA, CNAME, PTR, TXT, Nsd, Server, Unbound, free_port, name_bytes, record

HAIL = os.environ.get("HAIL", str(pathlib.Path(__file__).resolve().parents[2] / "hail"))
ENV = {k: v for k, v in os.environ.items() if k not in ("RES_OPTIONS", "LOCALDOMAIN")}


def hail(*args, env=None, **more):
    return subprocess.run([HAIL, "lookup", *args], capture_output=True, timeout=60,
                          env={**ENV, **(env or {})}, check=False, **more)


def lines(result):
    return [line.split("\t") for line in result.stdout.decode().splitlines()]


def addresses(result):
    return [row[0] for row in lines(result)]


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def error(result):
    return result.stderr.decode()


@pytest.fixture(scope="module", name="nsd")
def fixture_nsd(tmp_path_factory):
    server = Nsd(tmp_path_factory.mktemp("nsd"))
    yield server
    server.close()


@pytest.fixture(scope="module", name="unbound")
def fixture_unbound(tmp_path_factory, nsd):
    server = Unbound(tmp_path_factory.mktemp("unbound"), nsd.port)
    yield server
    server.close()


def at(server):
    return "@" + server.server


def only_v4(*records, **more):
    """Answers A questions with these records, others with none."""
    return lambda q: q.reply(*(records if q.type == A else ()), **more)


ADDRESS = record(A, bytes([192, 0, 2, 1]))


# What a real server says

def test_both_families(nsd):
    r = hail("web.example", at(nsd))
    assert r.returncode == 0, error(r)
    found = {row[0]: row for row in lines(r)}
    assert set(found) == {"192.0.2.1", "2001:db8::1"}
    assert found["192.0.2.1"][1:4] == ["web.example", "dns", "600"]
    assert found["2001:db8::1"][3] == "60"
    assert all(row[5].startswith("rule ") for row in found.values())


def test_families_apart(nsd):
    assert addresses(hail("-4", "web.example", at(nsd))) == ["192.0.2.1"]
    assert addresses(hail("-6", "web.example", at(nsd))) == ["2001:db8::1"]
    r = hail("-6", "v4.example", at(nsd))
    assert r.returncode == 3
    assert "has no IPv6 address" in error(r)


def test_alias_and_ttl(nsd):
    got = rows(hail("--json", "www.example", at(nsd)))
    assert [g["order"] for g in got] == [1, 2]
    for g in got:
        assert g["schema"] == "hail.lookup/1" and g["kind"] == "address"
        assert g["host"] == "www.example" and g["canonical"] == "web.example"
        assert g["server"] == nsd.server and g["source"] == "dns" and g["port"] is None
        assert set(g) == {"schema", "kind", "host", "canonical", "order", "address", "port",
                          "family", "source", "server", "ttl", "from", "reason"}
    ttl = {g["family"]: g["ttl"] for g in got}
    assert ttl == {"ipv4": 120, "ipv6": 60}  # the smallest along the chain


def test_alias_of_a_tree(nsd):
    assert addresses(hail("deep.alias.example", at(nsd))) == ["192.0.2.99"]  # DNAME, RFC 6672


def test_order_of_equals_is_the_servers(nsd):
    assert sorted(addresses(hail("many.example", at(nsd)))) == [
        "192.0.2.10", "192.0.2.11", "192.0.2.12"]


def test_endpoint_operand(nsd):
    assert set(addresses(hail("web.example:8080", at(nsd)))) == {
        "192.0.2.1:8080", "[2001:db8::1]:8080"}
    assert rows(hail("--json", "v4.example:8080", at(nsd)))[0]["port"] == 8080


@pytest.mark.parametrize("kind,name,want", [
    ("A", "v4.example", ["192.0.2.4"]),
    ("aaaa", "v6.example", ["2001:db8::6"]),
    ("CNAME", "www.example", ["web.example."]),
    ("MX", "example", ["10 mail.example.", "20 ns.example."]),
    ("NS", "example", ["ns.example."]),
    ("SOA", "example", ["ns.example. hostmaster.example. 2024 7200 3600 1209600 60"]),
    ("SRV", "_sip._tcp.example", ["5 10 5060 web.example."]),
    ("CAA", "example", ['0 issue "ca.example"']),
    ("TYPE257", "example", ['0 issue "ca.example"']),
    ("TXT", "txt.example", [r'"hello \"quoted\" \\ \027[31m" "second"']),
    ("HTTPS", "example", ['1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1']),
    ("SVCB", "_dns.example", ['1 ns.example. alpn="dot" port=853']),
    ("PTR", "1.2.0.192.in-addr.arpa", ["web.example."]),
])
def test_types(nsd, kind, name, want):
    r = hail("-t", kind, name, at(nsd))
    assert r.returncode == 0, error(r)
    got = lines(r)
    assert sorted(row[3] for row in got) == want
    assert {row[0] for row in got} == {name + "."}
    got = rows(hail("--json", "-t", kind, name, at(nsd)))
    assert sorted(g["data"] for g in got) == want
    assert all(g["kind"] == "record" and g["ttl"] > 0 for g in got)


def test_type_through_an_alias(nsd):
    got = lines(hail("-t", "A", "www.example", at(nsd)))
    assert [(row[2], row[3]) for row in got] == [("CNAME", "web.example."), ("A", "192.0.2.1")]


def test_no_record_of_a_type(nsd):
    r = hail("-t", "MX", "web.example", at(nsd))
    assert r.returncode == 3 and not r.stdout
    assert "the name exists, but has no record of type MX" in error(r)


def test_truncated_answer_comes_over_tcp(nsd):
    r = hail("-t", "TXT", "big.example", at(nsd))
    assert r.returncode == 0, error(r)
    assert len(lines(r)[0][3]) == 8 * 253 - 1
    assert len(addresses(hail("huge.example", at(nsd)))) == 32  # what is taken of one answer
    assert len(lines(hail("--tcp", "-t", "A", "huge.example", at(nsd)))) == 199


def test_internationalized_name(nsd):
    r = hail("bücher.example", at(nsd))
    assert addresses(r) == ["192.0.2.77"], error(r)
    assert lines(r)[0][1] == "bücher.example"
    r = hail("a\u202eb.example", at(nsd))
    assert r.returncode == 3 and "internationalized" in error(r) and "\u202e" not in error(r)


def test_name_that_does_not_exist(nsd):
    r = hail("nosuch.example", at(nsd))
    assert r.returncode == 3 and not r.stdout
    assert error(r).startswith("hail: resolve nosuch.example: name does not exist\n")
    assert nsd.server in error(r)
    assert hail("-t", "MX", "nosuch.example", at(nsd)).returncode == 3


def test_name_without_address(nsd):
    r = hail("txt.example", at(nsd))
    assert r.returncode == 3 and "has no address" in error(r)
    assert hail("dangling.example", at(nsd)).returncode == 3


def test_server_that_refuses(nsd):
    r = hail("elsewhere.test", at(nsd))
    assert r.returncode == 3
    assert nsd.server + " answered REFUSED" in error(r)


def test_through_a_recursive_resolver(unbound):
    got = rows(hail("--json", "www.example", at(unbound)))
    assert {g["address"] for g in got} == {"192.0.2.1", "2001:db8::1"}
    assert {g["canonical"] for g in got} == {"web.example"}
    assert all(0 <= g["ttl"] <= 120 for g in got)
    assert len(lines(hail("-t", "A", "huge.example", at(unbound)))) == 199
    r = hail("nosuch.example", at(unbound))
    assert r.returncode == 3 and "does not exist" in error(r)
    r = hail("name.test", at(unbound))
    assert r.returncode == 3 and "does not exist" in error(r)
    assert hail("--timeout", "0.5", "x.deny.test", at(unbound)).returncode == 5


def test_several_hosts_one_bad(nsd):
    r = hail("v4.example", "nosuch.example", "v6.example", at(nsd))
    assert r.returncode == 3
    assert addresses(r) == ["192.0.2.4", "2001:db8::6"]


def test_reverse(nsd):
    r = hail("-x", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", at(nsd))
    assert r.returncode == 0, error(r)
    assert [row[1:] for row in lines(r)] == [["web.example", "dns", "300"]] * 3
    got = rows(hail("-x", "--json", "192.0.2.1", at(nsd)))
    assert got == [{"schema": "hail.lookup/1", "kind": "name", "address": "192.0.2.1",
                    "name": "web.example", "source": "dns", "ttl": 300}]
    r = hail("-x", "192.0.2.200", at(nsd))
    assert r.returncode == 3 and "192.0.2.200: the address has no name" in error(r)


def test_search_list(nsd, tmp_path):
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver %s\nsearch nowhere.example example\n" % nsd.server)
    opts = ("--resolv-conf", str(conf), "--hosts", "/dev/null")
    assert addresses(hail("v4", *opts)) == ["192.0.2.4"]
    assert rows(hail("--json", "v4", *opts))[0]["canonical"] == "v4.example"
    assert addresses(hail("deep.sub", *opts)) == ["192.0.2.99"]
    assert hail("v4.", *opts).returncode == 3
    assert hail("--no-search", "v4", *opts).returncode == 3
    assert len(lines(hail("-t", "TXT", "txt", *opts))) == 1


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


def test_hosts_file_first(tmp_path, nsd):
    hosts, conf = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("10.1.1.1 web.example other\n10.1.1.1 third # comment\n")
    conf.write_text("nameserver %s\n" % nsd.server)
    opts = ("--hosts", str(hosts), "--resolv-conf", str(conf))
    assert lines(hail("web.example", *opts))[0][:3] == ["10.1.1.1", "web.example", "hosts"]
    assert addresses(hail("-6", "web.example", *opts)) == ["2001:db8::1"]  # as getent: DNS has it
    assert [row[1] for row in lines(hail("-x", "10.1.1.1", *opts))] == [
        "web.example", "other", "third"]
    assert addresses(hail("v4.example", *opts)) == ["192.0.2.4"]


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


def test_silent_server_then_a_good_one(nsd, tmp_path):
    with Server(lambda q: None) as server:
        conf = tmp_path / "resolv.conf"
        conf.write_text("nameserver %s\nnameserver %s\noptions timeout:1\n" %
                        (server.server, nsd.server))
        r = hail("--resolv-conf", str(conf), "web.example")
        assert r.returncode == 0, error(r)
        assert len(addresses(r)) == 2 and server.queries


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


# How it looks, and how it is used

def test_fits_a_terminal(nsd):
    child = pexpect.spawn(HAIL, ["lookup", "www.example", "localhost", "::1", at(nsd)],
                          env={**ENV, "TERM": "xterm", "NO_COLOR": "1"}, dimensions=(24, 80),
                          timeout=20)
    child.expect(pexpect.EOF)
    child.close()
    text = child.before.decode().replace("\r", "")
    assert child.exitstatus == 0 and "\x1b" not in text
    assert "www.example is web.example, asked " + nsd.server in text
    assert "ADDRESS" in text and "600 s" not in text and "120 s" in text
    assert max(len(line) for line in text.splitlines()) <= 80


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


def test_trace(nsd, tmp_path):
    trace = tmp_path / "t.jsonl"
    r = hail("--trace=%s" % trace, "www.example", at(nsd))
    assert r.returncode == 0, error(r)
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    text = trace.read_text()
    assert "asks %s over UDP" % nsd.server in text
    assert "question: www.example AAAA" in text and "192.0.2.1" in text
    assert len(events) > 5


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
