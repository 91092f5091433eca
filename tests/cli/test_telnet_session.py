"""Conversations of hail telnet: the command line and the keys beside inetutils-telnet's, logins over
inetutils-telnetd."""

import os
import socket
import subprocess
import termios

import pexpect
import pytest
from telnet_pty import (CHARACTERS, DO, IAC, PEER, SB, SE, SGA, WILL, Telnetd, as_telnet, end,
                        fixture_record, needs_peer, spawn, until, wait)

__all__ = ["fixture_record"]
needs_telnetd = pytest.mark.skipif(not os.path.exists(Telnetd.PROGRAM),
                                   reason="inetutils-telnetd is not installed")


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
