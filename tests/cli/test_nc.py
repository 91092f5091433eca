"""`hail nc` where it is not netcat: TLS, programs, dumps, and right where netcat loses data."""
import contextlib
import hashlib
import os
import pty
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

WAIT_S = 20


@contextlib.contextmanager
def running(hail, *args, **kw):
    kw = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kw}
    with subprocess.Popen([hail, "nc", *args], **kw) as p:
        timer = threading.Timer(WAIT_S, p.kill)
        timer.start()
        try:
            yield p
        finally:
            p.kill()
            timer.cancel()


@contextlib.contextmanager
def listening(hail, *args, **kw):
    """A listener at a port of the system's choice, and that port."""
    with running(hail, "-lvn", *args, "127.0.0.1", "0", **kw) as p:
        told = b""
        while not (at := re.search(rb"Listening on 127.0.0.1 (\d+)\n", told)):
            line = p.stderr.readline()
            assert line, told
            told += line
        p.told = told
        yield p, int(at[1])


@contextlib.contextmanager
def peer(talk):
    """A server on a thread of its own; `talk` gets the one connection. The port."""
    def serve():
        with contextlib.suppress(OSError):
            s, _ = listener.accept()
            s.settimeout(WAIT_S)
            with s:
                talk(s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(WAIT_S)


def dialled(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
    s.settimeout(WAIT_S)
    return s


def everything(s):
    return b"".join(iter(lambda: s.recv(65536), b""))


def client(hail, *args, stdin=b"", **kw):
    return subprocess.run([hail, "nc", *args], input=stdin, capture_output=True, timeout=WAIT_S,
                          check=False, **kw)


# --- TLS ---

def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_a_certificate_is_made_and_its_fingerprint_told(hail):
    with listening(hail, "--tls", "-N") as (p, port):
        with trusting().wrap_socket(dialled(port)) as s:
            der = s.getpeercert(binary_form=True)
            s.sendall(b"from the client\n")
            p.stdin.write(b"from the server\n")
            p.stdin.close()
            assert everything(s) == b"from the server\n"
            s.unwrap()
        assert p.stdout.read() == b"from the client\n"
        assert p.wait(WAIT_S) == 0
        told = re.search(rb"SHA-256 ([0-9A-F:]+)\n", p.told)[1].decode()
    assert told.replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def test_the_made_certificate_is_for_the_name_given(hail, tmp_path):
    with listening(hail, "--tls", "--sni", "service.example") as (p, port):
        with trusting().wrap_socket(dialled(port)) as s:
            (tmp_path / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(s.getpeercert(binary_form=True)))
            s.unwrap()
        p.stdin.close()
        p.wait(WAIT_S)
    text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
                           str(tmp_path / "ca.pem")], capture_output=True, text=True, check=True).stdout
    assert "DNS:service.example" in text and "DNS:localhost" in text


def test_a_certificate_that_nobody_vouches_for_is_refused(hail):
    with listening(hail, "--tls") as (_, port):
        done = client(hail, "--tls", "127.0.0.1", str(port))
    assert done.returncode == 6
    assert b"self-signed" in done.stderr


@pytest.mark.parametrize("polite", [True, False])
def test_an_end_without_close_notify_is_told(hail, polite):
    with listening(hail, "--tls", "-d") as (p, port):
        s = trusting().wrap_socket(dialled(port))
        s.sendall(b"half of it")
        if polite:
            s = s.unwrap()
            s.close()
        else:
            with socket.socket(fileno=s.detach()) as raw:
                raw.shutdown(socket.SHUT_WR)
                raw.settimeout(WAIT_S)
                everything(raw)
        assert p.stdout.read() == b"half of it"
        assert p.wait(WAIT_S) == (0 if polite else 7)
        assert (b"cut the stream short" in p.stderr.read()) == (not polite)


# --- programs ---

COUNT = "read line; sleep 0.2; seq 1 30000; echo $line $NCAT_REMOTE_ADDR $NCAT_REMOTE_PORT $HAIL_PEER"
COUNTED = "".join(f"{i}\n" for i in range(1, 30001))


