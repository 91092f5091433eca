"""The terminal under hail telnet: its modes on every way out, stopping and going on."""

import os
import signal
import socket
import termios
import time

import pexpect
import pytest
from telnet_pty import (CHARACTERS, DO, IAC, LINEMODE, SB, SE, end, fixture_record, spawn, until,
                        wait)

__all__ = ["fixture_record"]


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

# ^Z as a key is the peer's where it takes characters
@pytest.mark.parametrize("greeting,how", [
    *((CHARACTERS, how) for how in ("z", "kill", "key at the prompt")),
    *((b"", how) for how in ("z", "key", "kill", "key at the prompt"))])
def test_stop_and_go_on_under_a_shell(hail, tmp_path, record, greeting, how):
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
