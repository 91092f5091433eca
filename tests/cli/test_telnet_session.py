"""Conversations of hail telnet on a terminal: the command line beside inetutils-telnet's, logins over
inetutils-telnetd, the terminal's modes on every way out, stopping and going on, what is piped in."""

import os
import re
import signal
import socket
import subprocess
import termios
import threading
import time

import pexpect
import pytest
from telnet_pty import (DO, ECHO, IAC, LINEMODE, NAWS, PEER, SB, SE, SGA, WILL, WONT, Recorder,
                        Telnetd, as_telnet, end, needs_peer, spawn, wait)

needs_telnetd = pytest.mark.skipif(not os.path.exists(Telnetd.PROGRAM),
                                   reason="inetutils-telnetd is not installed")
CHARACTERS = bytes([IAC, WILL, ECHO, IAC, WILL, SGA])


@pytest.fixture(name="record")
def fixture_record():
    """Makes servers that write down what comes, closed at the end."""
    servers = []

    def make(greeting=b"", kind=Recorder):
        servers.append(kind(greeting))
        return servers[-1]
    yield make
    for s in servers:
        s.close()


@pytest.fixture(name="telnetd")
def fixture_telnetd(tmp_path):
    daemons = []

    def make(*options):
        daemons.append(Telnetd(tmp_path, *options))
        return daemons[-1]
    yield make
    for d in daemons:
        d.close()


# --- the command line ---

WORDS = """127.0.0.1 1|127.0.0.1 0|127.0.0.1 65536|127.0.0.1 1x|127.0.0.1 nosuchservice|a b c
-4 ::1 1|-6 127.0.0.1 1|-b 192.0.2.1 127.0.0.1 1|-b nosuch.invalid 127.0.0.1 1|-Z|--nosuch|-e|-b
-l me 127.0.0.1 1|-a 127.0.0.1 1|-e ^A 127.0.0.1 1|-e x 127.0.0.1 1|-E 127.0.0.1 1|-8 127.0.0.1 1
-L 127.0.0.1 1|-K 127.0.0.1 1|-r 127.0.0.1 1|-r -e ^B 127.0.0.1 1|-d 127.0.0.1 1
--escape=^C 127.0.0.1 1|--user me 127.0.0.1 1|--no-rc 127.0.0.1 1|--trace=/nonexistent/x 127.0.0.1 1
-n /nonexistent/x 127.0.0.1 1|-c 127.0.0.1 1|-4 127.0.0.1 1|-X KRB 127.0.0.1 1|-k R 127.0.0.1 1
-- 127.0.0.1 -1|localhost:1|''|-e '' 127.0.0.1 1|--user|--binary=1""".replace("\n", "|").split("|")


@needs_peer
@pytest.mark.parametrize("words", WORDS)
def test_the_command_line_by_the_name_telnet(hail, tmp_path, words):
    def run(program):
        argv = [as_telnet(tmp_path, program), *(w.strip("'") for w in words.split())]
        shown, status, sig = end(spawn(argv, tmp_path))
        return shown, status, sig
    ours, theirs = run(hail), run(PEER)
    folder = os.path.dirname
    ours = (ours[0].replace(folder(as_telnet(tmp_path, hail)), "DIR"), *ours[1:])
    theirs = (theirs[0].replace(folder(as_telnet(tmp_path, PEER)), "DIR"), *theirs[1:])
    assert ours == theirs


@pytest.mark.parametrize("words, status, says", [
    ("127.0.0.1 1", 4, "telnet: Unable to connect to remote host: Connection refused"),
    ("127.0.0.1:1", 4, "Trying 127.0.0.1..."),
    ("127.0.0.1 0", 2, "Port number 0 is out of range."),
    ("127.0.0.1 nosuchservice", 2, "Servname not supported"),
    ("-4 ::1 1", 3, "Address family for hostname not supported"),
    ("a b c", 2, "wants a host and a port at most"),
    ("--nosuch", 2, "unknown option"),
    ("-b 192.0.2.1 127.0.0.1 1", 4, "telnet: bind: Cannot assign requested address"),
    ("unix:/nonexistent/socket", 4, "No such file or directory"),
    ("udp:127.0.0.1:1", 2, "a stream cannot be made over UDP"),
])
def test_hails_statuses(hail, words, status, says):
    ran = subprocess.run([hail, "telnet", *words.split()], capture_output=True, text=True,
                         stdin=subprocess.DEVNULL, timeout=10, check=False)
    assert ran.returncode == status
    assert says in ran.stdout + ran.stderr


