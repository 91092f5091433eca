"""The parts that a server plays in the tests of `hail check`: what each protocol says when it is well,
and the table of what is said otherwise."""

from check_actor import DRIP, FLOOD, HANG, READ, RESET, TLS

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

# protocol, options, part, verdict, what is said
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
