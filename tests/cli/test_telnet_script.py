"""Written conversations of hail telnet: --expect, --send, --reject, --script, --transcript, against
peers that split, wait, refuse, close early and send anything."""

import contextlib
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pexpect
import pytest

IAC, DONT, DO, WONT, WILL = 255, 254, 253, 252, 251


class Peer:
    """A server on 127.0.0.1 that does `behave(connection)` for each; `got` is all that it read by
    listen(), `done` is set when one connection is over."""

    def __init__(self, behave):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = b""
        self.done = threading.Event()
        threading.Thread(target=self._serve, args=(behave,), daemon=True).start()

    def _serve(self, behave):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn, contextlib.suppress(OSError):
                conn.settimeout(20)
                behave(self, conn)
            self.done.set()

    def line(self, conn):
        """The next line that is said; empty at the end."""
        line = b""
        while not line.endswith(b"\n"):
            byte = conn.recv(1)
            if not byte:
                break
            line += byte
        self.got += line
        return line

    def rest(self, conn):
        """All that is said until the end."""
        while piece := conn.recv(65536):
            self.got += piece


def bytewise(conn, data, pause=0):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(data)):
        conn.sendall(data[i:i + 1])
        time.sleep(pause)


def mail(send):
    """A little of SMTP, sent by send(conn, bytes)."""
    answers = {b"EHLO": b"250-mx.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 SIZE 1000\r\n",
               b"MAIL": b"250 2.1.0 Ok\r\n", b"RCPT": b"554 5.7.1 no relaying\r\n"}

    def behave(peer, conn):
        send(conn, b"220-mx.example\r\n220 ESMTP\r\n")
        while line := peer.line(conn):
            if line.startswith(b"QUIT"):
                send(conn, b"221 bye\r\n")
                return
            send(conn, answers.get(line[:4], b"500 what?\r\n"))
    return behave


def says(*pieces, then=None):
    """Says the pieces (a number is a pause), then listens until the end, or does `then(conn)`."""
    def behave(peer, conn):
        for piece in pieces:
            if isinstance(piece, bytes):
                conn.sendall(piece)
            else:
                time.sleep(piece)
        if then:
            then(conn)
        else:
            peer.rest(conn)
    return behave


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    conn.close()


@pytest.fixture(name="peer")
def fixture_peer():
    peers = []

    def make(behave):
        peers.append(Peer(behave))
        return peers[-1]
    yield make
    for p in peers:
        p.listener.close()


@pytest.fixture(name="run")
def fixture_run(hail):
    """hail telnet to a peer: its status, output and messages."""
    def run(peer, *args, **kw):
        port = peer if isinstance(peer, int) else peer.port
        kw.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([hail, "telnet", "127.0.0.1", str(port), *map(str, args)],
                              capture_output=True, timeout=60, check=False, **kw)
        return done.returncode, done.stdout, done.stderr.decode()
    return run


def script(tmp_path, text):
    path = tmp_path / "s.script"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


MAIL = ["--expect", "^220", "--send", "EHLO me", "--expect", "STARTTLS", "--send", "QUIT",
        "--expect", "^221"]
SAID = (b"220-mx.example\r\n220 ESMTP\r\n250-mx.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n"
        b"250 SIZE 1000\r\n221 bye\r\n")


# --- steps ---

@pytest.mark.parametrize("send", [lambda c, d: c.sendall(d), bytewise], ids=["whole", "bytewise"])
def test_steps_are_done_in_order(peer, run, send):
    p = peer(mail(send))
    assert run(p, *MAIL) == (0, SAID, "")
    assert p.got == b"EHLO me\r\nQUIT\r\n"


def test_a_file_is_a_script(peer, run, tmp_path):
    p = peer(mail(bytewise))
    path = script(tmp_path, "# hello\n\nS[5s]: ^220\nC: EHLO me\nS: PIPELINING\nS+: STARTTLS$\r\n"
                  "S+: ^250 SIZE [0-9]+$\nR: ^5\nC[500ms]: QUIT\n  S: ^221\n")
    assert run(p, "--script", path) == (0, SAID, "")


