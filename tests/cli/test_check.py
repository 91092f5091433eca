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

from check_actor import DRIP, FLOOD, HANG, READ, RESET, TLS, Actor

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


# --- the table: protocol, options, part, verdict, what is said ---

EHLO = b"250-mail.example\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n"
SMTP = [b"220 mail.example ESMTP x\r\n", READ, EHLO, READ, b"221 bye\r\n"]
FTP = [b"220 (an FTP server)\r\n", READ, b"211-Features:\r\n MDTM\r\n SIZE\r\n211 End\r\n", READ,
       b"221 bye\r\n"]
POP3 = [b"+OK ready\r\n", READ, b"+OK list\r\nTOP\r\nSASL PLAIN\r\n.\r\n", READ, b"+OK bye\r\n"]
IMAP = [b"* OK [CAPABILITY IMAP4rev1] ready\r\n", READ,
        b"* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\na1 OK done\r\n", READ,
        b"* BYE\r\na3 OK bye\r\n"]
NNTP = [b"200 news ready\r\n", READ, b"101 list\r\nVERSION 2\r\nREADER\r\n.\r\n", READ, b"205 bye\r\n"]
KEX = b"".join(len(names).to_bytes(4, "big") + names for names in (
    b"curve25519-sha256,diffie-hellman-group1-sha1", b"ssh-ed25519,ssh-dss", b"aes128-ctr,3des-cbc",
    b"aes128-ctr", b"hmac-sha2-256,hmac-md5", b"hmac-sha2-256", b"none", b"none", b"", b""))
KEXINIT = bytes([20]) + bytes(16) + KEX + bytes(5)
PACKET = (len(KEXINIT) + 1 + 4).to_bytes(4, "big") + bytes([4]) + KEXINIT + bytes(4)
SSH = [b"SSH-2.0-Test_1.0 comment\r\n", READ, PACKET, HANG]
TELNET = [b"\xff\xfd\x18\xff\xfd\x20\xff\xfb\x03", READ, b"\r\nwelcome\r\nlogin: ", HANG]
OK = b"HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: 0\r\n\r\n"


def http(status=b"200 OK", *fields, content=b""):
    head = [b"HTTP/1.1 " + status, *fields, b"Content-Length: %d" % len(content), b"", b""]
    return b"\r\n".join(head) + content


MYSQL_HEAD = (b"\x0a" b"8.0.1-test\x00" b"\x01\x00\x00\x00" b"12345678\x00" b"\x00\x82" b"\x2d"
              b"\x02\x00" b"\x08\x00" b"\x15" + bytes(10) + b"123456789012\x00"
              b"caching_sha2_password\x00")
MYSQL = len(MYSQL_HEAD).to_bytes(3, "little") + b"\x00" + MYSQL_HEAD
DENIED = b"\xff\x15\x04#28000Access denied for user 'hail'"
MYSQL_DENIED = len(DENIED).to_bytes(3, "little") + b"\x02" + DENIED


def pg_error(code, text):
    body = b"SFATAL\0C" + code + b"\0M" + text + b"\0\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


LONG = b"x" * 20000
TABLE = [
    # SMTP
    ("smtp", [], SMTP, "ok", "mail.example ESMTP x"),
    ("smtp", [], [b"220-first\r\n220-second\r\n220 third\r\n", *SMTP[1:]], "ok", "first second third"),
    ("smtp", [], [b"220 mail.ex", 0.1, b"ample ESMTP x\r\n", *SMTP[1:]], "ok", "mail.example ESMTP x"),
    ("smtp", [], [DRIP(SMTP[0]), READ, DRIP(EHLO), READ, DRIP(b"221 bye\r\n")], "ok", "ESMTP x"),
    ("smtp", [], [b"421 too busy\r\n"], "no", "421 too busy"),
    ("smtp", [], [b"554 go away\r\n"], "no", "554 go away"),
    ("smtp", [], [b"220 x\r\n", READ, b"502 what?\r\n", READ, b"250 hello\r\n", READ], "ok", "x"),
    ("smtp", [], [b"220 x\r\n", READ, b"500 what?\r\n", READ, b"550 no\r\n"], "no", "550 no"),
    ("smtp", [], [b"220 x\r\n", READ, b"421 closing\r\n"], "no", "421 closing"),
    ("smtp", [], [b"220 x\r\n", READ], "protocol", "closed in the middle"),
    ("smtp", [], [b"220 x\r\n", READ, RESET], "protocol", "reset"),
    ("smtp", [], [b"220 x\r\n", READ, EHLO], "ok", "x"),  # no answer to QUIT
    ("smtp", [], [b"220 x\r\n", READ, EHLO, READ, RESET], "ok", "x"),
    ("smtp", ["--timeout", "20s"], [b"220 x\r\n", READ, EHLO, HANG], "ok", "x"),
    ("smtp", [], [], "protocol", "closed before it said a word"),
    ("smtp", [], [RESET], "protocol|connect", "reset|closed"),
    ("smtp", [], [b"220 x\r\n", READ, b"250-a\r\n251 b\r\n", HANG], "protocol", "expected SMTP"),
    ("smtp", [], [b"999 x\r\n", HANG], "protocol", "it says: 999 x"),
    ("smtp", [], [b"hello there\r\n", HANG], "protocol", "it says: hello there"),
    ("smtp", [], [b"\x1b[31mred\x07\r\n", HANG], "protocol", r"it says: \\e\[31mred\\x07"),
    ("smtp", [], [b"220 \x1b]0;title\x07\xff\r\n", *SMTP[1:]], "ok", r"\\e\]0;title\\x07\\xff"),
    ("smtp", [], [b"220 " + LONG + b"\r\n", HANG], "protocol", "more than 8192 bytes"),
    ("smtp", [], [b"220 " + b"x" * (1 << 20)], "protocol", "more than 8192 bytes"),
    ("smtp", [], [FLOOD(b"220-again\r\n" * 100)], "protocol", "does not stop talking"),
    ("smtp", [], [FLOOD(b"x" * 4096)], "protocol", "more than 8192 bytes"),
    ("smtp", ["--starttls"], SMTP, "tls", "does not offer STARTTLS"),
    ("smtp", ["--starttls=never"], SMTP, "ok", "mail.example"),
    ("smtp", [], [b"220 x\r\n", READ, b"250-a\r\n250 STARTTLS\r\n", READ, b"454 not now\r\n", HANG],
     "no", "454 not now"),
    ("smtp", [], [b"220 x\r\n", READ, b"250-a\r\n250 STARTTLS\r\n", READ,
                  b"220 go\r\n220 injected\r\n", HANG], "protocol", "bytes behind the answer"),
    ("smtp", [], [b"220 x\r\n", READ, b"250-a\r\n250 STARTTLS\r\n", READ, b"220 go\r\n", READ,
                  b"not TLS at all\r\n", HANG], "tls", "does not speak TLS"),
    ("smtp", [], [b"SSH-2.0-OpenSSH_9.2p1\r\n", HANG], "protocol",
     "expected SMTP, this is SSH-2.0-OpenSSH_9.2p1"),
    ("smtp", [], [MYSQL, HANG], "protocol", "expected SMTP, this is MySQL 8.0.1-test"),
    ("smtp", [], [b"+OK POP3 ready\r\n", HANG], "protocol", "this is POP3"),
    ("smtp", [], [b"* OK IMAP4 ready\r\n", HANG], "protocol", "this is IMAP"),
    ("smtp", [], [b"200 news\r\n", HANG], "protocol", "this is NNTP"),
    ("smtp", [], [b"\xff\xfd\x18\xff\xfb\x03", HANG], "protocol", "this is Telnet"),
    ("smtp", [], [b"RFB 003.008\n", HANG], "protocol", "this is VNC"),
    ("smtp", [], [b"220 (vsFTPd)\r\n", READ, b"530 Please login\r\n", HANG], "protocol",
     "this is FTP"),
    ("smtp", ["--greeting", "300ms"], [READ, b"HTTP/1.1 400 Bad Request\r\n\r\n"], "protocol",
     "this is HTTP/1.1 400"),
    ("smtp", ["--greeting", "300ms"], [READ, b"\x15\x03\x03\x00\x02\x02\x46"], "protocol",
     "this is TLS"),
    ("smtp", ["--greeting", "200ms"], [HANG], "timeout", "does not say a word"),
    ("smtp", ["--greeting", "200ms"], [0.5, b"220 late\r\n", HANG], "timeout", "too late"),
    ("smtp", ["--greeting", "200ms"], [b"220 half", HANG], "protocol", "it says: 220 half"),
    ("smtp", ["--timeout", "400ms"], [b"220 x\r\n", HANG], "timeout", "stopped talking"),
    # LMTP
    ("lmtp", [], [b"220 x LMTP\r\n", READ, EHLO, READ, b"221 bye\r\n"], "ok", "x LMTP"),
    ("lmtp", [], [b"220 x ESMTP\r\n", READ, b"500 no LHLO\r\n", HANG], "no", "500 no LHLO"),
    # FTP
    ("ftp", [], FTP, "ok", "an FTP server"),
    ("ftp", [], [b"120 in a moment\r\n", 0.1, *FTP], "ok", "an FTP server"),
    ("ftp", [], [b"220-Welcome\r\nany text\r\n 220 indented\r\n220 ready\r\n", *FTP[1:]], "ok", "ready"),
    ("ftp", [], [b"220 x\r\n", READ, b"502 no FEAT\r\n", READ, b"221 bye\r\n"], "ok", "x"),
    ("ftp", [], [b"421 too many\r\n"], "no", "421 too many"),
    ("ftp", [], [b"530 no\r\n"], "no", "530 no"),
    ("ftp", [], [b"220 x ESMTP Postfix\r\n", READ, b"502 5.5.2 Error\r\n", HANG], "protocol",
     "this is SMTP"),
    ("ftp", [], [b"220 mail\r\n", READ, b"502 5.5.2 Error: command not recognized\r\n", HANG],
     "protocol", "this is SMTP"),
    ("ftp", ["--starttls"], [b"220 x\r\n", READ, b"502 no\r\n", READ, b"502 no\r\n", HANG], "tls",
     "does not offer AUTH TLS"),
    ("ftp", [], [b"HTTP/1.0 400 Bad\r\n"], "protocol", "this is HTTP/1.0 400 Bad"),
    # POP3
    ("pop3", [], POP3, "ok", "ready"),
    ("pop3", [], [b"+OK x\r\n", READ, b"-ERR no CAPA\r\n", READ, b"+OK\r\n"], "ok", "x"),
    ("pop3", [], [b"-ERR too many\r\n"], "no", "-ERR too many"),
    ("pop3", [], [b"220 mail ESMTP\r\n", HANG], "protocol", "this is SMTP"),
    ("pop3", ["--starttls"], POP3, "tls", "does not offer STLS"),
    ("pop3", [], [b"+OK x\r\n", READ, b"+OK\r\nTOP\r\n"], "protocol", "closed in the middle"),
    # IMAP
    ("imap", [], IMAP, "ok", "ready"),
    ("imap", [], [b"* PREAUTH in already\r\n", *IMAP[1:]], "ok", "in already"),
    ("imap", [], [b"* BYE overloaded\r\n"], "no", "BYE overloaded"),
    ("imap", [], [b"* OK x\r\n", READ, b"a1 BAD what\r\n", HANG], "no", "a1 BAD what"),
    ("imap", [], [b"* OK x\r\n", READ, b"b1 OK\r\n", HANG], "protocol", "expected IMAP"),
    ("imap", ["--starttls"], IMAP, "tls", "does not offer STARTTLS"),
    ("imap", [], [b"+OK pop\r\n", HANG], "protocol", "this is POP3"),
    # NNTP
    ("nntp", [], NNTP, "ok", "news ready"),
    ("nntp", [], [b"201 no posting\r\n", *NNTP[1:]], "ok", "no posting"),
    ("nntp", [], [b"200 old\r\n", READ, b"500 what\r\n", READ, b"205 bye\r\n"], "ok", "old"),
    ("nntp", [], [b"400 down\r\n"], "no", "400 down"),
    ("nntp", [], [b"502 no\r\n"], "no", "502 no"),
    ("nntp", [], [b"220 x FTP\r\n", HANG], "protocol", "this is FTP"),
    # SSH
    ("ssh", [], SSH, "ok", "SSH-2.0-Test_1.0 comment"),
    ("ssh", [], [b"a line before\r\n", *SSH], "ok", "SSH-2.0-Test"),
    ("ssh", [], [DRIP(SSH[0]), READ, DRIP(PACKET), HANG], "ok", "SSH-2.0-Test"),
    ("ssh", [], [b"SSH-1.5-old\r\n", HANG], "no", "SSH 1 alone"),
    ("ssh", [], [b"SSH-1.99-both\r\n", READ, PACKET, HANG], "ok", "SSH-1.99-both"),
    ("ssh", [], [b"SSH-2.0\r\n", HANG], "protocol", "identification is malformed"),
    ("ssh", [], [SSH[0], READ, b"\xff" * 100, HANG], "protocol", "malformed"),
    ("ssh", [], [SSH[0], READ, PACKET[:40] + b"\xff\xff" + PACKET[42:], HANG], "ok|protocol", ""),
    ("ssh", [], [SSH[0], READ, PACKET[:60]], "protocol", "closed in the middle"),
    ("ssh", [], [b"HTTP/1.1 400 Bad Request\r\n\r\n"], "protocol", "expected SSH, this is HTTP"),
    ("ssh", [], [b"220 ftp FTP\r\n", HANG], "protocol", "this is FTP"),
    ("ssh", [], [b"x\r\n" * 100000], "protocol", "does not stop talking"),
    # Telnet
    ("telnet", [], TELNET, "ok", "welcome login:"),
    ("telnet", [], [b"login: ", HANG], "ok", "login:"),
    ("telnet", [], [b"\xff\xfd", 0.1, b"\x18", HANG], "ok", ""),
    ("telnet", [], [b"SSH-2.0-x\r\n", HANG], "protocol", "this is SSH-2.0-x"),
    ("telnet", [], [b"220 x SMTP\r\n", HANG], "protocol", "this is SMTP"),
    ("telnet", ["--greeting", "200ms"], [HANG], "timeout", "does not say a word"),
    # HTTP
    ("http", [], [READ, OK], "ok", "HTTP/1.1 200 OK"),
    ("http", [], [READ, DRIP(OK)], "ok", "HTTP/1.1 200 OK"),
    ("http", [], [READ, http(b"301 Moved", b"Location: /x\x1b[0m")], "protocol", "breaks HTTP"),
    ("http", [], [READ, http(b"302 Found", b"Location: https://other/")], "ok", "to https://other/"),
    ("http", [], [READ, http(b"404 Not Found")], "no", "404 Not Found"),
    ("http", [], [READ, http(b"500 Oops")], "no", "500 Oops"),
    ("http", ["--expect-status", "404"], [READ, http(b"404 Not Found")], "ok", "404"),
    ("http", ["--expect-status", "2xx"], [READ, http(b"302 Found")], "no", "302"),
    ("http", ["--expect-status", "200,500-599"], [READ, http(b"503 x")], "ok", "503"),
    ("http", [], [READ, http(b"405 No"), READ, OK], "ok", "200 OK"),
    ("http", [], [READ, b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK], "ok", "200 OK"),
    ("http", ["--expect-body", "f[io]ne"], [READ, http(content=b"it\nis fine\n")], "ok", "200"),
    ("http", ["--expect-body", "gone"], [READ, http(content=b"it\nis fine\n")], "no", "no line"),
    ("http", ["--reject-body", "error"], [READ, http(content=b"an error\n")], "no", "an error"),
    ("http", ["--reject-body", "error"], [READ, http(content=b"fine")], "ok", "200"),
    ("http", ["--expect-body", "^end$"],
     [READ, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nmid\r\n4\r\n\nend\r\n0\r\n\r\n"],
     "ok", "200"),
    ("http", ["--expect-body", "^end$"], [READ, b"HTTP/1.0 200 OK\r\n\r\nx\nend"], "ok", "200"),
    ("http", ["--expect-body", "x"], [READ, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
     "protocol", "cut short"),
    ("http", [], [READ, b"HTTP/1.1 200 OK\r\nBad Field: x\r\n\r\n"], "protocol", "breaks HTTP"),
    ("http", [], [READ, b"HTTP/2.0 200 OK\r\n\r\n"], "protocol", "breaks HTTP"),
    ("http", [], [READ, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n"], "protocol",
     "breaks HTTP"),
    ("http", [], [b"SSH-2.0-x\r\n", HANG], "protocol", "expected HTTP, this is SSH-2.0-x"),
    ("http", [], [READ, b"nonsense\r\n"], "protocol", "it says: nonsense"),
    ("http", [], [READ, b"\x15\x03\x01\x00\x02\x02\x46"], "protocol", "this is TLS"),
    ("http", [], [READ], "protocol", "closed before it said a word"),
    ("http", ["--timeout", "300ms"], [READ, HANG], "timeout", "does not say a word"),
    ("http", ["--timeout", "300ms"], [READ, b"HTTP/1.1 200 OK\r\n", HANG], "timeout|protocol", ""),
    # databases and their like
    ("mysql", [], [MYSQL, READ, MYSQL_DENIED], "ok", "8.0.1-test"),
    ("mysql", [], [DRIP(MYSQL), READ, DRIP(MYSQL_DENIED)], "ok", "8.0.1-test"),
    ("mysql", [], [b"\x17\x00\x00\x00\xff\x10\x04Too many connections"], "no", "Too many"),
    ("mysql", [], [MYSQL[:30]], "protocol", "closed"),
    ("mysql", [], [b"\xff\xff\xff\x00\x0a", HANG], "protocol", "expected MySQL"),
    ("mysql", ["--starttls"], [MYSQL, HANG], "tls", "no TLS"),
    ("mysql", [], [b"SSH-2.0-x\r\n", HANG], "protocol", "this is SSH-2.0-x"),
    ("postgres", [], [READ, b"N", READ, b"R\0\0\0\x08\0\0\0\x05", HANG], "ok", "PostgreSQL"),
    ("postgres", [], [READ, b"N", READ, pg_error(b"28000", b"no role")], "ok", "PostgreSQL"),
    ("postgres", [], [READ, b"N", READ, pg_error(b"57P03", b"starting up")], "no", "starting up"),
    ("postgres", [], [READ, b"N", READ, pg_error(b"53300", b"too many")], "no", "too many"),
    ("postgres", ["--starttls"], [READ, b"N", HANG], "tls", "no TLS"),
    ("postgres", [], [READ, b"Sinjected", HANG], "protocol", "bytes behind the answer"),
    ("postgres", [], [READ, b"N", READ, b"R\x7f\xff\xff\xff\0\0\0\0", HANG], "protocol", "expected"),
    ("postgres", [], [READ, b"N", READ, b"E\0\0\0\x01", HANG], "protocol", "expected"),
    ("postgres", [], [READ, b"HTTP/1.1 400 Bad Request\r\n\r\n"], "protocol", "this is HTTP"),
    ("redis", [], [READ, b"+PONG\r\n", HANG], "ok", "PONG"),
    ("redis", [], [READ, b"-NOAUTH Authentication required.\r\n", HANG], "ok", "NOAUTH"),
    ("redis", [], [READ, b"-LOADING loading\r\n", HANG], "no", "LOADING"),
    ("redis", [], [READ, b"+OK\r\n", HANG], "protocol", "expected Redis"),
    ("redis", [], [READ, b"ERROR\r\n", HANG], "protocol", "expected Redis"),
    ("memcached", [], [READ, b"VERSION 1.6.18\r\n", HANG], "ok", "1.6.18"),
    ("memcached", [], [READ, b"CLIENT_ERROR unauthenticated\r\n", HANG], "ok", "CLIENT_ERROR"),
    ("memcached", [], [READ, b"SERVER_ERROR out of memory\r\n", HANG], "no", "SERVER_ERROR"),
    ("memcached", [], [READ, b"-ERR unknown command 'version'\r\n", HANG], "protocol",
     "this is Redis"),
    ("mqtt", [], [READ, b"\x20\x02\x00\x00", READ], "ok", "connection accepted"),
    ("mqtt", [], [READ, b"\x20\x02\x00\x05", HANG], "ok", "not authorised"),
    ("mqtt", [], [READ, b"\x20\x02\x00\x03", HANG], "no", "not available"),
    ("mqtt", [], [READ, b"\x20\x02\x00\x63", HANG], "protocol", "expected MQTT"),
    ("mqtt", [], [READ, b"\x20", 0.1, b"\x02\x00\x00", HANG], "ok", "accepted"),
    ("mqtt", [], [READ, b"HTTP/1.1 400 Bad Request\r\n\r\n"], "protocol", "this is HTTP"),
    ("dns", [], [READ, HANG], "timeout|connect", ""),  # over UDP: nobody is there
    ("tcp", [], [HANG], "ok", "connected"),
    ("tcp", [], [b"anything\r\n"], "ok", "connected"),
    ("tls", [], [b"220 plain\r\n", HANG], "tls", "does not speak TLS"),
    ("tls", ["--timeout", "300ms"], [HANG], "timeout", "TLS handshake"),
    ("tls", [], [READ], "tls", "closed|ended|EOF|TLS"),
    # the caller's own words
    ("tcp", ["--expect", "^ready"], [b"ready to go\r\n", HANG], "ok", "ready to go"),
    ("tcp", ["--expect", "^ready"], [b"220 other\r\n", HANG], "no", "expected '.ready'"),
    ("tcp", ["--expect", "> $"], [b"prompt> ", HANG], "ok", "prompt>"),
    ("tcp", ["--send", r"hi\r\n", "--expect", "^hi$"], [READ, b"hi\r\n", HANG], "ok", "hi"),
    ("tcp", ["--expect", "a", "--send", r"x\n", "--expect", "b"], [b"a\n", READ, b"b\n", HANG], "ok",
     "a"),
    ("tcp", ["--reject", "^5", "--expect", "^2"], [b"500 no\r\n", HANG], "no", "500 no"),
    ("tcp", ["--reject", "^5", "--expect", "^2"], [b"200 yes\r\n", HANG], "ok", "200 yes"),
    ("tcp", ["--expect", "^220 end"], [b"220-one\r\n220-two\r\n220 end\r\n", HANG], "ok", "220"),
    ("tcp", ["--expect", "never"], [b"other\n"], "no", "did not come"),
    ("tcp", ["--expect", "x", "--timeout", "300ms"], [HANG], "timeout", ""),
    ("tcp", ["--send", r"only\n"], [READ], "ok", "connected"),
]


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


def answers(protocol):
    """A good part of each protocol with TLS from the first byte, or on the way."""
    return {"smtps": [TLS, *SMTP], "pop3s": [TLS, *POP3], "imaps": [TLS, *IMAP],
            "ftps": [TLS, *FTP], "nntps": [TLS, *NNTP], "https": [TLS, READ, OK],
            "tls": [TLS, HANG], "mqtts": [TLS, READ, b"\x20\x02\0\0", HANG],
            "smtp": [b"220 x\r\n", READ, b"250-a\r\n250 STARTTLS\r\n", READ, b"220 go\r\n", TLS, READ,
                     EHLO, READ, b"221\r\n"],
            "pop3": [b"+OK x\r\n", READ, b"+OK\r\nSTLS\r\n.\r\n", READ, b"+OK go\r\n", TLS, READ,
                     *POP3[2:]],
            "imap": [b"* OK x\r\n", READ, b"* CAPABILITY STARTTLS\r\na1 OK\r\n", READ, b"a2 OK\r\n",
                     TLS, READ, *IMAP[2:]],
            "ftp": [b"220 x\r\n", READ, b"211-F\r\n AUTH TLS\r\n211 E\r\n", READ, b"234 go\r\n", TLS,
                    READ, b"221\r\n"],
            "nntp": [b"200 x\r\n", READ, b"101\r\nSTARTTLS\r\n.\r\n", READ, b"382 go\r\n", TLS, READ,
                     *NNTP[2:]],
            "postgres": [READ, b"S", TLS, READ, b"R\0\0\0\x08\0\0\0\x0a", HANG]}[protocol]


SECURED = ["smtps", "pop3s", "imaps", "ftps", "nntps", "https", "tls", "mqtts", "smtp", "pop3", "imap",
           "ftp", "nntp", "postgres"]


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
