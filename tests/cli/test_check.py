"""hail check against servers that play a part: every protocol's good and bad words, the verdict, the
exit status, and what is said of it."""

import datetime
import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from check_actor import HANG, READ, TLS, Actor
from check_parts import (FTP, IMAP, MYSQL, MYSQL_DENIED, NNTP, OK, POP3, SECURED, SMTP, SSH, TABLE,
                         TELNET, answers)

STATUS = {"ok": 0, "warn": 1, "no": 1, "usage": 2, "name": 3, "connect": 4, "timeout": 5, "tls": 6,
          "protocol": 7, "local": 8}


@pytest.fixture(name="check")
def fixture_check(hail):
    """Runs hail check; its output after the status was looked at."""
    def run(*args, status=None, stdin=None, cwd=None, env=None):
        done = subprocess.run([hail, "check", *map(str, args)], capture_output=True, timeout=60,
                              check=False, text=True, input=stdin, cwd=cwd, env=env)
        if status is not None:
            assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
        return done
    return run


def context(certs, cert=None, key=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert or certs.cert, key or certs.key)
    return made


# --- the table ---


@pytest.mark.parametrize("row", range(len(TABLE)), ids=lambda i: f"{i}-{TABLE[i][0]}")
def test_table(check, row):
    protocol, options, part, verdict, said = TABLE[row]
    with Actor(part) as actor:
        if protocol == "dns":  # a port of UDP where nobody is
            done = check("--timeout", "1500ms", f"dns://127.0.0.1:{actor.port}")
        else:
            done = check(*options, f"{protocol}://127.0.0.1:{actor.port}")
    got = done.stdout.split()[0] if done.stdout else done.stderr
    assert got in verdict.split("|"), (done.stdout, done.stderr)
    assert done.returncode == STATUS[got]
    assert re.search(said, done.stdout), done.stdout
    assert done.stdout.count("\n") == 1 and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stdout)
    for heard in actor.heard:  # nothing that changes anything
        assert not re.search(rb"(?im)^(mail|rcpt|data|dele|stor|auth (?!tls)|pass|select|post|set )", heard)


# --- TLS ---


@pytest.mark.parametrize("protocol", SECURED)
def test_tls_good(check, certs, protocol):
    with Actor(answers(protocol), context(certs)) as actor:
        done = check("--json", "--cacert", certs.ca, f"{protocol}://localhost:{actor.port}", status=0)
    row = json.loads(done.stdout)
    assert row["schema"] == "hail.check/1" and row["verdict"] == "ok"
    tls = row["tls"]
    assert tls["verified"] and tls["version"] == "TLSv1.3" and tls["days_left"] in (0, 1)
    assert tls["starttls"] == (protocol in ("smtp", "pop3", "imap", "ftp", "nntp", "postgres"))
    assert "DNS:localhost" in tls["names"] and row["phases"]["tls_s"] > 0
    assert row["peer"].endswith(str(actor.port)) and row["local"].startswith("127.0.0.1:")


@pytest.mark.parametrize("protocol", SECURED)
@pytest.mark.parametrize("kind", ["expired", "other-name", "unknown", "later", "self-signed"])
def test_tls_bad_certificates(check, certs, protocol, kind):
    if kind == "expired":
        cert, said = certs.leaf(f"expired-{protocol}", days=-1), "expired|ended"
    elif kind == "other-name":
        cert, said = certs.leaf(f"other-{protocol}", san="DNS:other.example"), "other.example"
    elif kind == "later":
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
        cert = certs.later(f"later-{protocol}", start, start + datetime.timedelta(days=3))
        said = "not valid before"
    elif kind == "self-signed":
        cert, said = certs.self_signed(f"self-{protocol}"), "self-signed"
    else:
        cert, said = (certs.cert, certs.key), "authority|issuer|trust"
    ca = ["--cacert", certs.ca] if kind != "unknown" else []
    with Actor(answers(protocol), context(certs, *cert)) as actor:
        done = check(*ca, f"{protocol}://localhost:{actor.port}", status=6)
        assert done.stdout.startswith("tls ") and re.search(said, done.stdout), done.stdout
    with Actor(answers(protocol), context(certs, *cert)) as actor:
        done = check("--json", "--insecure", *ca, f"{protocol}://localhost:{actor.port}", status=0)
        row = json.loads(done.stdout)
        assert row["verdict"] == "ok" and re.search(said, row["tls"]["refused"])
        assert not row["tls"]["verified"]


