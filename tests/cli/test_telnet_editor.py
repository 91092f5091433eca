"""hail telnet's line editor, in a pty: keys, history, completion, what comes while one types,
replies explained, and the terminal afterwards. The service is a script of the test's own."""

import os
import signal
import socket
import stat
import subprocess
import termios
import threading
import time

import pexpect
import pytest


class Service:
    """Greets one connection after the other, and answers each line by `answer(line)`."""

    def __init__(self, greeting=b"220 mx ESMTP\r\n", answer=None):
        self.greeting, self.lines, self.ended = greeting, [], threading.Event()
        self.answer = answer or (lambda line: b"250 " + line + b"\r\n")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connection = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                self.connection, _ = self.listener.accept()
            except OSError:
                return
            with self.connection as c:
                self._talk(c)

    def _talk(self, c):
        try:
            c.sendall(self.greeting)
            for line in c.makefile("rb"):
                line = line.removesuffix(b"\r\n")
                self.lines.append(line)
                if line == b"QUIT":
                    c.sendall(b"221 bye\r\n")
                    return
                c.sendall(self.answer(line))
        except OSError:
            return
        self.ended.set()

    def say(self, data):
        self.connection.sendall(data)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(2)
        self.listener.close()
        if self.connection:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(10)


@pytest.fixture(name="service")
def fixture_service():
    made = []

    def make(*args, **kwargs):
        made.append(Service(*args, **kwargs))
        return made[-1]

    yield make
    for s in made:
        s.close()


@pytest.fixture(name="talk")
def fixture_talk(hail, tmp_path):
    """Starts hail telnet in a pty: talk(service, *options, TERM=..., ...)."""
    children = []

    def start(service, *options, size=(24, 80), **env):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm",
               "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": str(tmp_path / "state"), **env}
        env = {k: v for k, v in env.items() if v is not None}
        child = pexpect.spawn(hail, ["telnet", *options, "127.0.0.1", str(service.port)], env=env,
                              timeout=10, dimensions=size)
        children.append(child)
        child.expect_exact("'^]'.\r\n")
        return child

    yield start
    for child in children:
        child.close(force=True)


def said(service, count):
    """Waits until so many lines have come."""
    end = time.monotonic() + 10
    while len(service.lines) < count and time.monotonic() < end:
        time.sleep(0.01)
    return service.lines


def leave(child):
    child.send("\x15QUIT\r")
    child.expect_exact("Connection closed by foreign host.")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def leave_now(child):
    child.send("QUIT\r")
    child.expect(pexpect.EOF)


