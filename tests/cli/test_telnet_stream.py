"""Bytes through hail telnet: what is piped in and out, what is made visible, urgent data, and peers
that mean harm."""

import os
import re
import signal
import socket
import subprocess
import termios
import threading
import time

import pytest
from telnet_pty import (CHARACTERS, DO, ECHO, IAC, NAWS, SB, SE, WILL, WONT, Recorder, end,
                        fixture_record, spawn, until, wait)

__all__ = ["fixture_record"]


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