@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["plain", "tls"])
@pytest.mark.parametrize("keep", [[], ["-k"]], ids=["one", "many"])
def test_a_program_says_everything_behind_a_half_close(hail, tls, keep):
    with listening(hail, *tls, *keep, "--sh-exec", COUNT) as (p, port):
        conns = []
        for i in range(3 if keep else 1):
            s = dialled(port)
            conns.append(trusting().wrap_socket(s) if tls else s)
            conns[-1].sendall(f"client-{i}\n".encode())
            if not tls:
                conns[-1].shutdown(socket.SHUT_WR)
        for i, s in enumerate(conns):
            own = s.getsockname()[1]
            assert everything(s).decode() == COUNTED + f"client-{i} 127.0.0.1 {own} 127.0.0.1:{own}\n"
            s.close()
        if not keep:
            assert p.wait(WAIT_S) in (0, 7) if tls else p.wait(WAIT_S) == 0


def test_the_status_is_the_programs_and_a_signal_is_passed_on(hail):
    with listening(hail, "--sh-exec", "exit 3") as (p, port), dialled(port):
        assert p.wait(WAIT_S) == 3
    with listening(hail, "--exec", "sleep 60") as (p, port), dialled(port) as s:
        time.sleep(0.3)
        p.terminate()
        assert everything(s) == b""
        p.wait(WAIT_S)


def test_a_client_that_stays_does_not_hold_the_port(hail):
    with listening(hail, "--tls", "-k", "--exec", "cat") as (p, port):
        with trusting().wrap_socket(dialled(port)) as s:
            s.sendall(b"ping")
            assert s.recv(10) == b"ping"
            p.kill()
            p.wait(WAIT_S)
            with pytest.raises(ConnectionRefusedError):
                dialled(port)
            s.sendall(b"still here")
            assert s.recv(10) == b"still here"


def test_a_program_hears_the_end_of_a_client_that_was_cut_off(hail, tmp_path):
    with listening(hail, "--tls", "--sh-exec", f"cat; echo ended > {tmp_path}/told") as (p, port):
        s = trusting().wrap_socket(dialled(port))
        s.sendall(b"ping")
        assert s.recv(10) == b"ping"
        s.close()
        assert p.wait(WAIT_S) != 0
    assert (tmp_path / "told").read_text() == "ended\n"


def test_a_program_that_is_not_there(hail):
    with listening(hail, "--exec", "/nowhere/program") as (p, port), dialled(port):
        assert p.wait(WAIT_S) == 8


# --- what is shown ---

def test_hexdump_into_a_file(hail, tmp_path):
    def talk(s):
        s.sendall(b"\x00\x1b[31m" + bytes(range(0x41, 0x53)))
        s.recv(100)

    with peer(talk) as port:
        done = client(hail, "-N", f"--hexdump={tmp_path}/dump", "127.0.0.1", str(port), stdin=b"hello\n")
    assert done.returncode == 0
    lines = sorted((tmp_path / "dump").read_text().splitlines())
    assert lines == [
        "< 00000000  00 1b 5b 33 31 6d 41 42  43 44 45 46 47 48 49 4a  |..[31mABCDEFGHIJ|",
        "< 00000010  4b 4c 4d 4e 4f 50 51 52                           |KLMNOPQR|",
        "> 00000000  68 65 6c 6c 6f 0a                                 |hello.|",
    ]


def test_progress_only_on_a_terminal(hail):
    for terminal in (True, False):
        a, b = pty.openpty()
        err = b if terminal else subprocess.PIPE
        with peer(lambda s: s.sendall(b"x" * 3_000_000)) as port:
            done = subprocess.run([hail, "nc", "-d", "--progress", "127.0.0.1", str(port)], stderr=err,
                                  stdout=subprocess.DEVNULL, timeout=WAIT_S, check=True)
        os.close(b)
        shown = os.read(a, 65536) if terminal else done.stderr
        os.close(a)
        assert (b"3.0 MB in" in shown) == terminal


# --- time ---

def test_idle_timeout_is_status_5(hail):
    with peer(lambda s: s.recv(1)) as port:
        with running(hail, "--idle-timeout", "0.2", "127.0.0.1", str(port)) as p:
            assert p.wait(WAIT_S) == 5


def test_quit_after_the_end_of_input_with_a_silent_peer(hail):
    gone = threading.Event()
    with peer(lambda s: (everything(s), gone.wait(WAIT_S))) as port:
        assert client(hail, "-q", "1", "127.0.0.1", str(port), stdin=b"x").returncode == 0
        gone.set()


# --- where netcat loses data ---

