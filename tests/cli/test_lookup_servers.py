"""hail lookup against real name servers: nsd with zones of the test's own, and unbound that asks
it."""

import pytest

from dns_peers import Nsd, Server, Unbound
from lookup_program import addresses, at, error, hail, lines, rows

pytestmark = pytest.mark.peers


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


def test_silent_server_then_a_good_one(nsd, tmp_path):
    with Server(lambda q: None) as server:
        conf = tmp_path / "resolv.conf"
        conf.write_text("nameserver %s\nnameserver %s\noptions timeout:1\n" %
                        (server.server, nsd.server))
        r = hail("--resolv-conf", str(conf), "web.example")
        assert r.returncode == 0, error(r)
        assert len(addresses(r)) == 2 and server.queries