def test_servername(check, certs):
    cert = certs.leaf("by-name", san="DNS:shop.example")
    with Actor([TLS, READ, OK], context(certs, *cert)) as actor:
        check("--cacert", certs.ca, "--servername", "shop.example",
              f"https://127.0.0.1:{actor.port}", status=0)


def test_warnings(check, certs):
    with Actor([TLS, READ, OK], context(certs)) as actor:
        url = f"https://localhost:{actor.port}"
        done = check("--cacert", certs.ca, "--warn-days", 30, url, status=1)
        assert done.stdout.startswith("warn ") and "its certificates end in" in done.stdout
    with Actor([0.3, *SMTP]) as actor:
        done = check("--warn-time", "100ms", f"smtp://127.0.0.1:{actor.port}", status=1)
        assert done.stdout.startswith("warn ") and "slower than 100 ms" in done.stdout
        check("--warn-time", "20s", f"smtp://127.0.0.1:{actor.port}", status=0)


def test_chain_that_ends_sooner(check, certs, tmp_path):
    """The leaf is good for a year, the authority between it and the root for a day."""
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name, by, by_key, days, ext in (
            ("middle", certs.ca, certs.ca_key, 1, "basicConstraints=CA:TRUE\n"),
            ("end", tmp_path / "middle.pem", tmp_path / "middle.key", 365,
             "subjectAltName=DNS:localhost\n")):
        (tmp_path / f"{name}.ext").write_text(ext)
        openssl("req", *curve, "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.csr",
                "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", tmp_path / f"{name}.csr", "-CA", by, "-CAkey", by_key,
                "-CAcreateserial", "-days", days, "-extfile", tmp_path / f"{name}.ext", "-out",
                tmp_path / f"{name}.pem")
    (tmp_path / "chain.pem").write_text((tmp_path / "end.pem").read_text()
                                        + (tmp_path / "middle.pem").read_text())
    with Actor([TLS, READ, OK], context(certs, tmp_path / "chain.pem", tmp_path / "end.key")) as actor:
        url = f"https://localhost:{actor.port}"
        tls = json.loads(check("--json", "--cacert", certs.ca, url, status=0).stdout)["tls"]
        assert tls["verified"] and tls["days_left"] in (364, 365)
        assert 360 * 86400 < tls["not_after"] - tls["chain_not_after"] < 370 * 86400
        done = check("-v", "--cacert", certs.ca, "--warn-days", 30, url, status=1)
        assert "its certificates end in" in done.stdout and "ends first" in done.stdout


# --- facts ---


def facts(check, part, protocol, *options):
    with Actor(part) as actor:
        done = check("--json", *options, f"{protocol}://127.0.0.1:{actor.port}", status=0)
    return json.loads(done.stdout)["facts"]


def test_facts(check):
    smtp = facts(check, SMTP, "smtp")
    assert smtp["capability"] == ["SIZE 1000", "AUTH PLAIN LOGIN", "HELP"]
    assert smtp["auth"] == ["PLAIN", "LOGIN"] and smtp["server"] == "mail.example"
    assert facts(check, FTP, "ftp")["capability"] == ["MDTM", "SIZE"]
    assert facts(check, POP3, "pop3")["capability"] == ["TOP", "SASL PLAIN"]
    assert facts(check, IMAP, "imap")["capability"] == ["IMAP4rev1", "IDLE"]
    assert facts(check, NNTP, "nntp")["capability"] == ["VERSION 2", "READER"]
    ssh = facts(check, SSH, "ssh")
    assert ssh["software"] == "Test_1.0 comment" and ssh["protocol"] == "2.0"
    assert ssh["kex"] == ["curve25519-sha256", "diffie-hellman-group1-sha1"]
    assert set(ssh["weak"]) == {"diffie-hellman-group1-sha1", "ssh-dss", "3des-cbc", "hmac-md5"}
    assert facts(check, TELNET, "telnet")["option"] == ["DO TERMINAL TYPE", "DO TSPEED",
                                                        "WILL SUPPRESS GO AHEAD"]
    assert "SSL" not in facts(check, [MYSQL, READ, MYSQL_DENIED], "mysql")["capability"]