def test_every_address_is_told_in_the_order_of_trying(hail, tmp_path, record):
    server = record(b"hello\r\n")
    child = spawn([hail, "telnet", "localhost", server.port], tmp_path)
    wait(child, "hello")
    child.sendline("bye")
    shown, status, _ = end(child)
    assert shown.startswith("Trying ::1...\r\nConnection failed: Connection refused\r\n"
                            "Trying 127.0.0.1...\r\nConnected to localhost.\r\n"
                            "Escape character is '^]'.\r\nhello\r\n")
    assert shown.endswith("Connection closed by foreign host.\r\n")
    assert status == 0


def test_unix_sockets_and_endpoints(hail, tmp_path, record):
    server = record(b"hello\r\n")
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        child = spawn([hail, "telnet", f"unix:{path}"], tmp_path)
        peer, _ = listener.accept()
        with peer:
            child.sendline("over there")
            assert peer.recv(100) == b"over there\r\n"
        assert end(child)[1] == 0
    child = spawn([hail, "telnet", f"127.0.0.1:{server.port}"], tmp_path)
    wait(child, f"Connected to 127.0.0.1:{server.port}.")
    child.sendline("bye")
    assert end(child)[1] == 0


def test_port_with_a_minus_offers_options(hail, tmp_path, record):
    server = record(b"hello\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", f"-{server.port}"], tmp_path)
    wait(child, "hello")
    child.sendline("bye")
    end(child)
    assert server.heard(0).startswith(bytes([IAC, DO, SGA, IAC, WILL]))


@needs_peer
@pytest.mark.parametrize("options", ["-8", "-L", "-a", "-l me", "-E", "-c"])
def test_offers_are_the_same(hail, tmp_path, record, options):
    """With '-PORT', as on port 23; without the encryption and Kerberos of Debian's."""
    said = []
    for program in (hail, PEER):
        server = record(bytes([IAC, DO, 39, IAC, SB, 39, 1, IAC, SE]) + b"ready\r\n")
        child = spawn([as_telnet(tmp_path, program), *options.split(), "--", "127.0.0.1",
                       f"-{server.port}"], tmp_path, USER="root")
        wait(child, "ready")
        child.sendline("bye")
        end(child)
        said.append(server.heard(0).partition(b"bye")[0])
    kerberos = [bytes([IAC, DO, 38]), bytes([IAC, WILL, 38]), bytes([IAC, WILL, 37])]
    for k in kerberos:
        said[1] = said[1].replace(k, b"")
    assert said[0] == said[1]


# --- .telnetrc ---

@needs_peer
def test_telnetrc(hail, tmp_path, record):
    (tmp_path / ".telnetrc").write_text(
        "# of the test\n127.0.0.1 toggle crlf\n\ttoggle foo\n  bar\n toggle autosynch autoflush\n"
        "127.0.0.9 toggle crmod\n  toggle netdata\nDEFAULT set escape ^A\n display escape crlf\n"
        "127.0.0.12 toggle options\nnonsense\n to\n")
    shown = []
    for program in (PEER, hail):
        server = record(b"ready\r\n")
        child = spawn([as_telnet(tmp_path, program), "127.0.0.1", server.port], tmp_path)
        wait(child, "ready")
        child.send("\x01")
        wait(child, "telnet> ")
        child.sendline("display escape crmod netdata autosynch crlf")
        wait(child, "network traffic.\r\n.*\n")
        child.send("\x01")
        wait(child, "telnet> ")
        child.sendline("quit")
        shown.append(end(child))
    assert shown[1] == shown[0]