def test_data_ahead_of_a_reset_arrives(hail):
    def talk(s):
        s.recv(1)
        s.sendall(b"413 too large\n" + b"z" * 50000)
        time.sleep(0.3)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with peer(talk) as port, running(hail, "127.0.0.1", str(port)) as p:
        p.stdin.write(b"x" * 10)
        p.stdin.flush()
        assert p.stdout.read() == b"413 too large\n" + b"z" * 50000
        assert p.wait(WAIT_S) == 1
        assert b"reset" in p.stderr.read()


def test_a_line_end_split_over_reads_is_one(hail):
    heard = []
    with peer(lambda s: heard.append(everything(s))) as port:
        with running(hail, "-CN", "127.0.0.1", str(port)) as p:
            for piece in (b"one\r", b"\ntwo\n", b"\r", b"\n"):
                p.stdin.write(piece)
                p.stdin.flush()
                time.sleep(0.1)
            p.stdin.close()
            assert p.wait(WAIT_S) == 0
    assert heard == [b"one\r\ntwo\r\n\r\n"]


def test_a_listener_says_everything_behind_the_peers_half_close(hail):
    said = os.urandom(2_000_000)
    with listening(hail, "-N") as (p, port):
        with dialled(port) as s:
            s.shutdown(socket.SHUT_WR)
            writer = threading.Thread(target=lambda: (p.stdin.write(said), p.stdin.close()))
            writer.start()
            assert everything(s) == said
            writer.join(WAIT_S)
        assert p.wait(WAIT_S) == 0


def test_a_download_with_standard_input_closed(hail):
    said = os.urandom(300_000)
    with peer(lambda s: s.sendall(said)) as port:
        command = f'exec "$0" nc 127.0.0.1 {port} <&-'
        done = subprocess.run(["sh", "-c", command, hail], capture_output=True, timeout=WAIT_S, check=False)
    assert (done.returncode, done.stdout) == (0, said)


def test_a_full_disk_is_told(hail):
    with peer(lambda s: s.sendall(b"lost")) as port, open("/dev/full", "wb") as full:
        done = subprocess.run([hail, "nc", "-d", "127.0.0.1", str(port)], stdout=full,
                              stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
    assert done.returncode == 8
    assert b"o space left" in done.stderr


def test_a_dead_output_is_told_though_input_is_silent(hail):
    def talk(s):
        with contextlib.suppress(OSError):
            while True:
                s.sendall(b"x" * 1000)
                time.sleep(0.02)

    with peer(talk) as port, running(hail, "-d", "127.0.0.1", str(port)) as p:
        p.stdout.close()
        assert p.wait(WAIT_S) == 8
        assert b"ipe" in p.stderr.read()


def test_a_file_in_the_place_of_a_unix_socket_is_left_alone(hail, tmp_path):
    (tmp_path / "precious").write_text("mine")
    done = client(hail, "-lU", str(tmp_path / "precious"))
    assert done.returncode == 1
    assert (tmp_path / "precious").read_text() == "mine"


def test_abstract_unix_sockets(hail):
    name = f"@hail-test-{os.getpid()}-{time.monotonic_ns()}"
    with running(hail, "-lNvU", name) as p:
        assert p.stderr.readline() and p.stderr.readline()
        done = client(hail, "-NU", name, stdin=b"ping\n")
        assert done.returncode == 0
        assert p.stdout.read() == b"ping\n"


# --- the command line ---

@pytest.mark.parametrize("args", [
    ["--tls", "-u", "127.0.0.1", "1"], ["--tls", "-F", "127.0.0.1", "1"], ["--idle-timeout", "0", "a", "1"],
    ["--exec", "x", "-u", "127.0.0.1", "1"], ["--idle-timeout", "x", "a", "1"], ["--nosuch", "a", "1"],
    ["--json", "127.0.0.1", "1"], ["--json", "-z", "-s", "127.0.0.1", "127.0.0.1", "1-2"],
], ids=" ".join)
def test_what_does_not_go_together(hail, args):
    done = client(hail, *args)
    assert done.returncode in (1, 2)
    assert done.stderr
    assert not done.stdout


def test_a_range_of_ten_thousand_ports(hail):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        low, high = max(1, port - 5000), min(65535, port + 5000)
        done = client(hail, "-zv", "127.0.0.1", f"{low}-{high}")
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) == high - low + 1
    assert re.match(rf"Connection to 127.0.0.1 {port} port \[tcp/.*\] succeeded!", lines[port - low])