@pytest.mark.parametrize("greeting", [(b"22", 0.7, b"0 mx\r\n"), (b"220 mx", 0.7, b"\r\n"),
                                      (b"220-mx\r\n", 0.7, b"220 ESMTP\r\n"),
                                      (b"220 mx\r", 0.7, b"\n"), (b"220 mx\n",)])
def test_a_greeting_in_pieces_is_one(peer, run, greeting):
    """Nothing is said before all of it has come."""
    early = []

    def behave(p, conn):
        for piece in greeting:
            if isinstance(piece, bytes):
                conn.sendall(piece)
            else:
                conn.settimeout(piece)
                with contextlib.suppress(TimeoutError):
                    early.append(conn.recv(100))
                conn.settimeout(20)
        p.rest(conn)
    p = peer(behave)
    status, out, err = run(p, "--expect", "^220", "--send", "HELLO", "--step-timeout", 1.5,
                           "--reject", "^5")
    assert (status, out, err) == (0, b"".join(x for x in greeting if isinstance(x, bytes)), "")
    assert p.done.wait(10)
    assert (early, p.got) == ([], b"HELLO\r\n")


def test_line_ends_are_as_asked_for(peer, run):
    for options, want in ([], b"a\r\nb"), (["--lf"], b"a\nb"), (["--raw"], b"ab"), \
            (["--crlf"], b"a\r\nb"):
        p = peer(says(b"hi\r\n"))
        assert run(p, *options, "--send", "a", "--send", "b\\c", "--step-timeout", 0.2)[0] == 0
        assert p.done.wait(10) and p.got == want


def test_escapes_are_bytes(peer, run, tmp_path):
    every = bytes(range(256))
    text = "".join(f"\\x{b:02x}" for b in every)
    p = peer(says())
    path = script(tmp_path, f"C: {text}\\c\nC: \\r\\n\\t\\e\\0\\\\é\\c\n")
    assert run(p, "--raw", "--script", path, "--step-timeout", 0.2)[0] == 0
    assert p.done.wait(10) and p.got == every + b"\r\n\t\x1b\0\\" + "é".encode()


def test_a_prompt_needs_no_line_end(peer, run):
    def behave(p, conn):
        for prompt in b"\x1b[2JWelcome\r\nlogin: ", b"Password: ", b"$ ":
            conn.sendall(prompt)
            p.line(conn)
    p = peer(behave)
    assert run(p, "--expect", "login: $", "--send", "me", "--expect", "word", "--send", "secret",
               "--expect", "\\$", "--send", "exit")[0] == 0
    assert p.got == b"me\r\nsecret\r\nexit\r\n"


def test_a_list_up_to_the_dot_is_one(peer, run, tmp_path):
    def behave(p, conn):
        conn.sendall(b"+OK hi\r\n")
        p.line(conn)
        bytewise(conn, b"+OK\r\nTOP\r\n..dot\r\nSTLS\r\n.\r\n")
        p.line(conn)
        conn.sendall(b"-ERR no list\r\n")
        p.rest(conn)
    path = script(tmp_path, "S: ^[+]OK\nC: CAPA\nS[dot]: ^STLS$\nS+: ^[.]dot\nC: X\nS[dot]: ^-ERR\n")
    assert run(peer(behave), "--script", path)[::2] == (0, "")


# --- options of TELNET ---

def test_options_are_refused_and_stand_in_no_text(peer, run):
    p = peer(says(b"2", bytes([IAC]), bytes([DO]), bytes([24]) + b"2", bytes([IAC, WILL, 1]),
                  bytes([IAC, IAC]), b"0 \r\n"))
    status, out, err = run(p, "--expect", "^22\\xff0 $", "--send", "x\\xffy",
                           "--step-timeout", 1)
    assert (status, out, err) == (0, b"22\xff0 \r\n", "")
    assert p.done.wait(10)
    assert p.got == bytes([IAC, WONT, 24, IAC, DONT, 1]) + b"x\xff\xffy\r\n"


def test_raw_has_every_byte(peer, run):
    p = peer(says(b"\xff\xfd\x18 ok\r\n"))
    assert run(p, "--raw", "--expect", "^\\xff\\xfd\\x18 ok$", "--send", "\\xff",
               "--step-timeout", 1)[1] == \
        b"\xff\xfd\x18 ok\r\n"
    assert p.done.wait(10) and p.got == b"\xff"