class Screen:
    """What a terminal shows of a few controls: enough for what the editor and libedit write."""

    def __init__(self, data, columns=80):
        self.rows, self.row, self.col = [[]], 0, 0
        self.columns = columns
        text, i = data.decode(), 0
        while i < len(text):
            i += self._control(text, i) or self._put(text[i])

    def _put(self, c):
        if self.col == self.columns:
            self._line()
            self.col = 0
        row = self.rows[self.row]
        row.extend(" " * (self.col + 1 - len(row)))
        row[self.col] = c
        self.col += 1
        return 1

    def _line(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def _control(self, text, i):
        c = text[i]
        if c == "\r":
            self.col = 0
        elif c == "\n":
            self._line()
        elif c == "\b":
            self.col = max(0, self.col - 1)
        elif c == "\a":
            pass
        elif c == "\x1b":
            return self._sequence(text, i)
        else:
            return 0
        return 1

    def _sequence(self, text, i):
        end = i + 2
        while text[end] in "0123456789;?":
            end += 1
        digits, final = text[i + 2:end], text[end]
        n = int(digits) if digits.isdigit() else 1
        if final == "A":
            self.row -= n
        elif final == "C":
            self.col += n
        elif final == "G":
            self.col = n - 1
        elif final in "KJ":
            del self.rows[self.row][self.col:]
            if final == "J":
                del self.rows[self.row + 1:]
        elif final == "P":
            del self.rows[self.row][self.col:self.col + n]
        elif final == "@":
            self.rows[self.row][self.col:self.col] = " " * n
            del self.rows[self.row][self.columns:]
        else:
            assert final in "mhl", f"the editor wrote CSI {digits}{final}"
        return end + 1 - i

    def lines(self):
        return ["".join(r).rstrip() for r in self.rows]


def test_typing_and_arrow_keys(service, talk):
    s = service()
    child = talk(s)
    child.expect_exact("220: the service is ready")
    child.send("VRFX\x7fY joe\x1b[D\x1b[D\x1b[Dx\x01A\x05z\r")  # left, ^A, ^E
    child.send("M\u00fcller \u20ac\x7f\x7f!\r")
    child.send("one two\x17three\r\r")  # ^W; an empty line is said, too
    assert said(s, 4) == [b"AVRFY xjoez", "M\u00fcller!".encode(), b"one three", b""]
    assert leave(child) == 0


def test_escape_sequences_split_over_reads(service, talk):
    s = service()
    child = talk(s)
    child.send("ac")
    for key in "\x1b", "[", "D":
        child.send(key)
        time.sleep(0.05)
    child.send("b")
    for byte in "\u20ac".encode():
        os.write(child.child_fd, bytes([byte]))
        time.sleep(0.05)
    child.send("\r")
    assert said(s, 1) == ["ab\u20acc".encode()]


def test_history_of_two_sessions(service, talk, tmp_path):
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("EHLO me\rVRFY joe\rVRFY joe\r")
    said(s, 3)
    assert leave(child) == 0
    file = tmp_path / "state" / "hail" / "telnet-smtp"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    child = talk(s)
    child.expect_exact("ready")
    child.send("\x1b[A\x1b[A\x1b[A\x1b[A\r")  # QUIT, VRFY once, EHLO, and no further
    assert said(s, 5)[4] == b"EHLO me"
    child.send("\x12VRF\r")  # ^R
    assert said(s, 6)[5] == b"VRFY joe"
    assert leave(child) == 0


def test_history_is_bounded(service, talk, tmp_path):
    s = service()
    file = tmp_path / "state" / "hail" / "telnet-smtp"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"NOOP {i} {'x' * 50}\n" for i in range(3000)))
    file.chmod(0o644)
    child = talk(s)
    child.expect_exact("ready")
    child.send("\x1b[A\r")
    assert said(s, 1) == [b"NOOP 2999 " + b"x" * 50]
    assert leave(child) == 0
    assert file.stat().st_size < 65536 and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().splitlines()[0].startswith("NOOP ")
    assert not [f for f in file.parent.iterdir() if f != file]


@pytest.mark.parametrize("how", ["symlink", "fifo", "folder"])
def test_history_is_a_file_of_ones_own(service, talk, tmp_path, how):
    s = service()
    file = tmp_path / "state" / "hail" / "telnet-smtp"
    file.parent.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    if how == "symlink":
        file.symlink_to(victim)
    elif how == "fifo":
        os.mkfifo(file)
    else:
        file.mkdir()
    child = talk(s)
    child.send("EHLO me\r")
    assert said(s, 1) == [b"EHLO me"]
    assert leave(child) == 0
    assert victim.read_text() == "mine\n"


def test_passwords_are_not_kept(service, talk, tmp_path):
    answers = {b"AUTH LOGIN": b"334 VXNlcm5hbWU6\r\n", b"dXNlcg==": b"334 UGFzc3dvcmQ6\r\n",
               b"c2VjcmV0": b"235 2.7.0 in\r\n"}
    s = service(answer=lambda line: answers.get(line, b"250 ok\r\n"))
    child = talk(s)
    child.expect_exact("ready")
    for line, shown in (("AUTH LOGIN", "334"), ("dXNlcg==", "334"), ("c2VjcmV0", "authenticated"),
                        ("AUTH PLAIN AHgAeQ==", "done"), ("PASS hunter2", "done"),
                        ("a LOGIN x hunter2", "done"), ("AUTHINFO PASS hunter2", "done"),
                        ("NOOP", "done")):
        child.send(line + "\r")
        child.expect_exact(shown)
        child.expect_exact("]")
    assert leave(child) == 0
    assert (tmp_path / "state" / "hail" / "telnet-smtp").read_text() == "NOOP\nQUIT\n"


def test_no_place_for_a_history(service, talk, tmp_path):
    (tmp_path / "state").write_text("in the way")
    s = service()
    child = talk(s)
    child.send("EHLO me\r\x1b[A\r")
    assert said(s, 2) == [b"EHLO me", b"EHLO me"]
    assert leave(child) == 0
    child = talk(s, XDG_STATE_HOME=None, HOME=None)
    child.send("EHLO me\r")
    said(s, 4)
    assert leave(child) == 0


def test_completion(service, talk):
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("rc\t<x@y>\r")
    child.send("VR\tjoe\r")
    assert said(s, 2) == [b"RCPT TO:<x@y>", b"VRFY joe"]
    child.send("H\t\t")
    child.expect_exact("HELO <your name>")
    child.expect_exact("greet, without extensions")
    child.expect_exact("HELP [<command>]")
    child.send("O\tme\r")  # already whole: a blank is added
    assert said(s, 3)[2] == b"HELO me"
    child.send("MAIL FROM:<a\t")
    child.expect_exact("begin a message")
    child.send("\x15zzz\t\r")  # nothing fits
    assert said(s, 4)[3] == b"zzz"
    assert leave(child) == 0


def test_completion_behind_a_tag(service, talk):
    s = service(b"* OK IMAP4rev1\r\n", lambda line: line.split()[0] + b" OK done\r\n")
    child = talk(s)
    child.expect_exact("IMAP4rev1")
    child.send("x7 sel\tINBOX\r")
    assert said(s, 1) == [b"x7 SELECT INBOX"]
    child.expect_exact("[OK: done]")
    child.send("a \t")
    child.expect_exact("log in by SASL")


def test_what_comes_while_one_types(service, talk):
    s = service()
    child = talk(s)
    child.expect_exact("ready]\x1b[0m\r\n")
    child.send("half a l")
    child.expect_exact("half a l")
    s.say(b"250-first\r\n250 second\r\n250-unfinished")
    child.expect_exact("unfinished")
    child.send("ine")
    child.expect_exact("ine")
    s.say(b" no more\r\n250 last\r\n")
    child.expect_exact("last")
    child.expect_exact("half a line")
    child.send("!\r")
    assert said(s, 1) == [b"half a line!"]
    assert leave(child) == 0


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_the_screen_in_the_end(service, talk, tmp_path, columns):
    """All of what came is there, line by line, and the line that is typed is behind it."""
    s = service()
    log = tmp_path / "log"
    with open(log, "wb") as f:
        child = talk(s, size=(24, columns))
        child.logfile_read = f
        child.expect_exact("ready")
        child.expect_exact("\n")
        child.send("a line that is longer than twenty columns, far")
        child.expect_exact("far")
        s.say(b"250-first\r\n250-sec")
        child.expect_exact("first")
        s.say(b"ond\r\n")
        child.expect_exact("second")
        s.say("250 \u20ac third\r\n".encode())
        child.expect_exact("done")
        child.send(" end\x01\x1b[C\x1b[C\x7f\x7f-")
        time.sleep(0.3)
        child.send("\r")
        assert said(s, 1) == [b"-line that is longer than twenty columns, far end"]
        child.expect_exact("[250: done]")
        child.expect_exact("\n")
    lines = Screen(log.read_bytes(), columns).lines()
    text = "\n".join(lines)
    whole = "-line that is longer than twenty columns, far end"
    typed = [whole[i:i + columns].rstrip() for i in range(0, len(whole), columns)]
    at = lines.index("250-first")
    assert lines[at:at + 4] == ["250-first", "250-second", "250 \u20ac third", "[250: done]"], text
    assert lines[at + 4:at + 4 + len(typed)] == typed, text
    assert text.count("first") == 1 and text.count("third") == 1, text


def test_an_unfinished_line_is_the_prompt(service, talk):
    s = service(b"hello\r\nYour name: ", lambda line: b"hi " + line + b"\r\nYour age: ")
    child = talk(s)
    child.expect_exact("Your name: ")
    child.send("joe\x1b[D\x1b[D\x1b[D\x1b[D\x1b[DX\x7f\r")  # not into the prompt
    child.expect_exact("hi joe\r\n")
    child.expect_exact("Your age: ")
    child.send("7\r")
    assert said(s, 2) == [b"joe", b"7"]


def test_a_line_too_long_to_be_a_prompt(service, talk):
    s = service(b"x" * 5000)
    child = talk(s)
    child.expect_exact("x" * 100)
    child.send("abc")
    child.expect_exact("abc")
    s.say(b"y" * 5000 + b"\r\n")
    child.expect_exact("y" * 50)
    child.expect_exact("abc")
    child.send("\r")
    assert said(s, 1) == [b"abc"]


def test_replies_are_explained(service, talk):
    s = service(answer=lambda line: b"550 5.1.1 <x>: no\r\n")
    child = talk(s)
    child.expect_exact("220 mx ESMTP\r\n\x1b[2m[220: the service is ready]\x1b[0m\r\n")
    child.send("RCPT TO:<x>\r")
    child.expect_exact("550 5.1.1 <x>: no\r\n\x1b[2m[550 5.1.1: mailbox unavailable (no such "
                       "mailbox); permanent]\x1b[0m\r\n")
    leave_now(child)
    child = talk(s, "--color=never")
    child.expect_exact("220 mx ESMTP\r\n[220: the service is ready]\r\n")
    leave_now(child)
    child = talk(s, "--no-help")
    child.send("x\r")
    child.expect_exact("no\r\n")
    assert b"[" not in child.before.replace(b"\x1b[", b"")


def test_no_explanation_into_a_pipe(hail, service):
    s = service()
    out = subprocess.run([hail, "telnet", "127.0.0.1", str(s.port)], input=b"QUIT\r\n",
                         capture_output=True, timeout=20, check=True).stdout
    assert out.endswith(b"220 mx ESMTP\r\n221 bye\r\n")


def test_hostile_bytes_are_shown(service, talk):
    s = service(answer=lambda line: b"250 \x1b]52;c;eA==\x07 \xe2\x80\xae \x9b31m\rover\r\n")
    child = talk(s)
    child.expect_exact("ready")
    child.send("half")
    child.expect_exact("half")
    s.say(b"250-\x1b[2J\x1b[21t\r\n")
    child.expect_exact("250-^[[2J^[[21t\r\n")
    child.send("\r")
    child.expect_exact("250 ^[]52;c;eA==^G <U+202E> \\x9b31m^Mover\r\n")


def test_hostile_lines_in_the_history(service, talk, tmp_path):
    file = tmp_path / "state" / "hail" / "telnet-smtp"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"GOOD\nBAD \x1b]52;c;x\x07\nno end")
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("\x1b[A\x1b[A\r")
    assert said(s, 1) == [b"GOOD"]


def test_resize(service, talk):
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    text = "abcdefghijklmnopqrstuvwxyz" * 3
    child.send(text)
    child.expect_exact(text[-5:])
    for columns in (30, 200, 10):
        child.setwinsize(24, columns)
        child.expect_exact("abc")  # drawn anew
        time.sleep(0.1)
    child.send("\x01!\r")
    assert said(s, 1) == [b"!" + text.encode()]
    assert leave(child) == 0


def modes(fd):
    mode = termios.tcgetattr(fd)
    return mode[:4] + [mode[6]]


def modes_of_a_new_terminal():
    ours, theirs = os.openpty()
    try:
        return modes(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("how", ["closed", "quit", "^C", "TERM", "HUP"])
def test_the_terminal_is_as_it_was(service, talk, how):
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("half a line")
    child.expect_exact("half a line")
    assert not modes(child.child_fd)[3] & (termios.ECHO | termios.ICANON)
    if how == "closed":
        s.say(b"221 bye\r\n")
        s.connection.shutdown(socket.SHUT_RDWR)
    elif how == "quit":
        child.send("\x1d")
        child.expect_exact("telnet> ")
        assert modes(child.child_fd) == modes_of_a_new_terminal()
        child.send("quit\n")
    elif how == "^C":
        child.send("\x03")
    else:
        child.kill(getattr(signal, "SIG" + how))
    end = time.monotonic() + 10
    want = modes_of_a_new_terminal()
    while modes(child.child_fd) != want and time.monotonic() < end:
        time.sleep(0.02)
    assert modes(child.child_fd) == want


def test_stopped_and_gone_on(hail, service, tmp_path):
    s = service()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm", "PS1": "shell$ ",
           "LC_ALL": "C.UTF-8"}
    shell = pexpect.spawn("/bin/bash", ["--norc", "--noprofile", "--noediting", "-i"], env=env,
                          timeout=10, cwd=str(tmp_path))
    try:
        shell.expect_exact("shell$ ")
        shell.sendline("stty -g > before")
        shell.expect_exact("shell$ ")
        shell.sendline(f"{hail} telnet 127.0.0.1 {s.port}")
        shell.expect_exact("ready")
        shell.send("first")
        shell.expect_exact("first")
        for more in (" second", " third"):
            shell.send("\x1a")
            shell.expect_exact("Stopped")
            shell.expect_exact("shell$ ")
            shell.sendline("stty -g | cmp - before && echo the same; fg")
            shell.expect_exact("the same\r\n")
            shell.expect_exact("first")
            shell.send(more)
            shell.expect_exact(more)
        shell.send("\r")
        assert said(s, 1) == [b"first second third"]
        shell.send("QUIT\r")
        shell.expect_exact("closed by foreign host")
        shell.expect_exact("shell$ ")
        shell.sendline("stty -g | cmp - before && echo the same")
        shell.expect_exact("the same\r\n")
    finally:
        shell.close(force=True)