def test_what_is_sent(check):
    """The whole of what a client says, in each protocol: nothing else may come."""
    said = {"smtp": (SMTP, b"EHLO localhost\r\nQUIT\r\n"), "ftp": (FTP, b"FEAT\r\nQUIT\r\n"),
            "pop3": (POP3, b"CAPA\r\nQUIT\r\n"), "nntp": (NNTP, b"CAPABILITIES\r\nQUIT\r\n"),
            "imap": (IMAP, b"a1 CAPABILITY\r\na3 LOGOUT\r\n"), "ssh": (SSH, b"SSH-2.0-hail\r\n"),
            "telnet": (TELNET, b"\xff\xfc\x18\xff\xfc\x20\xff\xfe\x03"),
            "redis": ([READ, b"+PONG\r\n", HANG], b"*1\r\n$4\r\nPING\r\n"),
            "memcached": ([READ, b"VERSION 1\r\n", HANG], b"version\r\nquit\r\n")}
    for protocol, (part, words) in said.items():
        with Actor(part) as actor:
            check(f"{protocol}://127.0.0.1:{actor.port}", status=0)
        assert [bytes(h) for h in actor.heard] == [words], protocol
    with Actor([READ, OK]) as actor:
        check("-H", "X-One: 1", "-X", "OPTIONS", f"http://127.0.0.1:{actor.port}/a?b", status=0)
    head = bytes(actor.heard[0])
    assert head.startswith(b"OPTIONS /a?b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % actor.port)
    assert b"\r\nX-One: 1\r\n" in head


# --- several targets, files ---


def test_several_in_order(check, free_port):
    closed = free_port()
    with Actor([0.3, *SMTP]) as slow, Actor([READ, OK]) as fast:
        done = check(f"smtp://127.0.0.1:{slow.port}", f"http://127.0.0.1:{fast.port}",
                     f"127.0.0.1:{closed}", status=4)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "ok", "connect"]
    assert str(slow.port) in lines[0] and "connection refused" in lines[2]


def test_worst_verdict(check, free_port):
    with Actor([b"junk\r\n", HANG]) as bad, Actor([READ, OK]) as good:
        check(f"http://127.0.0.1:{good.port}", f"smtp://127.0.0.1:{bad.port}",
              f"127.0.0.1:{free_port()}", status=7)
        check("nosuch.invalid:80", f"http://127.0.0.1:{good.port}", status=3)


def test_parallel(check):
    """Twenty that take a third of a second each take far less than all of them in turn."""
    with Actor([0.3, *SMTP]) as actor:
        begin = time.monotonic()
        check(*[f"smtp://127.0.0.1:{actor.port}"] * 20, status=0)
        assert time.monotonic() - begin < 4


FILE = """# targets
module web protocol=http expect-status=200 warn-time=10s
module mail protocol=smtp starttls=never
default timeout=5s

http://127.0.0.1:{http}/health module=web name="the web" label.team=a
127.0.0.1:{smtp}   module=mail \\
    name=mail
"""