# --- what goes wrong, and how it is told ---

def message(*lines):
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("behave, args, status, err", [
    (says(b"554 5.7.1 go \x1b[31maway\r\n"), ["--expect", "^220"], 1,
     message("hail: --expect '^220': another answer came", "  came: 554 5.7.1 go ^[[31maway")),
    (says(b"250-a\r\n250 b\r\n"), ["--expect", "c$"], 1,
     message("hail: --expect 'c$': another answer came", "  came: 250-a", "        250 b")),
    (says(b"220 a\r\n"), ["--expect", "^2", "--reject", "a$"], 1,
     message("hail: --reject 'a$': this must not come", "  came: 220 a")),
    (says(b"hello\r\nerror\r\n"), ["--reject", "^err", "--expect", "x"], 1,
     message("hail: --reject '^err': this must not come", "  came: error")),
    (says(b"hello\r\nsorry", then=lambda c: None), ["--expect", "^220"], 1,
     message("hail: --expect '^220': the peer closed the connection", "  came: sorry",
             "  and 1 before it")),
    (says(then=lambda c: None), ["--expect", "^220"], 1,
     message("hail: --expect '^220': the peer closed the connection", "  nothing came")),
    (says(b"220-mx\r\n", then=lambda c: None), ["--expect", "^220"], 1,
     message("hail: --expect '^220': the peer closed the connection", "  came: 220-mx")),
    (says(), ["--expect", "^220", "--step-timeout", "0.2"], 5,
     message("hail: --expect '^220': not within 0.2 s", "  nothing came")),
    (says(b"22"), ["--expect", "^220", "--step-timeout", "0.2"], 5,
     message("hail: --expect '^220': not within 0.2 s", "  came: 22 (without a line end)")),
    (says(b"SSH-2.0-x\r\n"), ["--expect", "^220", "--step-timeout", "0.2"], 1,
     message("hail: --expect '^220': not within 0.2 s", "  came: SSH-2.0-x")),
    (says(), ["--expect", "^220", "--timeout", "0.3"], 5,
     message("hail: --expect '^220': timed out", "  nothing came")),
    (says(b"220 x\r\n"), ["--expect", "^220", "--send", "a\\x01\\c", "--expect", "^250",
                          "--step-timeout", "0.2"], 5,
     message("hail: --expect '^250': not within 0.2 s", "  nothing came")),
    (says(b"hi\r\n", then=lambda c: c.recv(9) and c.sendall(b"err\r\n")),
     ["--send", "x", "--reject", "^err"], 1,
     message("hail: --reject '^err': this must not come", "  came: err")),
])
def test_each_fault_is_told_with_what_came(peer, run, behave, args, status, err):
    got = run(peer(behave), *args)
    assert (got[0], got[2]) == (status, err)


def test_a_file_is_named_with_its_line(peer, run, tmp_path):
    path = script(tmp_path, "S: ^220\n\nC: EHLO \\x07\nS[200ms]: ^250 \\[\n")
    p = peer(says(b"220 x\r\n"))
    assert run(p, "--script", path)[::2] == \
        (5, f"hail: {path}:4: S: ^250 \\[: not within 0.2 s\n  nothing came\n")
    p = peer(mail(lambda c, d: c.sendall(d)))
    assert run(p, "--script", path)[::2] == (
        1, f"hail: {path}:4: S: ^250 \\[: another answer came\n  came: 250-mx.example\n"
        "        250-PIPELINING\n        250-STARTTLS\n        250 SIZE 1000\n")


def test_a_reset_is_told(peer, run):
    def behave(p, conn):
        conn.sendall(b"hello\r\n")
        p.line(conn)
        time.sleep(0.1)
        reset(conn)
    status, out, err = run(peer(behave), "--expect", "hello", "--send", "x", "--expect", "y")
    assert (status, out) == (7, b"hello\r\n")
    assert err.startswith("hail: ") and "reset" in err


def test_what_came_ahead_of_a_reset_counts(peer, run):
    def behave(_, conn):
        conn.sendall(b"554 no\r\n")
        reset(conn)
    status, out, err = run(peer(behave), "--expect", "^220")
    assert (status, out) == (1, b"554 no\r\n") and "came: 554 no" in err


