"""hail telnet with the daemons of Debian, as a user would type it: in plain text, after STARTTLS,
and where TLS comes first."""

import os
import re
import shutil
import subprocess
import sys
import time

import daemons
import pytest
from telnet_pty import Telnetd, end, spawn, wait

pytestmark = pytest.mark.peers


@pytest.fixture(name="start")
def fixture_start(tmp_path, certs):
    started = []

    def start(kind):
        started.append(kind(tmp_path, certs))
        return started[-1]
    yield start
    for d in started:
        d.close()


@pytest.fixture(name="talk")
def fixture_talk(hail, certs):
    """Says something to 127.0.0.1, all of it piped in: status, what was shown after the telnet's own
    lines, standard error."""
    def talk(port, said, *options):
        said = said if isinstance(said, bytes) else said.encode()
        r = subprocess.run([hail, "telnet", "--timeout", "20", "--no-help", "--ca", certs.ca,
                            *options, "127.0.0.1", str(port)],
                           input=said, capture_output=True, timeout=60, check=False)
        shown = r.stdout.partition(b"Escape character is '^]'.\n")[2]
        return r.returncode, shown, r.stderr.decode()
    return talk


def certificate_told(error):
    """The two lines, and that they tell the truth about conftest's certificate."""
    return (re.search(r"^TLS: TLSv1\.[23], [\w-]+, certificate verified$", error, re.M) and
            re.search(r"^Certificate: CN=leaf \(DNS:localhost, IP:127\.0\.0\.1, IP:::1\), "
                      r"issued by CN=hail test CA, [01] days? left$", error, re.M))


# --- what is piped in ---

SMTP = "EHLO client.example\r\nVRFY nobody\r\nQUIT\r\n"
NNTP = "CAPABILITIES\r\nQUIT\r\n"


def test_smtp(start, talk):
    postfix = start(daemons.Postfix)
    status, plain, error = talk(postfix.port, SMTP)
    assert status == 0 and error == "Connection closed by foreign host.\n"
    assert plain.startswith(b"220 mail.example ESMTP")
    assert b"250-STARTTLS\r\n" in plain and plain.endswith(b"221 2.0.0 Bye\r\n")

    status, shown, error = talk(postfix.port, SMTP, "--starttls=smtp")
    assert status == 0 and certificate_told(error), error
    assert shown.startswith(b"250-mail.example\r\n") and b"STARTTLS" not in shown  # not once more
    assert shown.endswith(b"221 2.0.0 Bye\r\n")

    status, shown, error = talk(postfix.tls_port, SMTP, "--tls")
    assert status == 0 and certificate_told(error), error
    assert shown.startswith(b"220 mail.example ESMTP") and shown.endswith(b"221 2.0.0 Bye\r\n")


def test_a_message_for_nobody(start, talk):
    """A reply that refuses, and what it means."""
    postfix = start(daemons.Postfix)
    status, shown, _ = talk(postfix.port, "HELO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nQUIT\r\n",
                            "--starttls=smtp")
    assert status == 0
    assert re.search(rb"^[45]5\d [45]\.7\.1 ", shown, re.M) and shown.endswith(b"Bye\r\n")


def test_pop3_and_imap(start, talk):
    dovecot = start(daemons.Dovecot)
    pop3 = "USER me\r\nPASS secret\r\nSTAT\r\nQUIT\r\n"
    imap = "a LOGIN me secret\r\nb STATUS INBOX (MESSAGES)\r\nc LOGOUT\r\n"
    for port, options in ((dovecot.port, "--starttls=pop3"), (dovecot.tls_port, "--tls")):
        status, shown, error = talk(port, pop3, options)
        assert status == 0 and certificate_told(error), error
        assert b"+OK Logged in.\r\n+OK 0 0\r\n+OK Logging out.\r\n" in shown
    for port, options in ((dovecot.imap_port, "--starttls=imap"), (dovecot.imaps_port, "--tls")):
        status, shown, error = talk(port, imap, options)
        assert status == 0 and certificate_told(error), error
        assert b"* STATUS INBOX (MESSAGES 0)\r\n" in shown and b"c OK Logout completed" in shown


def test_pop3_offers_it_once(start, talk):
    """The daemon's word for it that STLS made the difference."""
    dovecot = start(daemons.Dovecot)
    _, plain, _ = talk(dovecot.port, "CAPA\r\nQUIT\r\n")
    _, sealed, _ = talk(dovecot.port, "CAPA\r\nQUIT\r\n", "--starttls=pop3")
    assert b"\r\nSTLS\r\n" in plain and b"\r\nUIDL\r\n" in sealed and b"STLS" not in sealed


