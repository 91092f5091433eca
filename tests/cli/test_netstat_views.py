"""hail's own views of netstat: the table, JSON, filters (ss is the judge), explanations, counts and
the tree, over the bed of sockets (netstat_bed.py) where every state is."""
import collections
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import netstat_bed  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")


@pytest.fixture(name="bed", scope="module")
def fixture_bed(hail):
    with tempfile.TemporaryDirectory(prefix="hail-views-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        shutil.copy(hail, directory / "hail")
        bed = netstat_bed.start(directory)
        bed.hail = directory / "hail"
        yield bed
        bed.close()


def netstat(bed, *args, status=0, err=""):
    got, out, errors = bed.run([bed.hail, "netstat", *args])
    assert (got, errors) == (status, err), errors
    return out


def rows(bed, *args):
    return [json.loads(line) for line in netstat(bed, "--json", *args).splitlines()]


# --- JSON ---


def test_every_document_is_whole(bed):
    kinds = collections.Counter()
    for row in rows(bed, "-anp", "--info", "--memory", "--options", "--cgroup"):
        assert row["schema"] == "hail.netstat/1"
        assert isinstance(row["recv_q"], int) and isinstance(row["inode"], int)
        kinds[row["kind"]] += 1
        if row["kind"] == "tcp" and row["state"] == "ESTABLISHED":
            assert row["tcp_info"]["snd_cwnd"] > 0
            assert row["memory"]["receive_max"] > 0
    assert {"tcp", "udp", "raw", "unix", "packet", "netlink"} <= set(kinds)


def test_all_holders(bed):
    """The listener on port 7001 is of a process of another name and user."""
    (row,) = rows(bed, "-tnlp", "sport = :7001")
    assert [p["uid"] for p in row["processes"]] == [65534]
    assert row["processes"][0]["program"] == "a-name-that-is-much-longer-than-net-tools-shows"
    (row,) = rows(bed, "-tnlp", "sport = :7000")
    assert len({p["pid"] for p in row["processes"]}) == len(netstat_bed.NAMES) + 1


def test_unread_and_unsent_bytes(bed):
    assert [r["recv_q"] for r in rows(bed, "-tn", "recv-q = 600")] == [600]
    waiting = rows(bed, "-tn", "state established send-q > 100000")
    assert [r["timer"]["name"] for r in waiting] == ["probe"]


# --- filters ---

FILTERS = """dport = :80
sport = :80
dport = :80 or sport = :443
( dport = :80 or sport = :80 ) and not src 127.0.0.1
not dport = :80
not ( dport = :80 or sport = :80 )
not ( not dport = :80 )
dport >= 1000
dport > :80
sport < 100
sport > 22 and sport <= 443
sport ge :443 sport le :9000
dport eq :http or sport eq :https
sport != :80 and sport != :443
dst 127.0.0.0/8
dst 127.0.0.1
dst 192.0.2.0/24
dst 192.0.2.9:443
src 127.0.0.1:80
src 192.0.2.1
src [::1]
src [::1]:22
dst [::1]:8443
src [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]
src *:80
not dst 127.0.0.0/8 and not dst [::1]
state established
state syn-sent
state syn-recv
state fin-wait-1
state fin-wait-2
state time-wait
state close-wait
state last-ack
state closing
state listening
state connected
state synchronized
state bucket
state big
state all
state established state syn-sent
exclude established
exclude listening exclude time-wait
state listening sport = :80
state established dport = :80
state established ( dport = :80 or sport = :80 )
state established and ( dport = :80 or sport = :80 )
state listening and not sport = :80
exclude listening src 127.0.0.0/8
state connected dst 127.0.0.1
state all dport = :80 and not src 127.0.0.1
state established dport != :80
state established sport = :80 and dst 127.0.0.1 and dport > 1024
state established ! dport = :80
state established ! ( dport = :80 or sport = :80 )
state established dport = :80 || sport = :80
state established dport = :80 && src 127.0.0.1
src 192.0.2.0/30
dst 192.0.2.200
src 0.0.0.0/0
dst 128.0.0.0/1
dst 127.0.0.1/31
src 127.100.0.0/16""".splitlines()


def ends_by_ss(bed, words):
    _, out, err = bed.run(["ss", "-antH", *words.split()])
    assert not err, err
    found = []
    for line in out.splitlines():
        local, peer = line.split()[-2:]
        found.append((plain(local), "*" if peer.endswith(":*") else plain(peer)))
    return sorted(found)


def plain(end):
    """ss's address and port without brackets, zone and the mark of mapped addresses."""
    host, port = end.rsplit(":", 1)
    host = re.sub(r"%[^\]]*", "", host).strip("[]").replace("::ffff:", "")
    return ("::" if host == "*" else host) + " " + port


def ends(row):
    def one(end):
        return end["address"].replace("::ffff:", "") + f" {end['port']}"
    return one(row["local"]), one(row["peer"]) if "peer" in row else "*"


@pytest.mark.parametrize("part", range(4))
def test_filters_are_those_of_ss(bed, part):
    assert len(FILTERS) >= 60
    for words in FILTERS[part::4]:
        listed = "" if words.startswith(("state", "exclude")) else "state all "
        # ss wants no "and" behind a state
        theirs = ends_by_ss(bed, listed + re.sub(r"^(state \S+) and ", r"\1 ", words))
        ours = sorted(ends(r) for r in rows(bed, "-tn", *words.split())
                      if r["state"] not in ("CLOSE", "BOUND"))
        assert ours == theirs, words


WRONG = {"dprt = :80": "column 1: 'dprt'", "dport = :99999": "column 9: ':99999'",
         "dport :80": "column 7: ':80'", "( dport = :80": "at its end", "src [::1": "'[::1'",
         "dport = :80 )": "column 13: ')'", "state foo": "column 7: 'foo'",
         "src 10.0.0.0/33": "(0 to 32)", "not": "at its end", "process > x": "column 9: '>'",
         "src foo.example": "names are not looked up", "dport = :20-10": "ends before it begins",
         "user = nobody-of-this-name": "is no user", "interface = no0": "is no interface",
         "(" * 40 + "dport = :1" + ")" * 40: "nested too deeply"}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_filter_names_the_word(bed, words):
    status, out, err = bed.run([bed.hail, "netstat", words])
    assert (status, out) == (2, "")
    assert WRONG[words] in err and err.count("\n") == 1


def test_fields_that_ss_has_not(bed):
    assert {r["local"]["port"] for r in rows(bed, "-tn", "process = a-name*")} == {7000, 7001}
    (row,) = rows(bed, "-tnp", "process = a-name* and sport = :7001")
    pid = row["processes"][0]["pid"]
    assert ends(rows(bed, "-tn", f"pid = {pid} and sport = :7001")[0]) == ends(row)
    assert {r["uid"] for r in rows(bed, "-tn", "user = 2 or user = daemon")} <= {1, 2}
    assert {r["interface"] for r in rows(bed, "-an", "interface = d0", "-t")} == {"d0"}
    assert {r["local"].get("abstract") for r in rows(bed, "-x", "src @hail-test*")} == {
        "hail-test/abstract"}
    assert {r["kind"] for r in rows(bed, "-a", "family = netlink")} == {"netlink"}
    assert {r["local"]["port"] for r in rows(bed, "-tn", "sport = :7001-7003")} == {7001, 7002, 7003}


# --- the table ---


def test_the_table_cuts_no_address_and_splits_no_row(bed):
    lines = netstat(bed, "--table", "-tn").splitlines()
    assert lines[0].split()[:6] == ["PROTO", "STATE", "RCVQ", "SNDQ", "LOCAL", "PEER"]
    assert any("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:54321" in line for line in lines)
    assert any("[fe80::1%d0]:25" in line for line in lines)
    assert len(lines) == 1 + len(rows(bed, "-tn"))


def test_details_stand_below_the_row(bed):
    out = netstat(bed, "--table", "--info", "--memory", "--options", "--processes", "-tno",
                  "state established recv-q = 600")
    assert re.search(r"rtt \d+\.\d+/\d+\.\d+ ms .* cwnd \d+", out)
    assert re.search(r"received 600 bytes", out)
    assert re.search(r"receive buffer \d+ of \d+ bytes", out)
    assert re.search(r"pid \d+  fd \d+  user ", out)
    assert "timer " in out


# --- explanations ---

SAID = {"state = time-wait": "This end closed first", "state = syn-recv": "half open",
        "state = fin-wait-2": "closed", "state = close-wait": "has not called close()",
        "state = last-ack": "last acknowledgement", "state = closing": "closed at once",
        "state = fin-wait-1": "has closed first", "sport = :2001 state = listening": "queue is full",
        "sport = :443 state = listening": "IPv4 too", "sport = :8443 state = listening": "V6ONLY",
        "sport = :8080 state = listening": "only programs on this machine",
        "sport = :80 state = listening": "every IPv4 address", "recv-q = 600": "600 bytes came",
        "state = established send-q > 100000": "the peer's window is closed"}


@pytest.mark.parametrize("words", SAID)
def test_explain_says(bed, words):
    found = rows(bed, "-tn", "--explain", words)
    assert found
    assert any(SAID[words] in said["text"] for row in found for said in row["explain"]), found
    assert SAID[words] in " ".join(netstat(bed, "-tn", "--explain", words).split())


def test_explain_what_does_not_answer(bed):
    """After the first second a SYN was sent again."""
    for _ in range(100):
        text = " ".join(netstat(bed, "-tn", "--explain", "dst 192.0.2.9").split())
        if "nothing answers after" in text:
            return
        bed.run(["sleep", "0.1"])
    raise AssertionError(text)


def test_explain_alone_lists_what_is_odd(bed):
    out = netstat(bed, "-n", "--explain")
    count = re.search(r"(\d+) sockets: (\d+) looks? wrong, (\d+) worth a look", out)
    assert int(count[2]) >= 2 and int(count[3]) >= 2
    assert "TIME_WAIT  " not in out.replace("in TIME_WAIT", "")
    severities = {e["severity"] for r in rows(bed, "-n", "--explain") for e in r["explain"]}
    assert "wrong" in severities


# --- counts and the tree ---


def test_summary_counts_what_the_list_has(bed):
    (document,) = rows(bed, "-tuxn", "--summary")
    listed = rows(bed, "-tuxn")
    assert document["sockets"] == len(listed)
    tcp = {k["family"]: k["states"] for k in document["kinds"] if k["kind"] == "tcp"}
    assert tcp["inet"]["LISTEN"] == sum(
        r["kind"] == "tcp" and r["family"] == "inet" and r["state"] == "LISTEN" for r in listed)
    assert re.match(rf"{len(listed)} sockets\n", netstat(bed, "-tuxn", "--summary"))


def test_the_tree_joins_both_ends(bed):
    found = rows(bed, "-n", "--tree")
    by_inode = {r["inode"]: r for r in found if r["inode"]}
    joined = [r for r in found if "other" in r and r["other"]["inode"] in by_inode]
    assert len(joined) > 10
    for row in joined:
        other = by_inode[row["other"]["inode"]]
        assert other["pid"] == row["other"]["pid"]
        if row["kind"] == "tcp":
            assert (other["local"], other["peer"]) == (row["peer"], row["local"])
    text = netstat(bed, "-n", "--tree")
    assert re.search(r"^`- ", text, re.M) and re.search(r"<-> .*python3\[\d+\]", text)


def test_web_server_and_its_client(hail, nginx, tmp_path):
    """The tree over a web server: worker on one side, this process on the other."""
    import socket
    import subprocess
    with socket.create_connection(("127.0.0.1", nginx.port)) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(1)
        done = subprocess.run([hail, "netstat", "-nt", "--tree", "--json",
                               f"sport = :{nginx.port} or dport = :{nginx.port}"],
                              capture_output=True, text=True, timeout=60, check=True)
    mine = [json.loads(x) for x in done.stdout.splitlines()]
    (row,) = [r for r in mine if r["pid"] == os.getpid()]
    assert row["other"]["process"].startswith("nginx[")