@pytest.mark.parametrize("args, err", [
    (["--expect", "a("], "--expect: a ( or ) without the other, at character 1"),
    (["--reject", "[a"], "--reject: a [ without its ], at character 1"),
    (["--expect", "(a)\\1"], "--expect: back-references take unbounded time, at character 4"),
    (["--send", "a\\q"], "--send: an unknown escape: there are r n t e 0 xNN, c at the end, and "
     "the backslash, at character 2"),
    (["--step-timeout", "0", "--send", "x"], "--step-timeout wants seconds above 0, not '0'"),
    (["--step-timeout", "1s", "--send", "x"], "--step-timeout wants seconds above 0, not '1s'"),
])
def test_usage_errors_are_clear(run, args, err):
    assert run(1, *args) == (2, b"", f"hail: telnet: {err}\n  see: hail help telnet\n")


@pytest.mark.parametrize("text, err", [
    ("S: ^220\nX: 1\n", ":2:1: a line begins with S: C: R: S+: or #"),
    ("S[5]: ^220\n", ":1:3: in brackets there are 5s or 500ms, dot and @1.250s"),
    ("S+: a\n", ":1:5: S+ without an S: in front of it"),
    ("S: a\\\n", ":1:5: a backslash at the end: write two"),
    (b"S: a\0b\n", ":1:5: a NUL byte: write it as an escape, x00"),
    ("# nothing\n", ": a script without a step"),
])
def test_a_malformed_file_is_told_with_line_and_column(run, tmp_path, text, err):
    path = script(tmp_path, text)
    assert run(1, "--script", path) == \
        (2, b"", f"hail: telnet: {path}{err}\n  see: hail help telnet\n")


def test_files_that_cannot_be_read_or_made(run, tmp_path, peer):
    assert run(1, "--script", tmp_path / "none") == \
        (8, b"", f"hail: read {tmp_path}/none: no such file or directory\n")
    (tmp_path / "big").write_bytes(b"#" * (5 << 20))
    assert run(1, "--script", tmp_path / "big")[0] == 8
    p = peer(mail(lambda c, d: c.sendall(d)))
    assert run(p, *MAIL, "--transcript", tmp_path / "no" / "t") == \
        (8, b"", f"hail: open {tmp_path}/no/t: no such file or directory\n")
    if os.path.exists("/dev/full"):
        assert run(p, *MAIL, "--transcript", "/dev/full")[::2] == \
            (8, "hail: write /dev/full: no space left on device\n")


