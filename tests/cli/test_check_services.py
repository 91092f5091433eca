"""hail check on Debian's real daemons: each up, down, replaced by another, frozen, and with
certificates of every kind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import types

import pytest

from check_peers import SERVICES, RedisLocked, Sshd, Web

pytestmark = pytest.mark.peers

WITH_TLS = [name for name, service in SERVICES.items() if service[4]]


class Bed:
    """The daemons of this module, each started when it is first asked for, one for each certificate."""

    def __init__(self, factory, certs):
        self.factory, self.certs, self.running = factory, certs, {}

    def get(self, cls, cert="good"):
        if (cls, cert) not in self.running:
            directory = self.factory.mktemp("peer")
            directory.chmod(0o755)
            pair = {"good": lambda: (self.certs.cert, self.certs.key),
                    "expired": lambda: self.certs.leaf("expired", days=-1),
                    "other": lambda: self.certs.leaf("other", san="DNS:other.example")}[cert]()
            self.running[cls, cert] = cls(directory, types.SimpleNamespace(cert=pair[0],
                                                                           key=pair[1]))
        return self.running[cls, cert]

    def url(self, name, cert="good"):
        cls, scheme, where, _, _ = SERVICES[name]
        return f"{scheme}://localhost:{getattr(self.get(cls, cert), where)}"

    def close(self):
        for daemon in self.running.values():
            daemon.close()


@pytest.fixture(name="bed", scope="module")
def fixture_bed(tmp_path_factory, certs):
    bed = Bed(tmp_path_factory, certs)
    yield bed
    bed.close()


@pytest.fixture(name="check")
def fixture_check(hail, certs):
    def run(*args, status):
        done = subprocess.run([hail, "check", "--cacert", str(certs.ca), *map(str, args)],
                              capture_output=True, timeout=60, check=False, text=True)
        assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout
    return run


@pytest.mark.parametrize("name", SERVICES)
def test_up(bed, check, name):
    said, tls = SERVICES[name][3:]
    out = check("-v", bed.url(name), status=0)
    assert out.startswith("ok ") and re.search(said, out.splitlines()[0]), out
    assert re.search(r"between +127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+", out), out
    assert "phases" in out and "connect" in out
    row = json.loads(check("--json", bed.url(name), status=0))
    assert row["verdict"] == "ok" and row["time_s"] > 0, row
    assert ("tls" in row) == bool(tls), row
    if tls:
        assert row["tls"]["verified"] and row["tls"]["starttls"] == (tls == "starttls")
        assert re.search(r"TLS +TLSv1\.[23], ", out) and "verified  yes" in out


def test_capabilities(bed, check):
    """What is listed is what the daemons are known to have."""
    known = {"ftp": {"UTF8", "SIZE", "PASV"} - {"UTF8"}, "smtp": {"PIPELINING", "8BITMIME"},
             "pop3": {"TOP", "UIDL", "CAPA"}, "imap": {"IMAP4rev1", "IDLE"},
             "nntp": {"VERSION 2", "READER"}, "mysql": {"PROTOCOL_41", "PLUGIN_AUTH"}}
    for name, wanted in known.items():
        facts = json.loads(check("--json", bed.url(name), status=0))["facts"]
        assert wanted <= set(facts["capability"]), (name, facts)
    ssh = json.loads(check("--json", bed.url("ssh"), status=0))["facts"]
    assert "OpenSSH" in ssh["software"] and "curve25519-sha256" in ssh["kex"]
    assert "ssh-ed25519" in ssh["host-key"] and "weak" not in ssh
    telnet = json.loads(check("--json", bed.url("telnet"), status=0))["facts"]
    assert "DO TERMINAL TYPE" in telnet["option"]
    assert json.loads(check("--json", bed.url("ntp"), status=0))["facts"]["status"] == "stratum 8"


def test_starttls_required_and_never(bed, check):
    for name in WITH_TLS:
        if SERVICES[name][4] != "starttls":
            continue
        row = json.loads(check("--json", "--starttls", bed.url(name), status=0))
        assert row["tls"]["starttls"], name
        row = json.loads(check("--json", "--starttls=never", bed.url(name), status=0))
        assert "tls" not in row and row["verdict"] == "ok", name


@pytest.mark.parametrize("name", SERVICES)
def test_down(check, free_port, name):
    """Nobody is there any more."""
    out = check("--timeout", "5s", f"{SERVICES[name][1]}://127.0.0.1:{free_port()}", status=4)
    assert out.startswith("connect ") and "refused" in out


# Who stands in for whom; what is said of it. The services that say nothing first are asked by QUIT.
REPLACED = [
    ("smtp", "ssh", "this is SSH-2.0-OpenSSH"), ("smtp", "http", "this is HTTP/1.1 400"),
    ("smtp", "mysql", "this is MySQL"), ("smtp", "pop3", "this is POP3"),
    ("smtp", "nntp", "this is NNTP"), ("smtp", "telnet", "this is Telnet"),
    ("smtp", "https", "expected SMTP, this is (TLS|HTTP)"), ("smtp", "ftp", "this is FTP"),
    ("ftp", "ssh", "this is SSH-2.0"), ("ftp", "smtp", "this is SMTP"), ("ftp", "imap", "this is IMAP"),
    ("ssh", "smtp", "this is SMTP"), ("ssh", "http", "this is HTTP/1.1 400"),
    ("ssh", "telnet", "this is Telnet"), ("telnet", "ssh", "this is SSH"),
    ("telnet", "smtp", "this is SMTP"), ("pop3", "imap", "this is IMAP"),
    ("pop3", "ssh", "this is SSH"), ("imap", "pop3", "this is POP3"), ("imap", "ftp", "this is FTP"),
    ("nntp", "smtp", "this is SMTP"), ("nntp", "ssh", "this is SSH"),
    ("http", "ssh", "this is SSH"), ("http", "smtp", "this is SMTP"),
    ("http", "https", "400|this is TLS"), ("https", "http", "does not speak TLS"),
    ("https", "ssh", "does not speak TLS.*SSH-2.0"), ("postgres", "mysql", "this is MySQL"),
    ("postgres", "ssh", "this is SSH"), ("mysql", "ssh", "this is SSH"),
    ("mysql", "smtp", "this is SMTP"), ("redis", "memcached", "this is memcached"),
    ("redis", "ssh", "this is SSH"), ("memcached", "redis", "this is Redis"),
    ("memcached", "smtp", "this is SMTP"), ("mqtt", "ssh", "this is SSH"),
    ("mqtt", "mysql", "this is MySQL"), ("domain-s", "http", "does not speak TLS"),
]


@pytest.mark.parametrize("expected, there, said", REPLACED, ids=lambda v: v if len(v) < 10 else "")
def test_replaced(bed, hail, expected, there, said):
    port = bed.url(there).rsplit(":", 1)[1]
    done = subprocess.run([hail, "check", "--greeting", "500ms",
                           f"{SERVICES[expected][1]}://localhost:{port}"],
                          capture_output=True, timeout=60, check=False, text=True)
    assert re.search(said, done.stdout), done.stdout
    assert done.returncode in (1, 6, 7) and not done.stdout.startswith(("ok", "warn")), done.stdout
    if "this is" in said and "|" not in said:
        assert done.returncode == 7 and f"expected {expected[:3]}".lower() in done.stdout.lower()


@pytest.mark.parametrize("name", WITH_TLS)
def test_expired(bed, check, name):
    out = check(bed.url(name, "expired"), status=6)
    assert out.startswith("tls ") and re.search("expired|ended", out), out
    row = json.loads(check("--json", "--insecure", bed.url(name, "expired"), status=0))
    assert row["tls"]["days_left"] < 0 and not row["tls"]["verified"], row


@pytest.mark.parametrize("name", ["https", "smtp", "imap", "postgres"])
def test_certificate_for_another(bed, check, name):
    out = check(bed.url(name, "other"), status=6)
    assert "other.example" in out, out


@pytest.mark.parametrize("name", ["https", "pop3", "ftp", "mysql"])
def test_unknown_authority(bed, hail, name):
    done = subprocess.run([hail, "check", bed.url(name)], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 6 and done.stdout.startswith("tls "), done.stdout


def test_password_wanted_is_up(bed, check):
    redis = bed.get(RedisLocked)
    assert "NOAUTH" in check(f"redis://127.0.0.1:{redis.port}", status=0)


def test_content(bed, check):
    check("--expect-body", "^all is well$", bed.url("http"), status=0)
    assert "no line" in check("--expect-body", "^all is lost$", bed.url("https"), status=1)


def test_query(bed, check):
    url = bed.url("dns")
    assert "NOERROR" in check("--query", "x.test", url, status=0)
    row = json.loads(check("--json", "--query", "x.test/A", url, status=0))
    assert row["facts"]["answer"] == ["192.0.2.3"]
    assert "NXDOMAIN" in check("--query", "y.test", url, status=1)
    check("--query", "x.test", "--protocol", "dns", "tcp:" + url.split("//")[1], status=0)


def test_by_their_logs(bed, check):
    """hail takes its leave: the daemons have nothing to complain of."""
    logs = {name: bed.get(SERVICES[name][0]).log for name in ("pop3", "mqtt")}
    before = {name: len(log.read_text(errors="replace")) for name, log in logs.items()}
    for name in ("smtp", "pop3", "imap", "ftp", "mqtt", "mysql"):
        check(bed.url(name), status=0)
    time.sleep(0.3)
    bad = re.compile(r"(?i)lost connection|protocol error|unexpected|broken pipe|reset by peer|"
                     r"improper command|aborted connection \d+ to .*unauthenticated")
    for name, log in logs.items():
        said = log.read_text(errors="replace")[before[name]:]
        assert said and not bad.search(said), (name, bad.search(said), said)


def test_all_at_once(bed, check, tmp_path):
    """Every daemon in one file: one run, all well, in their order."""
    file = tmp_path / "targets"
    file.write_text("".join(f"{bed.url(name)} name={name}\n" for name in SERVICES))
    lines = check("--file", file, status=0).splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in SERVICES]
    begin = time.monotonic()
    check("--file", file, status=0)
    assert time.monotonic() - begin < 5


@contextlib.contextmanager
def frozen(daemon):
    """All processes of the daemon's session stand still."""
    os.killpg(daemon.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(daemon.process.pid, signal.SIGCONT)


def test_frozen(bed, check):
    for cls, scheme in ((Sshd, "ssh"), (Web, "http")):
        daemon = bed.get(cls)
        with frozen(daemon):
            out = check("--timeout", "700ms", f"{scheme}://127.0.0.1:{daemon.port}", status=5)
            assert out.startswith("timeout ") and "does not say a word" in out
        check(f"{scheme}://127.0.0.1:{daemon.port}", status=0)


def test_until_a_daemon_is_up(hail, certs, tmp_path):
    """--until up begins before the daemon does, and ends when it speaks."""
    class Later(Web):
        def prepare(self):
            self.waiter = subprocess.Popen([hail, "check", "--until", "up", "--timeout", "30s",
                                            f"http://127.0.0.1:{self.port}"])
            return super().prepare()

    web = Later(tmp_path, certs)
    try:
        assert web.waiter.wait(timeout=30) == 0
    finally:
        web.close()
