"""`hail netstat` against net-tools' netstat: standard output, standard error and exit status, byte
for byte, over some hundred combinations of options in one bed of sockets (netstat_bed.py)."""
import difflib
import itertools
import os
import pathlib
import re
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import netstat_bed  # noqa: E402

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root"),
    pytest.mark.skipif(not shutil.which("netstat", path="/usr/bin:/bin"), reason="no net-tools"),
]

# Long options and every beginning of each that is its alone, to be put beside -n.
LONG = ["ax25", "x25", "ip", "ipx", "appletalk", "netrom", "inet", "inet6", "ddp", "rose", "unix",
        "bluetooth", "tcpip", "version", "interfaces", "help", "route", "masquerade", "protocol",
        "tcp", "sctp", "udp", "udplite", "raw", "l2cap", "rfcomm", "listening", "all", "timers",
        "continuous", "extend", "programs", "verbose", "statistics", "wide", "numeric",
        "numeric-hosts", "numeric-ports", "numeric-users", "symbolic", "cache", "fib", "groups",
        "context"]
VIEWS = {"interfaces", "route", "masquerade", "statistics", "continuous", "protocol", "groups"}


def sockets():
    """Lists of sockets: which ones, of which protocols, shown how."""
    which = ["", "-a", "-l"]
    protocols = ["", "-t", "-u", "-w", "-x", "-tu", "-4", "-6", "-t -6", "-u -4", "-A inet",
                 "-A inet6,unix", "--tcp --udp --raw", "-U"]
    how = ["-n", "-n -e", "-n -p", "-n -ee -p", "-n -W", "-n -v"]
    for row in itertools.product(which, protocols, how):
        yield " ".join(part for part in row if part)
    for row in itertools.product(which, ["-t", "-u", "-w", "-x", ""],
                                 ["", "-e", "-p", "--numeric-hosts", "--numeric-ports",
                                  "--numeric-users -e", "-W", "-eepW"]):
        yield " ".join(part for part in row if part)


TIMERS = ["-anto", "-antuo", "-ntoe", "-atnop", "-tnlo", "-anuo", "-anwo", "-antoW", "-6anto",
          "-ano", "--timers -nt"]

WORDS = ["-h", "--help", "-V", "--version", "-?", "-q", "-A", "-A foo", "-A inet,foo", "-A ,",
         "-A unix,", "--foo", "--in", "--num", "--t", "--u", "--e=3", "--tcp=1", "-rr", "-ri",
         "-Mi", "-s -r", "-i -s -M", "-Z", "-antZ",
         "-d -nt", "-S", "-Sn", "-U", "-2", "-f", "--bluetooth", "--tcpip -n", "-A ax25", "-A ipx",
         "-A x25", "-A rose", "-A netrom", "-A ddp", "-A ash", "-A econet", "--ax25 -n",
         "--ipx --netrom", "-v --ipx", "-vn", "-nt --inet6 --unix", "-natp4 -6", "-n -4a -x",
         "-A inet -A inet6 -n", "-A ip,ip6,tcpip -nt", "-tN", "-tnF", "-tnC"]


def abbreviations():
    for word in LONG:
        for n in range(1, len(word) + 1):
            if word not in VIEWS:
                yield f"--{word[:n]} -nt"
            elif not "continuous".startswith(word[:n]):  # that would go on for ever
                yield f"--{word[:n]} -n" + " inet" * (word == "protocol" and n > 1)


@pytest.fixture(name="bed", scope="module")
def fixture_bed(hail):
    with tempfile.TemporaryDirectory(prefix="hail-bed-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        shutil.copy(hail, directory / "hail")  # where another user may run it, too
        (directory / "netstat").symlink_to("hail")
        bed = netstat_bed.start(directory)
        bed.hail, bed.link = directory / "hail", directory / "netstat"
        yield bed
        bed.close()


def quiet(text):
    """Timers run on between two programs."""
    return re.sub(r"\(\d+\.\d\d/", "(T/", text)


def compare(bed, options, timers=False, **how):
    """None, or what differs. What moves meanwhile (a retransmit) is looked at again."""
    diff = None
    for _ in range(4):
        words = options.split()
        theirs = bed.run(["/usr/bin/netstat", *words], **how)
        ours = bed.run([bed.hail, "netstat", *words], **how)
        again = bed.run(["/usr/bin/netstat", *words], **how)
        theirs, ours, again = (
            tuple(quiet(x) if timers and isinstance(x, str) else x for x in one)
            for one in (theirs, ours, again))
        # getopt shows the word that the program was called by
        theirs, again = ((s, o, e.replace("/usr/bin/netstat: ", "netstat: "))
                         for s, o, e in (theirs, again))
        if ours in (theirs, again):
            return None
        diff = "".join(difflib.unified_diff(
            f"status {theirs[0]}\n{theirs[1]}--- stderr\n{theirs[2]}".splitlines(True),
            f"status {ours[0]}\n{ours[1]}--- stderr\n{ours[2]}".splitlines(True),
            "netstat " + options, "hail netstat " + options, n=0))
    return diff


def check(bed, rows, timers=False, **how):
    wrong = [diff for diff in (compare(bed, row, timers, **how) for row in rows) if diff]
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong)[:6000]


SOCKETS = list(dict.fromkeys(sockets()))


@pytest.mark.parametrize("part", range(8))
def test_lists(bed, part):
    assert len(SOCKETS) >= 300
    check(bed, SOCKETS[part::8])


def test_timers(bed):
    check(bed, TIMERS, timers=True)


def test_words(bed):
    check(bed, WORDS)


def test_abbreviations(bed):
    check(bed, abbreviations(), timers=True)


def test_another_user(bed):
    check(bed, ["-antp", "-tlnp", "-p", "-anp", "-anxp", "-anep", "-h", "-lntu"], user=65534)


def test_every_second(bed):
    status, out, _ = bed.run([bed.hail, "netstat", "-ntlc"], seconds=2.5)
    one = bed.run([bed.hail, "netstat", "-ntl"])[1]
    assert status == 124
    assert out == one * 3


def test_called_by_its_name(bed):
    for options in ("-antp", "-tu", "-x", "-V", "ignored operands", "-n -t 5"):
        theirs = bed.run(["/usr/bin/netstat", *options.split()])
        assert bed.run([bed.link, *options.split()]) == theirs, options


def test_closed_and_full_output(bed):
    for to in (">&-", ">/dev/full"):
        status, _, err = bed.run([bed.hail, "netstat", "-ant"], shell=to)
        assert status == 8
        assert err.startswith("hail: write standard output: ")


def test_the_bed_is_rich(bed):
    """Every state that there is, or the comparison would compare little."""
    out = bed.run([bed.hail, "netstat", "-ant"])[1]
    for state in ("ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
                  "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"):
        assert re.search(rf" {state} *$", out, re.M), state