def test_connecting_fails_as_everywhere(run, free_port, hail):
    assert run(free_port(), "--expect", "x")[0] == 4
    done = subprocess.run([hail, "telnet", "nosuch.invalid", "25", "--expect", "x"], timeout=60,
                          capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode in (3, 5)
    done = subprocess.run([hail, "telnet", "--expect", "x"], timeout=60, capture_output=True,
                          stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == \
        (2, b"hail: telnet: a script wants a host\n  see: hail help telnet\n")


# --- input, output, signals, ends ---

def test_standard_input_is_never_taken_for_steps(peer, hail):
    p = peer(says(b"220 x\r\n"))
    done = subprocess.run([hail, "telnet", "127.0.0.1", str(p.port), "--expect", "^220", "--send",
                           "x", "--step-timeout", "1"], input=b"C: y\n\x1dquit\n", capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 0
    assert p.done.wait(10) and p.got == b"x\r\n"


def test_what_is_piped_into_a_session_is_no_command(peer, hail):
    """Piped input that reads like a script, or like the prompt's commands, is sent as it is."""
    p = peer(says())
    text = b"S: ^220\nC: x\nquit\nclose\nR: y\n"
    done = subprocess.run([hail, "telnet", "127.0.0.1", str(p.port)], input=text, timeout=60,
                          capture_output=True, check=False)
    assert done.returncode == 0 and p.done.wait(10)
    assert p.got.replace(b"\r\n", b"\n") == text


def test_the_end_of_the_steps_is_the_end(peer, run):
    """The peer goes on and on, and the program does not."""
    over = threading.Event()

    def behave(_, conn):
        conn.sendall(b"220 x\r\n")
        with contextlib.suppress(OSError):
            while not over.is_set():
                conn.sendall(b"more\r\n")
                time.sleep(0.01)
    begun = time.monotonic()
    assert run(peer(behave), "--expect", "^220")[::2] == (0, "")
    assert time.monotonic() - begun < 30
    over.set()


def test_all_of_an_answer_is_shown(nginx, run):
    body = nginx.file("big.txt", os.urandom(300000).hex().encode())
    status, out, err = run(nginx.port, "--send", "GET /big.txt HTTP/1.0\\r\\nHost: x\\r\\n")
    assert (status, err) == (0, "")
    assert out.startswith(b"HTTP/1.1 200 OK\r\n") and out.endswith(b"\r\n\r\n" + body)


def test_http_by_steps(nginx, run):
    steps = ["--send", "GET /gone HTTP/1.0\\r\\n", "--expect", "^HTTP/1.1 410 ", "--expect",
             "^Content-Type: ", "--expect", "^gone for good"]
    assert run(nginx.port, *steps)[::2] == (0, "")
    steps[3] = "^HTTP/1.1 200"
    status, _, err = run(nginx.port, *steps)
    assert status == 1 and "came: HTTP/1.1 410 Gone" in err


def test_a_terminal_gets_nothing_that_it_would_act_on(peer, hail):
    p = peer(says(b"220 \x1b]0;x\x07 \xe2\x80\xae\r\n"))
    child = pexpect.spawn(hail, ["telnet", "127.0.0.1", str(p.port), "--expect", "^220", "--reject",
                                 "2"], timeout=20, env={**os.environ, "LC_ALL": "C.UTF-8"})
    text = child.read().decode()
    child.close()
    assert child.exitstatus == 1
    assert re.sub("\r+\n", "\n", text) == (
        "220 ^[]0;x^G <U+202E>\nhail: --reject '2': this must not come\n"
        "  came: 220 ^[]0;x^G <U+202E>\n")


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_step(peer, hail, sig, tmp_path):
    p = peer(says(b"220 x\r\n"))
    child = subprocess.Popen([hail, "telnet", "127.0.0.1", str(p.port), "--expect", "^220",
                              "--expect", "^250", "--transcript", tmp_path / "t"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"220 x\r\n"
    child.send_signal(sig)
    assert child.wait(timeout=20) == -sig
    assert child.stderr.read() == b""
    child.stdout.close()
    child.stderr.close()
    assert "^220 x$" in (tmp_path / "t").read_text()


def test_a_dead_output_is_a_local_error(peer, hail):
    p = peer(mail(lambda c, d: c.sendall(d)))
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as out:
        done = subprocess.run([hail, "telnet", "127.0.0.1", str(p.port), *MAIL], stdout=out,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60,
                              check=False)
    assert (done.returncode, done.stderr) == (8, b"hail: write standard output: broken pipe\n")


# --- transcripts ---

def test_a_transcript_is_a_script(peer, run, tmp_path):
    p = peer(mail(bytewise))
    path = tmp_path / "t"
    assert run(p, *MAIL, "--transcript", path)[0] == 0
    text = re.sub(r"@\d+\.\d{3}s", "@", path.read_text())
    text = re.sub(r"\A# hail telnet 127\.0\.0\.1 \d+, \S+Z; seconds.*\n", "", text)
    assert text == ("S[@]: ^220-mx\\.example$\nS+: ^220 ESMTP$\nC[@]: EHLO me\n"
                    "S[@]: ^250-mx\\.example$\nS+: ^250-PIPELINING$\nS+: ^250-STARTTLS$\n"
                    "S+: ^250 SIZE 1000$\nC[@]: QUIT\nS[@]: ^221 bye$\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run(p, "--script", path) == (0, SAID, "")
    path.write_text(path.read_text().replace("STARTTLS", "STARTSSL"))
    assert run(p, "--script", path)[0] == 1


HOSTILE = (b"220 \x00\x01\x1b[31m\x9b \xe2\x80\xae(.*)[^]{2}|$\\ \r\r\n\n\r\n" + bytes(range(255)) +
           b"\xff\xff" b"\r\n" + b"x" * 10000 + b"\r\n250-" + b"y" * 300 + b"\r\n250 \r\nend \r\n")


@pytest.mark.parametrize("split", [False, True])
def test_hostile_bytes_go_round(peer, run, tmp_path, split):
    """Whatever comes, the transcript is printable, and met by the same."""
    def behave(p, conn):
        if split:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(0, len(HOSTILE), 7):
                conn.sendall(HOSTILE[i:i + 7])
        else:
            conn.sendall(HOSTILE)
        p.line(conn)
        conn.sendall(b"bye\r\n")
    p = peer(behave)
    path = tmp_path / "t"
    said = "\\x00\\xff\\x1b (\\\\ \\xe2\\x80\\xae \\t"
    status, out, err = run(p, "--expect", "^220", "--expect", "^250", "--expect", "^end", "--send", said,
                           "--expect", "bye", "--transcript", path)
    assert (status, err) == (0, "")
    assert out.startswith(HOSTILE.replace(b"\xff\xff", b"\xff")[:40])
    text = path.read_text()
    assert text.isprintable() or all(line.isprintable() for line in text.split("\n"))
    first = p.got
    p.got = b""
    again = run(p, "--script", path)
    assert (again[0], again[2]) == (0, "")
    assert p.got == first


@pytest.fixture(name="secure")
def fixture_secure(peer, certs):
    """A peer under TLS; behave() may leave it without close_notify by detach()."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.cert, certs.key)

    def make(behave, close_notify=True):
        def under_tls(p, conn):
            with context.wrap_socket(conn, server_side=True) as tls:
                behave(p, tls)
                if close_notify:
                    tls.unwrap()
        return peer(under_tls)
    return make


def test_scripts_and_transcripts_under_tls(secure, run, certs, tmp_path):
    def behave(p, conn):
        conn.sendall(HOSTILE)
        p.line(conn)
        conn.sendall(b"221 bye\r\n")
    p = secure(behave)
    path = tmp_path / "t"
    tls = ["--tls", f"--ca={certs.ca}"]
    status, out, err = run(p, *tls, "--expect", "^220", "--expect", "^250", "--expect", "^end",
                           "--send", "QUIT", "--expect", "^221", "--transcript", path)
    assert (status, err) == (0, "")
    assert out.endswith(b"end \r\n221 bye\r\n")
    assert run(p, *tls, "--script", path) == (0, out, "")
    assert p.got == b"QUIT\r\n" * 2
    assert run(p, "--tls", "--script", path)[0] == 6


def test_an_answer_cut_under_tls_is_told(secure, run, certs):
    p = secure(says(b"220 x\r\n", then=lambda c: c.recv(10)), close_notify=False)
    tls = ["--tls", f"--ca={certs.ca}"]
    status, out, err = run(p, *tls, "--expect", "^220", "--send", "x")
    assert (status, out) == (7, b"220 x\r\n") and "close_notify" in err
    status, out, err = run(p, *tls, "--expect", "^220", "--send", "x", "--expect", "^250")
    assert (status, out) == (7, b"220 x\r\n") and "close_notify" in err


def test_a_session_is_written_down_as_well(peer, hail, run, tmp_path):
    p = peer(mail(lambda c, d: c.sendall(d)))
    path = tmp_path / "t"
    child = pexpect.spawn(hail, ["telnet", "--transcript", str(path), "127.0.0.1", str(p.port)],
                          timeout=20)
    child.expect("ESMTP")
    child.send("EHLO me\r")
    child.expect("SIZE 1000")
    child.send("QUIT\r")
    child.expect("closed by foreign host")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    text = path.read_text()
    assert re.findall(r"(?m)^C\[@[0-9.]+s\]: (.*)$", text) == ["EHLO me", "QUIT"]
    assert "S+: ^250-STARTTLS$\n" in text
    p.got = b""
    assert run(p, "--script", path) == (0, SAID, "")
    assert p.got == b"EHLO me\r\nQUIT\r\n"


def test_the_help_tells_of_scripts(hail):
    text = subprocess.run([hail, "telnet", "--help"], capture_output=True, timeout=20, check=True)
    for word in b"--expect", b"--send", b"--reject", b"--script", b"--transcript", b"passwords":
        assert word in text.stdout