# --- keys ---

@needs_peer
@pytest.mark.parametrize("options, keys", [
    ("-e ^A", "\x1dx\x01"), ("-E", "\x1dx"), ("-r", "x\r~.\r"), ("-r", "~.\r"),
    ("-r", "~~x\r"), ("-r", "x~.\r"), ("-r", "~x\r"), ("", "a\x05b\x05c\r"), ("", "a\x05\x05c\r"),
    ("", "\x04"), ("", "abc\x08\x7fd\r"), ("", "ab\x15cd\r")])
def test_keys_in_a_plain_conversation(hail, tmp_path, record, options, keys):
    """Line by line, echoed here: what is shown, and what is sent."""
    shown, said = [], []
    for program in (PEER, hail):
        server = record(b"ready\r\n")
        child = spawn([as_telnet(tmp_path, program), *options.split(), "127.0.0.1", server.port],
                      tmp_path)
        wait(child, "ready\r\n")
        child.send(keys)
        if keys.endswith("\x01"):
            wait(child, "telnet> ")
            child.send("\r")
        if "~." not in keys or keys.startswith("x~"):
            child.send("\rbye\r")
        shown.append(end(child))
        said.append(server.heard(0))
    assert shown[1] == shown[0]
    assert said[1] == said[0]


@needs_peer
@pytest.mark.parametrize("keys", ["\x1d\x1dx\r", "\x03\x04\x1a\x1c\x7f\r", "a\nb\rc", "caf\xc3\xa9\xff\r"])
def test_keys_a_character_at_a_time(hail, tmp_path, record, keys):
    said = []
    for program in (PEER, hail):
        server = record(CHARACTERS + b"ready\r\n")
        child = spawn([as_telnet(tmp_path, program), "127.0.0.1", server.port], tmp_path)
        wait(child, "ready\r\n")
        until(child, lambda c: not termios.tcgetattr(c)[3] & termios.ICANON)
        child.send(keys + "bye")
        end(child)
        said.append(server.heard(0))
    assert said[1] == said[0]