def test_file(check, tmp_path):
    with Actor([READ, OK]) as web, Actor(SMTP) as mail:
        file = tmp_path / "targets"
        file.write_text(FILE.format(http=web.port, smtp=mail.port))
        done = check("--file", file, status=0)
        assert [line.split()[:2] for line in done.stdout.splitlines()] == [["ok", "the"],
                                                                          ["ok", "mail"]]
        rows = [json.loads(line) for line in check("--json", "--file", file).stdout.splitlines()]
        assert rows[0]["module"] == "web" and rows[0]["labels"] == {"team": "a"}
        assert rows[1]["name"] == "mail" and rows[1]["module"] == "mail"
        done = check("--file", "-", stdin=file.read_text(), status=0)
        assert done.stdout.count("\n") == 2


def test_file_faults(check, tmp_path):
    with Actor([READ, OK]) as web:
        file = tmp_path / "targets"
        file.write_bytes(b"\xef\xbb\xbfhttp://127.0.0.1:%d/ warn-days=x\r\n" % web.port
                         + b"http://127.0.0.1:%d/ nme=x\n" % web.port
                         + b"\xc3\xa4\xc3\xb6 bad\n"
                         + b"gopher://h\n"
                         + b"127.0.0.1\n"
                         + b"http://127.0.0.1:%d/ \"open\n" % web.port
                         + b"127.0.0.1:80 module=none\n"
                         + b"module web\nmodule web\n"
                         + b"nul \x00\n"
                         + b"http://127.0.0.1:%d/ok name=good\n" % web.port)
        done = check("--file", file, status=2)
    assert done.stdout.startswith("ok ") and done.stdout.count("\n") == 1
    places = re.findall(r"targets:(\d+):(\d+): (.*)", done.stderr)
    column = len(f"http://127.0.0.1:{web.port}/ ") + 1
    assert [(int(line), int(col)) for line, col, _ in places] == [
        (1, column), (2, column), (3, 4), (4, 1), (5, 1), (6, column), (7, 21), (9, 8),
        (10, 5)], done.stderr
    assert "days" in places[0][2] and "did you mean 'name'" in places[1][2]