def test_the_prompt_and_back(service, talk):
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("half")
    child.expect_exact("half")
    child.send("\x1d")
    child.expect_exact("telnet> ")
    child.send("status\n")
    child.expect_exact("Connected to 127.0.0.1.")
    child.expect_exact("half")
    child.send(" a line\r")
    assert said(s, 1) == [b"half a line"]
    assert leave(child) == 0


def test_end_of_file(service, talk):
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("abc\x04\x01\x04\r")  # on a line it deletes a character
    assert said(s, 1) == [b"bc"]
    child.expect_exact("done")
    child.send("\x04")
    child.expect_exact("nothing more is sent")
    assert s.ended.wait(10)
    child.expect_exact("Connection closed by foreign host.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("term", ["dumb", None, "no-such-terminal"])
def test_terminals_without_a_cursor(service, talk, term):
    s = service()
    child = talk(s, TERM=term)
    child.expect_exact("[220: the service is ready]" if term != "no-such-terminal" else "ready]")
    assert modes(child.child_fd)[3] & (termios.ECHO | termios.ICANON)
    child.send("NOOX\x7fP\r")
    assert said(s, 1) == [b"NOOP"]
    child.expect_exact("250 NOOP\r\n")
    assert leave(child) == 0


def test_no_editor_where_bytes_are_to_pass(service, talk):
    s = service(answer=lambda line: b"\x1b[1m" + line + b"\r\n")
    child = talk(s, "--raw")
    child.send("abc\r")
    child.expect_exact("\x1b[1mabc")
    assert modes(child.child_fd)[3] & termios.ICANON


def test_by_the_name_telnet_lines_are_the_terminals(hail, service, tmp_path):
    s = service()
    link = tmp_path / "telnet"
    link.symlink_to(hail)
    child = pexpect.spawn(str(link), ["127.0.0.1", str(s.port)], timeout=10,
                          env={"PATH": os.environ["PATH"], "TERM": "xterm", "HOME": str(tmp_path)})
    try:
        child.expect_exact("220 mx ESMTP\r\n")
        child.send("NOOP\r")
        child.expect_exact("250 NOOP\r\n")
        assert modes(child.child_fd)[3] & termios.ICANON
        assert b"[" not in child.before
    finally:
        child.close(force=True)


def test_a_real_web_server(nginx, talk):
    child = talk(nginx)
    child.send("GET /nothing HTTP/1.1\rHost: localhost\r\r")
    child.expect_exact("HTTP/1.1 404 Not Found\r\n")
    child.expect_exact("\r\n\r\n\x1b[2m[404 Not Found: there is nothing at this path]\x1b[0m\r\n")
    child.expect_exact("</html>\r\n")
    child.send("HEAD / HTTP/1.1\rHost: localhost\rConn\tclose\r\r")
    child.expect_exact("[403 Forbidden: understood and refused]")
    child.expect_exact("Connection closed by foreign host.")


def test_piped_in_on_a_terminal(hail, service):
    s = service()
    command = f"printf 'NOOP\\r\\nQUIT\\r\\n' | {hail} telnet 127.0.0.1 {s.port}"
    child = pexpect.spawn("/bin/sh", ["-c", command], timeout=10, env={**os.environ, "TERM": "xterm"})
    child.expect_exact("250 NOOP\r\n")
    child.expect_exact("[250: done]")
    child.expect_exact("[221: the service closes the connection]")
    child.expect(pexpect.EOF)
    child.close()
    assert s.lines == [b"NOOP", b"QUIT"]


def test_the_users_own_keys(service, talk, tmp_path):
    (tmp_path / ".editrc").write_text("bind -v\n")
    s = service()
    child = talk(s)
    child.expect_exact("ready")
    child.send("abc")
    child.expect_exact("abc")
    child.send("\x1b0x\r")
    assert said(s, 1) == [b"bc"]


def test_a_line_has_a_bound(service, talk):
    s = service(answer=lambda line: b"250 %d\r\n" % len(line))
    child = talk(s)
    child.expect_exact("ready")
    for _ in range(40):
        child.send("x" * 500)
        child.expect("x|\a")
    child.send("\r")
    assert [len(line) for line in said(s, 1)] == [16384]
    child.send("\x15QUIT\r")
    child.expect_exact("closed by foreign host")