@pytest.mark.parametrize("greeting", [CHARACTERS, b""], ids=["characters", "plain"])
@pytest.mark.parametrize("keys", ["\x1dquit\r", "abc\r\x1dquit\r", "abc\x1dquit\r", "\x1dqu|it\r"])
def test_what_is_typed_with_the_escape_character(hail, tmp_path, record, greeting, keys):
    """One read may bring the key and the command behind it."""
    server = record(greeting + b"ready\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    for part in keys.split("|"):
        child.send(part)
        if "|" in keys and part.startswith("\x1d"):
            wait(child, "telnet> ")
    shown, status, _ = end(child)
    assert "telnet> quit\r\nConnection closed.\r\n" in shown
    assert status == 0


def until(child, holds):
    """Waits until it holds of the child's terminal."""
    for _ in range(1000):
        if holds(child.child_fd):
            return
        time.sleep(0.01)
    raise AssertionError("it never holds")


# --- the terminal is as it was found ---

@pytest.fixture(name="fresh", scope="module")
def fixture_fresh():
    """The modes of a terminal that nobody has set."""
    master, slave = os.openpty()
    modes = termios.tcgetattr(slave)
    os.close(master)
    os.close(slave)
    return modes


@pytest.mark.parametrize("how", ["quit", "close", "peer", "reset", signal.SIGTERM, signal.SIGHUP,
                                 signal.SIGABRT, signal.SIGQUIT, signal.SIGINT])
@pytest.mark.parametrize("greeting", [CHARACTERS, b"", bytes([IAC, DO, LINEMODE])],
                         ids=["characters", "plain", "linemode"])
def test_the_terminal_is_restored(hail, tmp_path, record, fresh, how, greeting):
    server = record(greeting + b"ready\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    until(child, lambda c: termios.tcgetattr(c) != fresh)
    if how in ("quit", "close"):
        child.send("\x1d")
        wait(child, "telnet> ")
        child.sendline(how)
    elif how == "peer":
        server.sockets[0].shutdown(socket.SHUT_RDWR)
    elif how == "reset":
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        server.close()
        child.send("x\r")
    else:
        os.kill(child.pid, how)
    wait(child, pexpect.EOF)
    assert termios.tcgetattr(child.child_fd) == fresh
    child.close()
    if isinstance(how, int):
        assert child.signalstatus == how
    else:
        assert child.exitstatus == (7 if how == "reset" else 0)


def test_signal_at_the_prompt(hail, tmp_path, record, fresh):
    server = record(CHARACTERS + b"ready\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    child.send("\x1d")
    wait(child, "telnet> ")
    assert termios.tcgetattr(child.child_fd) == fresh
    os.kill(child.pid, signal.SIGTERM)
    assert end(child)[2] == signal.SIGTERM


# --- stopping and going on ---

@pytest.mark.parametrize("greeting", [CHARACTERS, b""], ids=["characters", "plain"])
@pytest.mark.parametrize("how", ["z", "key", "kill", "key at the prompt"])
def test_stop_and_go_on_under_a_shell(hail, tmp_path, record, greeting, how):
    if how == "key" and greeting:
        pytest.skip("^Z is the peer's there")
    server = record(greeting + b"ready\r\n")
    child = spawn(["/bin/bash", "--norc", "--noprofile", "-i"], tmp_path, PS1="shell> ")
    wait(child, "shell> ")
    child.sendline(f"{os.path.abspath(hail)} telnet 127.0.0.1 {server.port}")
    wait(child, "ready")
    until(child, lambda c: not greeting or not termios.tcgetattr(c)[3] & termios.ICANON)
    if how == "z":
        child.send("\x1d")
        wait(child, "telnet> ")
        child.sendline("z")
    elif how == "key":
        child.send("\x1a")
    elif how == "key at the prompt":
        child.send("\x1d")
        wait(child, "telnet> ")
        child.send("\x1a")
    else:
        os.kill(os.tcgetpgrp(child.child_fd), signal.SIGTSTP)
    wait(child, "Stopped")
    wait(child, "shell> ")
    child.setwinsize(50, 132)
    child.sendline("stty -a | grep -o -- '-*icanon'; fg")
    wait(child, r"[\r\n]icanon")
    wait(child, "telnet 127")
    if how == "key at the prompt":
        child.sendline("")
    until(child, lambda c: not greeting or not termios.tcgetattr(c)[3] & termios.ICANON)
    child.send("bye\r")
    wait(child, "closed by foreign host")
    child.sendline("exit")
    end(child)
    assert b"bye\r" in server.heard(0)


def test_interrupt_at_the_prompt_without_a_connection(hail, tmp_path, record):
    server = record(CHARACTERS + b"ready\r\n")
    child = spawn([hail, "telnet"], tmp_path)
    wait(child, "telnet> ")
    child.sendline(f"open 127.0.0.1 {server.port}")
    wait(child, "ready")
    until(child, lambda c: not termios.tcgetattr(c)[3] & termios.ICANON)
    child.send("\x1d")
    wait(child, "telnet> ")
    child.sendline("close")
    wait(child, "Connection closed.\r\ntelnet> ")
    child.send("\x03")
    assert end(child)[2] == signal.SIGINT


def test_suspend_key_goes_to_a_peer_in_line_mode(hail, tmp_path, record):
    server = record(bytes([IAC, DO, LINEMODE, IAC, SB, LINEMODE, 1, 3, IAC, SE]) + b"ready\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    until(child, lambda c: termios.tcgetattr(c)[3] & termios.ISIG)
    for key in "\x1a\x03\x1c":
        child.send(key)
        time.sleep(0.1)
    child.send("bye\r")
    end(child)
    tail = server.heard(0)
    for command in (237, 244, 238):  # SUSP, IP, ABORT
        assert bytes([IAC, command, IAC, DO, 6]) in tail


@pytest.mark.parametrize("key, sig", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_keys_end_a_plain_conversation(hail, tmp_path, record, fresh, key, sig):
    """A service that does not speak TELNET is told nothing of it."""
    server = record(b"220 ready\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    until(child, lambda c: termios.tcgetattr(c) != fresh)
    child.sendline("hello")
    wait(child, "hello")
    child.send(key)
    wait(child, pexpect.EOF)
    assert termios.tcgetattr(child.child_fd) == fresh
    child.close()
    assert child.signalstatus == sig
    assert server.heard(0) in (b"hello\r\n", b"")


def test_a_terminal_that_hangs_up_ends_it(hail, tmp_path, record):
    server = record(CHARACTERS + b"ready\r\n")
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    os.close(child.child_fd)
    assert server.heard(0) is not None
    child.wait()
    assert child.signalstatus == signal.SIGHUP


# --- a login ---

@needs_telnetd
@pytest.mark.parametrize("options", [(), ("-l",)], ids=["characters", "linemode"])
def test_login(hail, tmp_path, telnetd, options):
    daemon = telnetd(*options)
    child = spawn([hail, "telnet", "127.0.0.1", f"-{daemon.port}"], tmp_path, rows=30, columns=90)
    wait(child, "ready> ")
    child.sendline("stty size; echo T$TERM")
    wait(child, "30 90\r+\nTxterm\r+\n")
    wait(child, "ready> ")
    child.setwinsize(40, 255)
    for _ in range(100):
        child.sendline("stty size")
        wait(child, r"\d+ \d+\r+\n")
        if "40 255" in child.after:
            break
    assert "40 255" in child.after
    child.send("\x1d")
    wait(child, "telnet> ")
    child.sendline("send ayt")
    wait(child, r"\[Yes\]")
    child.sendline("echo be''gun; sleep 1000")
    wait(child, "begun")
    for _ in range(20):  # the shell may not have started it yet
        child.send("\x03")
        if child.expect(["ready> ", pexpect.TIMEOUT], timeout=1) == 0:
            break
    child.sendline("printf '\\033[31mred\\033]52;c;aGk=\\007\\033[0m.'")
    wait(child, r"red\x1b\[0m\.")  # colours pass, the clipboard stays shut
    wait(child, "ready> ")
    child.sendline("exit")
    shown, status, _ = end(child)
    assert shown.endswith("Connection closed by foreign host.\r\n")
    assert status == 0


@needs_telnetd
def test_commands_piped_into_a_login(hail, tmp_path, telnetd):
    daemon = telnetd()
    lines = "echo a''nswer $((6 * 7))\nexit\n"
    ran = subprocess.run([hail, "telnet", "127.0.0.1", f"-{daemon.port}"], input=lines,
                         capture_output=True, text=True, timeout=20, check=False,
                         env={"HOME": str(tmp_path), "TERM": "dumb", "PATH": os.environ["PATH"]})
    assert "answer 42" in ran.stdout
    assert ran.returncode == 0


# --- pipes ---

class Mirror(Recorder):
    """Answers with what came, when all of it has, and closes."""

    def listen_to(self, s, i):
        while data := s.recv(65536):
            self.said[i] += data
        s.sendall(b"got %d\r\n" % len(self.said[i]) + self.said[i][-100:])
        s.close()
        self.done[i].set()


def test_what_is_piped_in_is_sent_whole_and_never_a_command(hail, record):
    server = record(kind=Mirror)
    text = b"quit\n\x1dquit\nclose\n~.\n" + b"x" * 1_000_000 + b"\nlast\n"
    ran = subprocess.run([hail, "telnet", "127.0.0.1", str(server.port)], input=text,
                         capture_output=True, timeout=20, check=False)
    assert server.heard(0) == text.replace(b"\n", b"\r\n")
    assert ran.stdout.endswith(server.heard(0)[-100:])
    assert ran.returncode == 0


def test_what_follows_open_in_a_pipe_is_the_conversation(hail, record):
    server = record(kind=Mirror)
    ran = subprocess.run([hail, "telnet"], capture_output=True, timeout=20, check=False,
                         input=b"status\nopen 127.0.0.1 %d\nstatus\nquit\n" % server.port)
    assert server.heard(0) == b"status\r\nquit\r\n"
    assert ran.returncode == 0
    assert ran.stdout.endswith(b"got 14\r\nstatus\r\nquit\r\n")


def test_without_standard_input(hail, record):
    server = record(kind=Mirror)
    ran = subprocess.run(f"exec '{hail}' telnet 127.0.0.1 {server.port} <&-", shell=True,
                         capture_output=True, timeout=20, check=False)
    assert b"got 0" in ran.stdout
    assert ran.returncode == 0


def test_json_is_refused(hail):
    ran = subprocess.run([hail, "telnet", "--json", "127.0.0.1", "1"], capture_output=True,
                         timeout=20, check=False)
    assert ran.returncode == 2


@pytest.mark.parametrize("option, sent", [("--crlf", b"a\r\nb\r\n\r\n"), ("--lf", b"a\r\nb\n\n"),
                                          ("--raw", b"a\r\nb\n\n")])
def test_line_ends(hail, record, option, sent):
    server = record(kind=Mirror)
    subprocess.run([hail, "telnet", option, "127.0.0.1", str(server.port)], input=b"a\r\nb\n\n",
                   capture_output=True, timeout=20, check=True)
    assert server.heard(0) == sent


def test_nothing_is_lost_on_a_slow_reader(hail, record):
    class Pours(Recorder):
        def listen_to(self, s, i):
            for n in range(20000):
                s.sendall(b"line %d\r\n" % n)
            s.close()

    server = record(kind=Pours)
    with subprocess.Popen([hail, "telnet", "127.0.0.1", str(server.port)], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        time.sleep(0.3)
        out = p.stdout.read()
    assert out.endswith(b"".join(b"line %d\r\n" % n for n in range(20000)))


def test_the_tail_arrives_on_a_slow_terminal(hail, tmp_path, record):
    class Pours(Recorder):
        def listen_to(self, s, i):
            s.sendall(b"".join(b"line %d\r\n" % n for n in range(5000)))
            s.close()

    server = record(kind=Pours)
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "Escape")
    time.sleep(0.5)  # nobody reads the terminal meanwhile
    shown, _, _ = end(child)
    assert shown.endswith("line 4999\r\nConnection closed by foreign host.\r\n")


def test_dead_standard_output(hail, record):
    server = record(b"hello\r\n")
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run([hail, "telnet", "127.0.0.1", str(server.port)], stdout=write,
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=10, check=False)
    os.close(write)
    assert ran.returncode == 8
    assert b"standard output" in ran.stderr


# --- what comes is safe to look at ---

def test_a_plain_conversation_is_made_visible(hail, tmp_path, record):
    server = record("\x1b]0;title\x07 \x9b31m \u202e end\r\n".encode())
    child = spawn([hail, "telnet", "127.0.0.1", server.port], tmp_path)
    wait(child, "end\r\n")
    assert "\x1b" not in child.shown
    assert "^[]0;title^G <U+009B>31m <U+202E> end" in child.shown
    child.sendline("bye")
    end(child)


def test_raw_shows_it_as_it_is(hail, tmp_path, record):
    server = record(b"\x1b[31mred\r\n")
    child = spawn([hail, "telnet", "--raw", "127.0.0.1", server.port], tmp_path)
    wait(child, r"\x1b\[31mred")
    child.sendline("bye")
    end(child)


# --- urgent data ---

def test_synch_goes_as_urgent_data(hail, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = spawn([hail, "telnet", "127.0.0.1", listener.getsockname()[1]], tmp_path)
        peer, _ = listener.accept()
        wait(child, "Escape")
        child.send("\x1d")
        wait(child, "telnet> ")
        child.sendline("send ip synch")
        peer.settimeout(10)
        got = b""
        while len(got) < 3:
            got += peer.recv(10)
        assert got == bytes([IAC, 244, IAC])
        peer.setblocking(False)
        for _ in range(100):
            try:
                assert peer.recv(1, socket.MSG_OOB) == bytes([242])
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise AssertionError("no urgent data")
        peer.close()
        end(child)


def test_synch_of_the_peer_discards_up_to_the_mark(hail, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = spawn([hail, "telnet", "127.0.0.1", listener.getsockname()[1]], tmp_path)
        peer, _ = listener.accept()
        peer.sendall(CHARACTERS + b"ready\r\n")
        wait(child, "ready")
        os.kill(child.pid, signal.SIGSTOP)
        peer.sendall(b"discarded" * 100 + bytes([IAC]))
        peer.send(bytes([242]), socket.MSG_OOB)
        peer.sendall(b"kept\r\n")
        os.kill(child.pid, signal.SIGCONT)
        wait(child, "kept")
        assert "discarded" not in child.shown
        peer.close()
        end(child)


# --- peers that mean harm ---

def test_endless_negotiation_ends(hail, tmp_path):
    """Every request is answered at most once, however often it is made."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = spawn([hail, "telnet", "127.0.0.1", listener.getsockname()[1]], tmp_path)
        peer, _ = listener.accept()
        answers = []

        def read():
            while data := peer.recv(65536):
                answers.append(data)
        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(200):
            peer.sendall(bytes([IAC, DO, NAWS, IAC, WILL, ECHO]) * 100)
        peer.sendall(bytes([IAC, WONT, 99]) + b"enough\r\n")
        wait(child, "enough")
        peer.shutdown(socket.SHUT_WR)
        end(child)
        reader.join(10)
        peer.close()
    assert len(b"".join(answers)) < 100


def test_options_split_at_every_byte(hail, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = spawn([hail, "telnet", "127.0.0.1", listener.getsockname()[1]], tmp_path)
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in CHARACTERS + bytes([IAC, DO, NAWS, IAC, SB, 24, 1, IAC, SE]) + b"a\xff\xffb\r\n":
            peer.sendall(bytes([byte]))
            time.sleep(0.002)
        wait(child, "a\xffb|ab|a.{1,12}b")
        until(child, lambda c: not termios.tcgetattr(c)[3] & termios.ICANON)
        peer.close()
        end(child)


def test_a_peer_that_asks_and_never_reads(hail):
    """The answers that wait for it have a bound."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with subprocess.Popen([hail, "telnet", "127.0.0.1", str(listener.getsockname()[1])],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as p:
            peer, _ = listener.accept()
            with peer:
                try:
                    for _ in range(1000):
                        peer.sendall(bytes([IAC, DO, 6]) * 30000)
                except OSError:
                    pass
                said = p.communicate(timeout=20)[1]
    assert b"takes no answer" in said
    assert b"closed by foreign host" not in said
    assert p.returncode == 7


def test_a_huge_subnegotiation_is_dropped(hail, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = spawn([hail, "telnet", "127.0.0.1", listener.getsockname()[1]], tmp_path)
        peer, _ = listener.accept()
        peer.sendall(bytes([IAC, SB, 24]) + b"x" * 20_000_000 + bytes([IAC, SE]) + b"after\r\n")
        wait(child, "after")
        assert "xxx" not in child.shown
        peer.close()
        end(child)


def test_netdata_and_options_are_written_into_the_trace_file(hail, tmp_path, record):
    trace = tmp_path / "trace"
    server = record(bytes([IAC, WILL, ECHO]) + b"ready\r\n")
    (tmp_path / ".telnetrc").write_text("DEFAULT toggle netdata options prettydump\n")
    child = spawn([hail, "telnet", "-n", trace, "127.0.0.1", server.port], tmp_path)
    wait(child, "ready")
    child.send("bye\r")
    end(child)
    text = trace.read_text()
    assert re.search(r"^< 0x0\t\*ff fb 01 72", text, re.M)
    assert "RCVD WILL ECHO\nSENT DO ECHO\n" in text
    assert "> 0x0\t*ff fd 01\n" in text