def test_ftp(start, talk):
    """vsftpd sends no close_notify behind its last word: that is told."""
    for kind, options in ((daemons.Vsftpd, "--starttls=ftp"), (daemons.VsftpdImplicit, "--tls")):
        status, shown, error = talk(start(kind).port,
                                    "USER anonymous\r\nPASS me@\r\nPWD\r\nQUIT\r\n", options)
        assert certificate_told(error), error
        assert b"230 Login successful.\r\n257 \"/\"" in shown and b"221 Goodbye.\r\n" in shown
        assert status == 7 and "cut the stream short (no close_notify)" in error


def test_ftp_in_plain_text(start, talk):
    status, shown, _ = talk(start(daemons.Vsftpd).port, "FEAT\r\nQUIT\r\n")
    assert status == 0
    assert shown.startswith(b"220 (vsFTPd ") and b" AUTH TLS\r\n" in shown


def test_news(start, talk):
    nnrpd = start(daemons.Nnrpd)
    status, plain, _ = talk(nnrpd.port, NNTP)
    assert status == 0 and b"\r\nSTARTTLS\r\n" in plain and plain.startswith(b"200 news.example ")
    status, shown, error = talk(nnrpd.port, NNTP, "--starttls=nntp")
    assert status == 0 and certificate_told(error), error
    assert shown.startswith(b"101 ") and b"STARTTLS" not in shown and shown.endswith(b"205 Bye!\r\n")
    status, shown, error = talk(start(daemons.NnrpdTls).port, NNTP, "--tls")
    assert status == 0 and certificate_told(error), error
    assert shown.startswith(b"200 news.example ") and shown.endswith(b"205 Bye!\r\n")


def test_ssh_banner(start, talk):
    status, shown, _ = talk(start(daemons.Sshd).port, "")
    assert status == 0 and re.fullmatch(rb"SSH-2\.0-OpenSSH_[ -~]+\r\n", shown)


def test_ldap(hail, certs, start):
    """An anonymous bind, answered, and an unbind, in BER (RFC 4511)."""
    slapd = start(daemons.Slapd)
    for port, options in ((slapd.port, "--starttls=ldap"), (slapd.tls_port, "--tls")):
        with subprocess.Popen([hail, "telnet", "--timeout", "20", "--raw", "--ca", certs.ca,
                               options, "127.0.0.1", str(port)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdin.write(bytes.fromhex("300c020101600702010304008000"))
            p.stdin.flush()
            for _ in range(3):
                p.stdout.readline()
            assert p.stdout.read(14) == bytes.fromhex("300c02010161070a010004000400")  # success
            rest, error = p.communicate(bytes.fromhex("30050201024200"), timeout=30)
            assert p.returncode == 0 and not rest and certificate_told(error.decode()), error


def test_postgres(start, talk):
    """The start of a session and its end: the server asks for no password and is ready."""
    said = bytes.fromhex("0000001700030000") + b"user\0postgres\0\0" + b"X\0\0\0\4"
    status, shown, error = talk(start(daemons.Postgres).port, said, "--starttls=postgres", "--raw")
    assert status == 0 and certificate_told(error), error
    assert shown.startswith(b"R\0\0\0\10\0\0\0\0") and shown.endswith(b"Z\0\0\0\5I")


def test_web(nginx, talk):
    body = nginx.file("index.html", b"hello\n" * 100000)
    for port, options in ((nginx.port, ()), (nginx.tls_port, ("--tls",))):
        status, shown, error = talk(port, "GET / HTTP/1.0\r\n\r\n", *options)
        assert status == 0, error
        assert shown.startswith(b"HTTP/1.1 200 OK\r\n") and shown.endswith(b"\r\n\r\n" + body)
    assert certificate_told(error)


OWN_NETWORK = """
import pathlib, subprocess, sys, types
here, hail, folder, ca, cert, key = sys.argv[1:]
sys.path.insert(0, here)
import daemons
daemons.free_ports = lambda n: [25, 465]
postfix = daemons.Postfix(folder, types.SimpleNamespace(cert=cert, key=key))
try:
    for words in (["--starttls", "localhost", "smtp"], ["localhost", "465"],
                  ["localhost", "submissions"], ["localhost", "smtp"]):
        r = subprocess.run([hail, "telnet", "--timeout", "20", "--ca", ca, *words],
                           input=b"EHLO me\\r\\nQUIT\\r\\n", capture_output=True, timeout=60)
        print(r.returncode, r.stdout.count(b"221 2.0.0 Bye"), r.stdout.count(b"220 mail.example"),
              r.stderr.count(b"certificate verified"))
finally:
    postfix.close()
"""


def test_services_at_their_own_ports(hail, certs, tmp_path):
    """Where the port says which protocol it is, and whether TLS comes first."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    r = subprocess.run(["unshare", "-n", "sh", "-c", 'ip link set lo up || exit 99; exec "$@"',
                        "sh", sys.executable, "-c", OWN_NETWORK, os.path.dirname(__file__),
                        os.path.abspath(hail), tmp_path, certs.ca, certs.cert, certs.key],
                       capture_output=True, text=True, timeout=120, check=False)
    if r.returncode == 99:
        pytest.skip("no network namespace here: " + r.stderr)
    assert r.stdout.splitlines() == ["0 1 0 1", "0 1 1 1", "0 1 1 1", "0 1 1 0"], r.stderr


# --- on a terminal ---

def test_starttls_at_the_prompt(hail, certs, start, tmp_path):
    postfix = start(daemons.Postfix)
    child = spawn([hail, "telnet", "--ca", certs.ca, "127.0.0.1", postfix.port], tmp_path)
    wait(child, r"220 mail\.example")
    child.send("EHLO me\r")
    wait(child, r"250-STARTTLS(.|\n)*250 CHUNKING\r\n")
    child.send("\x1d")
    wait(child, "telnet> ")
    child.send("starttls smtp\r")
    wait(child, "TLS: TLSv1.3(.|\n)*certificate verified(.|\n)*Certificate: CN=leaf")
    child.shown = ""
    child.send("EHLO me\r")
    wait(child, "250 CHUNKING\r\n")
    assert "250-mail.example" in child.shown and "STARTTLS" not in child.shown
    child.send("\x1d")
    wait(child, "telnet> ")
    child.send("starttls smtp\r")
    wait(child, "TLS is in force already")
    wait(child, "telnet> ")
    child.send("\r")
    child.send("QUIT\r")
    wait(child, r"221 2\.0\.0 Bye")
    assert end(child)[1:] == (0, None)


def test_login_on_a_terminal(hail, certs, start, tmp_path):
    dovecot = start(daemons.Dovecot)
    child = spawn([hail, "telnet", "--ca", certs.ca, "--starttls=imap", "127.0.0.1",
                   dovecot.imap_port], tmp_path)
    wait(child, r"Escape character is '\^\]'\.\r\n")
    child.send("a LOGIN me secret\r")
    wait(child, r"a OK \[")
    child.send("b LOGOUT\r")
    wait(child, r"\* BYE Logging out(.|\n)*b OK Logout completed")
    shown, status, _ = end(child)
    assert status == 0 and "Connection closed by foreign host." in shown


def test_login_over_telnet_under_tls(hail, certs, tmp_path):
    """inetutils-telnetd behind socat: options, urgent data's replacement and the window's size go
    through TLS as well."""
    if not (os.path.exists(Telnetd.PROGRAM) and shutil.which("socat")):
        pytest.skip("inetutils-telnetd or socat is not installed")
    telnetd = Telnetd(tmp_path)
    port, = daemons.free_ports(1)
    with subprocess.Popen(["socat", f"OPENSSL-LISTEN:{port},bind=127.0.0.1,cert={certs.cert},"
                           f"key={certs.key},verify=0", f"TCP:127.0.0.1:{telnetd.port}"],
                          stdin=subprocess.DEVNULL) as front:
        try:
            listening = f"127.0.0.1:{port} "
            while listening not in subprocess.run(["ss", "-Hltn"], capture_output=True, text=True,
                                                  check=True, timeout=20).stdout:
                assert front.poll() is None
                time.sleep(0.02)
            child = spawn([hail, "telnet", "--tls", "--ca", certs.ca, "127.0.0.1", f"-{port}"],
                          tmp_path)
            wait(child, "certificate verified")
            wait(child, "ready> ")
            child.send("stty size; echo $((6 * 7))\r")
            wait(child, "24 80\r\n42\r\n")
            child.setwinsize(31, 101)
            for _ in range(50):
                child.send("stty size\r")
                if wait(child, [r"31 101\r\n", r"24 80\r\n"]) == 0:
                    break
            else:
                pytest.fail("the new size did not arrive")
            child.send("echo be''gun; cat\r")
            wait(child, "begun")
            child.send("\x03")  # interrupts what runs there
            wait(child, "ready> ")
            child.send("exit\r")
            wait(child, "Connection closed by foreign host")
            assert end(child)[1] in (0, 7)  # socat may close without close_notify
        finally:
            front.terminate()
            telnetd.close()