def test_bare_host(check, tmp_path, hail):
    env = {"PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = check("127.0.0.1", status=2, env=env)
    assert "which service" in done.stderr
    with Actor([READ, OK]) as web, Actor(SMTP) as mail:
        (tmp_path / "hail").mkdir()
        (tmp_path / "hail" / "targets").write_text(
            f"http://127.0.0.1:{web.port}/\nsmtp://127.0.0.1:{mail.port}\nsmtp://[::1]:9\n")
        done = check("127.0.0.1", status=0, env=env)
        assert done.stdout.count("\n") == 2


@pytest.mark.parametrize("args, said", [
    ([], "no target"),
    (["127.0.0.1:25", "--watch", "--until", "up"], "do not go together"),
    (["127.0.0.1:25", "--until", "maybe"], "up or down"),
    (["127.0.0.1:25", "--watch", "-v"], "-v does not go with --watch"),
    (["127.0.0.1:25", "--until", "up", "--json"], "--json does not go with --until"),
    (["127.0.0.1:25", "--metrics", "127.0.0.1:0", "-q"], "-q does not go with --metrics"),
    (["127.0.0.1:25", "--watch", "--all-addresses"], "once alone"),
    (["127.0.0.1:25", "--warn-days", "x"], "a number of days"),
    (["127.0.0.1:25", "--timeout", "0"], "a time above 0"),
    (["127.0.0.1:25", "--expect", "("], "expression|character|parenthes"),
    (["127.0.0.1:25", "--send", r"\q"], "unknown escape"),
    (["127.0.0.1:25", "-H", "no colon"], "Name: value"),
    (["127.0.0.1:25", "-H", "X: a\r\nY: b"], "Name: value"),
    (["127.0.0.1:25", "--expect-status", "2x"], "statuses such as"),
    (["127.0.0.1:25", "--protocol", "gopher"], "no protocol"),
    (["127.0.0.1:25", "--starttls=maybe"], "try, never or require"),
    (["gopher://127.0.0.1"], "no protocol"),
    (["udp:127.0.0.1:25"], "over UDP"),
    (["smtp://127.0.0.1/path"], "have a path"),
    (["127.0.0.1:25", "--parallel", "0"], "above 0"),
    (["127.0.0.1:99999"], "column|port"),
    (["127.0.0.1:25", "--timeuot", "1"], "did you mean '--timeout'"),
])
def test_usage(check, args, said):
    done = check(*args, status=2)
    assert done.stdout == "" and re.search(said, done.stderr), done.stderr


def test_protocols_by_their_other_names(check):
    """The port and TLS are those of the name that was said last."""
    with Actor(SMTP) as actor:
        check("--protocol", "smtps", "--protocol", "smtp", f"127.0.0.1:{actor.port}", status=0)
    for name, port in (("submission", 587), ("smtps", 465), ("smtp", 25), ("imaps", 993)):
        row = json.loads(check("--json", "--protocol", name, "127.111.0.1").stdout)
        assert row["attempts"][0]["address"] == f"127.111.0.1:{port}"


def test_missing_files(check, tmp_path, certs):
    done = check("--file", tmp_path / "none", status=8)
    assert "none" in done.stderr
    with Actor([TLS, READ, OK], context(certs)) as actor:
        done = check("--cacert", tmp_path / "no-ca.pem", f"https://localhost:{actor.port}")
        assert done.returncode in (6, 8) and "no-ca.pem" in done.stdout


def test_many_with_few_descriptors(hail):
    """10,000 targets, 100 descriptors: none fails for want of one."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as server:
        port = server.getsockname()[1]
        command = f"ulimit -n 100; {hail} check --file - --timeout 60s"
        lines = f"tcp://127.0.0.1:{port}\n" * 2000 + "127.0.0.1:1\n" * 8000
        done = subprocess.run(["sh", "-c", command], input=lines, capture_output=True, text=True,
                              timeout=120, check=False)
    verdicts = [line.split()[0] for line in done.stdout.splitlines()]
    assert (verdicts.count("ok"), verdicts.count("connect")) == (2000, 8000), done.stderr[:500]


# --- waiting ---


def test_until_up(hail, free_port):
    port = free_port()
    child = subprocess.Popen([hail, "check", "--until", "up", f"smtp://127.0.0.1:{port}"])
    time.sleep(0.3)
    assert child.poll() is None
    with socket.create_server(("127.0.0.1", port)) as server:
        time.sleep(0.2)  # it listens, and says nothing: that is not up
        assert child.poll() is None
        connection, _ = server.accept()
        connection.sendall(b"220 x\r\n")
        connection.recv(100)
        connection.sendall(b"250 x\r\n")  # QUIT gets no answer: nothing waits for it
        assert child.wait(timeout=20) == 0
        connection.close()


def test_until_down(hail):
    with Actor([READ, OK]) as actor:
        child = subprocess.Popen([hail, "check", "--until", "down",
                                  f"http://127.0.0.1:{actor.port}"])
        time.sleep(0.3)
        assert child.poll() is None
    assert child.wait(timeout=20) == 0


def test_until_times_out(check, free_port):
    port = free_port()
    done = check("--until", "up", "--timeout", "300ms", f"127.0.0.1:{port}", status=5)
    assert "still not up" in done.stderr and "refused" in done.stderr and done.stdout == ""


def test_watch_in_a_pipe(hail):
    with Actor([READ, OK]) as actor:
        child = subprocess.Popen([hail, "check", "--watch=0.1", f"http://127.0.0.1:{actor.port}"],
                                 stdout=subprocess.PIPE, text=True)
        first = child.stdout.readline()
    second = child.stdout.readline()
    child.send_signal(signal.SIGINT)
    rest = child.communicate(timeout=20)[0]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ok ", first), first
    assert re.search(r"Z  connect ", second) or re.search(r"Z  protocol ", second), (second, rest)


def test_interrupted(hail):
    with Actor([HANG]) as actor:
        child = subprocess.Popen([hail, "check", f"smtp://127.0.0.1:{actor.port}"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
        assert child.returncode == -signal.SIGINT


# --- addresses ---


def test_second_address(check):
    """The first address of localhost is dead: the second answers."""
    with Actor([READ, OK]) as actor:
        row = json.loads(check("--json", f"http://localhost:{actor.port}", status=0).stdout)
    assert [a.get("error") for a in row["attempts"]] == ["connection refused", None]
    assert [a["address"] for a in row["attempts"]] == [f"[::1]:{actor.port}",
                                                       f"127.0.0.1:{actor.port}"]


def test_first_address_swallows_everything(hail, tmp_path):
    """Packets to the first address get no answer at all: the second is tried beside it."""
    script = tmp_path / "run.py"
    hosts = tmp_path / "hosts"
    hosts.write_text("2001:db8::9 two.test\n127.0.0.1 two.test\n")
    script.write_text(f"""
import json, socket, subprocess
for line in ("ip link set lo up", "ip link add name hole type veth peer name other",
             "ip -6 addr add 2001:db8::1/64 dev hole nodad", "ip link set hole up",
             "ip link set other up", "ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:01 dev hole",
             "mount --bind {hosts} /etc/hosts"):
    subprocess.run(line.split(), check=True)
server = socket.create_server(("127.0.0.1", 7))
done = subprocess.run([{hail!r}, "check", "--json", "tcp://two.test:7"], capture_output=True)
row = json.loads(done.stdout)
print(row["verdict"], [a["address"] for a in row["attempts"]], row["time_s"] < 3)
done = subprocess.run([{hail!r}, "check", "--json", "--all-addresses", "--timeout", "1s",
                       "tcp://two.test:7"], capture_output=True)
print([json.loads(line)["verdict"] for line in done.stdout.splitlines()], done.returncode)
""")
    done = subprocess.run(["unshare", "-nm", "/usr/bin/python3", script], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.stdout == ("ok ['[2001:db8::9]:7', '127.0.0.1:7'] True\n['timeout', 'ok'] 5\n"), (
        done.stdout, done.stderr)


def test_all_addresses(check):
    with Actor([READ, OK]) as actor:
        done = check("--all-addresses", f"http://localhost:{actor.port}", status=4)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("connect") and "(::1)" in lines[0]
    assert lines[1].startswith("ok") and "(127.0.0.1)" in lines[1]
    assert "127.0.0.1 does otherwise than ::1" in lines[2]


def test_unix_socket(check, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        check("--protocol", "tcp", f"unix:{path}", status=0)
        check("--protocol", "tcp", f"unix:{tmp_path}/none", status=4)


def test_ports_check(hail, tmp_path):
    """In a namespace of its own: one standard port answers its hello, one another."""
    script = tmp_path / "run.py"
    script.write_text(f"""
import json, socket, subprocess, sys, threading
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
def serve(port, words):
    s = socket.create_server(("127.0.0.1", port))
    def run():
        while True:
            c, _ = s.accept()
            for w in words:
                c.sendall(w); c.recv(100)
            c.close()
    threading.Thread(target=run, daemon=True).start()
serve(110, {POP3[0::2]!r})
serve(25, [b"SSH-2.0-x\\r\\n"])
done = subprocess.run([{hail!r}, "ports", "--check", "--json"], capture_output=True, text=True)
rows = {{r["port"]: r for r in map(json.loads, done.stdout.splitlines())}}
assert set(rows) == {{21, 22, 23, 25, 80, 110, 119, 443}}, rows
assert rows[110]["check"]["verdict"] == "ok" and rows[110]["listening"][0]["program"], rows[110]
assert rows[25]["check"]["verdict"] == "protocol" and "SSH-2.0-x" in rows[25]["check"]["why"]
assert rows[80]["listening"] == [] and "check" not in rows[80]
assert done.returncode == 7
done = subprocess.run([{hail!r}, "ports", "--check", "127.0.0.1"], capture_output=True, text=True)
assert done.stdout.count("connect  ") == 6 and "110/tcp" in done.stdout, done.stdout
print("done")
""")
    done = subprocess.run(["unshare", "-n", "/usr/bin/python3", script], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr
