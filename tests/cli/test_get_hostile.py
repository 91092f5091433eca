"""hail get: a hostile server, byte by byte. What two readers could read in two ways is refused with
exit 7 and the rule's name; what RFC 9110 and RFC 9112 allow is read right; memory stays bounded,
nothing half-written takes the final name, and nothing reaches a terminal that it would act on."""

import contextlib
import os
import re
import resource
import socket
import ssl
import subprocess
import threading
import time

import pexpect
import pytest

LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"


@contextlib.contextmanager
def peer(behave, context=None):
    """A server that handles each connection by behave(connection), all at once."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(conn):
        with contextlib.suppress(OSError):
            if context:
                conn = context.wrap_socket(conn, server_side=True)
        with conn, contextlib.suppress(OSError, ssl.SSLError):
            conn.settimeout(30)
            behave(conn)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield "http%s://127.0.0.1:%d/file" % ("s" if context else "", listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def request_of(conn):
    got = b""
    while b"\r\n\r\n" not in got:
        piece = conn.recv(65536)
        if not piece:
            break
        got += piece
    return got


def says(*pieces, pause=0.0):
    def behave(conn):
        request_of(conn)
        for piece in pieces:
            conn.sendall(piece)
            time.sleep(pause)
    return behave


@pytest.fixture(name="get")
def fixture_get(hail, tmp_path):
    def run(*args, **kw):
        kw.setdefault("cwd", tmp_path)
        return subprocess.run([hail, "get", *map(str, args)], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False, **kw)
    return run


# What a response is, and the section that it breaks ("": none speaks of it).
REFUSED = {
    # chunks
    "a size that is no number": (CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n", "9112 section 7.1"),
    "an empty size": (CHUNKED + b"\r\nabc\r\n", "9112 section 7.1"),
    "a negative size": (CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n", "9112 section 7.1"),
    "a size with 0x": (CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n", "9112 section 7.1"),
    "a size with a sign": (CHUNKED + b"+5\r\nabcde\r\n0\r\n\r\n", "9112 section 7.1"),
    "a size that overflows": (CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nabc\r\n", "9112 section 7.1"),
    "sizes that overflow together": (CHUNKED + b"1\r\na\r\n7FFFFFFFFFFFFFFF\r\nabc", "9112 section 7.1"),
    "no line end after a chunk": (CHUNKED + b"3\r\nabcX\r\n0\r\n\r\n", "9112 section 7.1"),
    "a chunk longer than its size": (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", "9112 section 7.1"),
    "a bare LF after a size": (CHUNKED + b"3\nabc\r\n0\r\n\r\n", "9112 section"),
    "a bare LF after a chunk": (CHUNKED + b"3\r\nabc\n0\r\n\r\n", "9112 section"),
    "an endless extension": (CHUNKED + b"3;" + b"x" * 100000 + b"\r\nabc\r\n0\r\n\r\n",
                             "9112 section 7.1"),
    "a NUL in a trailer": (CHUNKED + b"0\r\nA: \0\r\n\r\n", "91"),
    "a length in a trailer": (CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "9110 section 6.5.1"),
    "a trailer without a name": (CHUNKED + b"0\r\n: x\r\n\r\n", "91"),
    "trailers without an end": (CHUNKED + b"0\r\n" + b"A: b\r\n" * 20000, ""),
    "chunks that end early": (CHUNKED + b"5\r\nab", "9112 section 8"),
    "no last chunk": (CHUNKED + b"5\r\nabcde\r\n", "9112 section 8"),
    # lengths
    "content shorter than its length": (LINE + b"Content-Length: 10\r\n\r\nabc", "9112 section 8"),
    "a coding beside a length": (LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
                                 b"3\r\nabc\r\n0\r\n\r\n", "9112 section 6"),
    "chunked twice": (LINE + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "9112 section 6"),
    "chunked is not the last": (LINE + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
                                "9112 section 6"),
    "an unknown transfer coding": (LINE + b"Transfer-Encoding: cow\r\n\r\nmoo", "9112 section"),
    "a coding in 1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        "9112 section 6.1"),
    "a negative length": (LINE + b"Content-Length: -1\r\n\r\n", "9110 section 8.6"),
    "a length of letters": (LINE + b"Content-Length: ten\r\n\r\n", "9110 section 8.6"),
    "a length with a sign": (LINE + b"Content-Length: +3\r\n\r\nabc", "9110 section 8.6"),
    "a length in hexadecimal": (LINE + b"Content-Length: 0x3\r\n\r\nabc", "9110 section 8.6"),
    "a length out of range": (LINE + b"Content-Length: 99999999999999999999\r\n\r\n",
                              "9110 section 8.6"),
    "an empty length": (LINE + b"Content-Length:\r\n\r\n", "9110 section 8.6"),
    "two lengths that differ": (LINE + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                                "9112 section 6.3"),
    "a list of lengths": (LINE + b"Content-Length: 3, 4\r\n\r\nabcd", "9110 section 8.6"),
    "the same length twice": (LINE + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
                              "9112 section 6.3"),
    # lines and fields
    "a folded line": (LINE + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n", "9112 section 5.2"),
    "a space before the colon": (LINE + b"A : b\r\nContent-Length: 0\r\n\r\n", "9112 section 5.1"),
    "no colon": (LINE + b"nonsense\r\nContent-Length: 0\r\n\r\n", "91"),
    "an empty name": (LINE + b": b\r\nContent-Length: 0\r\n\r\n", "91"),
    "a bare CR": (LINE + b"A: b\rc\r\nContent-Length: 0\r\n\r\n", "9112 section 2.2"),
    "a bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "9112 section 2.2"),
    "a NUL in a value": (LINE + b"A: b\0c\r\nContent-Length: 0\r\n\r\n", "9110 section 5.5"),
    "an escape in a value": (LINE + b"A: \x1b[2J\r\nContent-Length: 0\r\n\r\n", "9110 section 5.5"),
    "a NUL in a name": (LINE + b"A\0: b\r\nContent-Length: 0\r\n\r\n", "91"),
    # the status line
    "a negative status": (b"HTTP/1.1 -12 No\r\n\r\n", "9112 section 4"),
    "a status of two digits": (b"HTTP/1.1 20 OK\r\n\r\n", "9112 section 4"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "9112 section 4"),
    "a status of a hundred digits": (b"HTTP/1.1 " + b"2" * 100 + b" OK\r\n\r\n", "9112 section 4"),
    "a status below 100": (b"HTTP/1.1 099 OK\r\n\r\n", "9112 section 4"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "9112 section"),
    "no version": (b"HTTP/ 200 OK\r\n\r\n", "9112 section"),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\n\r\n", ""),
    "HTTP/0.9": (b"<html>hello</html>\r\n\r\n", "9112 section"),
    "an escape in the reason": (b"HTTP/1.1 200 \x1b[31m\r\nContent-Length: 0\r\n\r\n", "9112 section 4"),
    # 1xx
    "a switch that nobody asked for": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
                                       "9110 section 15.2.2"),
    "interim responses without end": (b"HTTP/1.1 102 Wait\r\n\r\n" * 1000, "9110 section 15.2"),
    "nothing but an interim response": (b"HTTP/1.1 100 Continue\r\n\r\n", ""),
    # parts
    "a part that nobody asked for": (b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-2/9\r\n"
                                     b"Content-Length: 3\r\n\r\nabc", "9110 section 14.4"),
    # the stream
    "no answer at all": (b"", ""),
    "half a status line": (b"HTTP/1.1 2", ""),
    "half a head": (LINE + b"Content-Len", ""),
    "too long a line": (LINE + b"A: " + b"x" * 100000 + b"\r\n\r\n", ""),
    "too large a head": (LINE + (b"A: " + b"x" * 1000 + b"\r\n") * 100 + b"\r\n", ""),
    "too many fields": (LINE + b"A: b\r\n" * 1000 + b"\r\n", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(get, tmp_path, name):
    response, rfc = REFUSED[name]
    with peer(says(response)) as url:
        for args in ((), ("-o", "file")):
            done = get(*args, url)
            text = done.stderr.decode()
            assert done.returncode == 7, (done, name)
            assert text.startswith("hail: ") and len(text.splitlines()) <= 2
            assert all(c.isprintable() or c == "\n" for c in text)
            assert not rfc or f"RFC {rfc}" in text, text
            assert not (tmp_path / "file").exists()


# What a response is, and the content that is read from it.
TOLERATED = {
    "content until the end": (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
    "... of 1.1": (LINE + b"\r\nabc", b"abc"),
    "no reason, no space": (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "an empty reason": (b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "a reason of Latin-1": (b"HTTP/1.1 200 \xe9t\xe9\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "no fields": (LINE + b"\r\n", b""),
    "a length with zeros": (LINE + b"Content-Length: 0003\r\n\r\nabc", b"abc"),
    "bytes behind the content": (LINE + b"Content-Length: 3\r\n\r\nabcdef", b"abc"),
    "white space around a value": (LINE + b"Content-Length: \t 3 \t \r\n\r\nabc", b"abc"),
    "an empty value": (LINE + b"A:\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "names in any case": (LINE + b"cOnTeNt-LeNgTh: 3\r\n\r\nabc", b"abc"),
    "bytes above 0x7F in a value": (LINE + b"A: \xff\xfe\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "extensions of chunks": (CHUNKED + b'3;a=b;c="d;e"\r\nabc\r\n0;x\r\n\r\n', b"abc"),
    "zeros before a size": (CHUNKED + b"00003\r\nabc\r\n000\r\n\r\n", b"abc"),
    "sizes in any case": (CHUNKED + b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
                          b"01234567890123456789"),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", b"abc"),
    "chunked in any case": (LINE + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "interim responses": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n" + LINE +
                          b"Content-Length: 3\r\n\r\nabc", b"abc"),
    "204 with a coding": (b"HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
    "204 with a length": (b"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", b""),
    "304 with a length": (b"HTTP/1.1 304 Same\r\nContent-Length: 500\r\n\r\n", b""),
    "a status above 599": (b"HTTP/1.1 799 Odd\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "417 to nothing": (b"HTTP/1.1 417 No\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "an unknown content coding": (LINE + b"Content-Encoding: cow\r\nContent-Length: 3\r\n\r\nmoo",
                                  b"moo"),
    "1.2": (b"HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
}


@pytest.mark.parametrize("name", TOLERATED)
def test_tolerated(get, name):
    response, content = TOLERATED[name]
    with peer(says(response)) as url:
        done = get(url)
    assert (done.returncode, done.stdout) == (0, content), done


@pytest.mark.parametrize("name", TOLERATED)
def test_tolerated_one_byte_at_a_time(get, name):
    response, content = TOLERATED[name]

    def behave(conn):
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        says(*(response[i:i + 1] for i in range(len(response))), pause=0.0005)(conn)

    with peer(behave) as url:
        done = get(url)
    assert (done.returncode, done.stdout) == (0, content), done


def test_head_has_no_content(get):
    with peer(says(LINE + b"Content-Length: 5\r\n\r\nabcde")) as url:
        done = get("-I", url)
    assert done.returncode == 0 and done.stdout == LINE + b"Content-Length: 5\r\n\r\n"


# --- codings ---

@pytest.mark.parametrize("coding, content", [
    ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b"), ("gzip", b"not gzip at all"), ("br", b"\xff" * 50),
    ("zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff"), ("deflate", b"\xff" * 20), ("cow", b"moo"),
    ("gzip, gzip", b"\x1f\x8b"), ("zstd", b"garbage"), ("br", b"")])
def test_what_does_not_decode(get, tmp_path, coding, content):
    head = LINE + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding.encode(), len(content))
    with peer(says(head + content)) as url:
        done = get("--compressed", "-o", "file", url)
        assert done.returncode == (7 if content else 0), done
        assert (tmp_path / "file").exists() == (not content)
        assert not content or b"RFC 9110 section 8.4" in done.stderr


def test_something_behind_coded_content(get):
    gz = subprocess.run(["gzip"], input=b"hello\n", capture_output=True, check=True).stdout
    head = LINE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    with peer(says(head % (2 * len(gz)) + gz + gz)) as url:
        assert get("--compressed", url).stdout == b"hello\nhello\n" # two members: RFC 1952
    with peer(says(head % (len(gz) + 3) + gz + b"xyz")) as url:
        done = get("--compressed", url)
        assert done.returncode == 7 and done.stdout == b"hello\n"


# --- without end ---

def endless(head, piece):
    def behave(conn):
        request_of(conn)
        conn.sendall(head)
        while True:
            conn.sendall(piece)
    return behave


@pytest.mark.parametrize("head, piece", [
    (LINE, b"A: " + b"x" * 1000 + b"\r\n"), (LINE + b"A: ", b"x" * 65536), (b"", b"x" * 65536),
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), (CHUNKED + b"1;", b"x" * 65536),
    (CHUNKED + b"0\r\n", b"A: b\r\n" * 1000), (CHUNKED, b"0" * 65536)])
def test_endless_heads_are_refused_in_bounded_memory(get, head, piece):
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))

    with peer(endless(head, piece)) as url:
        instrumented = "asan" in os.environ.get("HAIL", "")
        done = get(url, preexec_fn=None if instrumented else limited)
    assert done.returncode == 7, done


def test_content_without_end_is_bounded_by_the_user(get):
    with peer(endless(LINE + b"\r\n", b"x" * 65536)) as url:
        done = get("--max-filesize", "1M", "-o", "file", url)
        assert done.returncode == 8 and b"--max-filesize" in done.stderr
        assert get("-m", "0.5", "-o", "/dev/null", url).returncode == 5


def test_slow_servers(get):
    def trickle(conn):
        request_of(conn)
        for byte in LINE:
            conn.sendall(bytes([byte]))
            time.sleep(0.2)

    def stall(conn):
        request_of(conn)
        conn.sendall(LINE + b"Content-Length: 10\r\n\r\nabc")
        time.sleep(20)

    with peer(trickle) as url:
        done = get("-m", "1", url)
        assert done.returncode == 5 and done.stdout == b""
    with peer(stall) as url:
        done = get("-m", "0.5", url)
        assert done.returncode == 5 and done.stdout == b"abc"
        done = get("--retry", "1", "--retry-delay", "0", "-m", "1", url)
        assert done.returncode == 5


def test_a_server_slower_than_the_user_wants(get):
    def drip(conn):
        request_of(conn)
        conn.sendall(LINE + b"Content-Length: 1000\r\n\r\n")
        for _ in range(100):
            conn.sendall(b"x" * 10)
            time.sleep(0.1)

    with peer(drip) as url:
        done = get("-Y", "1000", "-y", "0.5", url)
    assert done.returncode == 5 and b"slower than 1000 bytes a second" in done.stderr


# --- TLS ---

@pytest.fixture(name="tls")
def fixture_tls(certs):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.cert, certs.key)
    return context, certs.ca


def test_tls_that_ends_without_close_notify(get, tls, tmp_path):
    context, ca = tls
    for head in (LINE + b"Content-Length: 10\r\n\r\nabc", LINE + b"\r\nabc", CHUNKED + b"3\r\nabc\r\n"):
        with peer(says(head), context) as url:
            url = url.replace("127.0.0.1", "localhost")
            done = get("--cacert", ca, "-4", "-o", "file", url)
        assert done.returncode == 7 and not (tmp_path / "file").exists(), done


def test_a_redirect_from_https_to_http_with_credentials(get, tls):
    context, ca = tls
    asked = []

    def plain(conn):
        asked.append(request_of(conn))
        conn.sendall(LINE + b"Content-Length: 5\r\n\r\nplain")

    with peer(plain) as insecure:
        moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % insecure.encode()
        with peer(says(moved), context) as url:
            url = url.replace("127.0.0.1", "localhost")
            for secret in (("-u", "me:pw"), ("-H", "Authorization: x"), ("-H", "Cookie: a=b"),
                           ("--oauth2-bearer", "t")):
                done = get("-L", "--cacert", ca, "-4", *secret, url)
                assert done.returncode == 7 and b"from https to http" in done.stderr, done
            assert not asked
            assert get("-L", "--cacert", ca, "-4", url).stdout == b"plain"
            assert get("--location-trusted", "-u", "me:pw", "--cacert", ca, "-4",
                       url).returncode == 0
            assert b"Authorization: Basic" in asked[-1]


def test_tls_where_there_is_none_and_the_reverse(get, tls):
    context, ca = tls
    def plain(conn):
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 400 What\r\nContent-Length: 0\r\n\r\n")

    with peer(plain) as url:
        assert get("-m", "5", url.replace("http:", "https:")).returncode == 6
    with peer(says(LINE), context) as url:
        assert get("-m", "5", "--cacert", ca, url.replace("https:", "http:")).returncode in (4, 7)


# --- proxies ---

@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 407 Who\r\n\r\n", b"SSH-2.0\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\n", b"\x05\xff", b"HTTP/1.1 -1\r\n\r\n",
                                    b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"])
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4a"])
def test_proxies_that_misbehave(get, answer, scheme):
    def behave(conn):
        conn.recv(65536)
        conn.sendall(answer)

    with peer(behave) as url:
        proxy = url.replace("http://", scheme + "://").removesuffix("/file")
        done = get("-m", "10", "-x", proxy, "https://192.0.2.1/")
    assert done.returncode in (1, 4, 5, 6, 7) and done.stdout == b"", done
    assert done.stderr.startswith(b"hail: ")


# --- a terminal ---

def test_nothing_of_a_server_is_acted_on(hail):
    evil = b"\x1b]0;owned\x07\x1b[2J\x9b31m\xc2\x9b31m\xe2\x80\xae\x08\x7f\x05"
    with peer(says(LINE + b"Content-Type: text/plain\r\nEvil: \xc2\x9b31m \xe2\x80\xae\r\n\r\nx" + evil)) as url:
        for more in ((), ("-v",), ("-i", "--body"), ("--explain",), ("--timing",)):
            child = pexpect.spawn(hail, ["get", "--color=never", *more, url], timeout=30)
            out = child.read()
            child.close()
            assert child.exitstatus == 0
            for bad in (b"\x1b", b"\x07", b"\x9b3", b"\xe2\x80\xae", b"\x08", b"\x7f", b"\x05"):
                if more != ("-i", "--body"):
                    assert bad not in out, (bad, out)


def test_errors_of_a_server_are_made_safe(get):
    with peer(says(b"HTTP/1.1 302 Found\r\nLocation: http://\xc2\x9b31m.example\xe2\x80\xae/\r\n\r\n")) as url:
        done = get("-L", url)
        assert done.returncode in (3, 7)
        assert b"\xc2\x9b" not in done.stderr and b"\xe2\x80\xae" not in done.stderr
    with peer(says(b"HTTP/1.1 500 \xc2\x9b31m\r\nContent-Length: 0\r\n\r\n")) as url:
        done = get("-f", url)
        assert done.returncode == 1 and b"\xc2\x9b" not in done.stderr


# --- files of the user ---

def test_a_netrc_and_a_jar_that_are_malformed_or_open_to_all(get, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pw\nnonsense here\n")
    (tmp_path / "netrc").chmod(0o644)
    (tmp_path / "jar").write_text("# Netscape\n127.0.0.1\tFALSE\t/\tFALSE\t0\tgood\t1\nbad line\n"
                                  "127.0.0.1\tFALSE\t/\tFALSE\tsoon\tbad\t1\n")
    (tmp_path / "jar").chmod(0o644)
    asked = []

    def behave(conn):
        asked.append(request_of(conn))
        conn.sendall(LINE + b"Content-Length: 2\r\n\r\nok")

    with peer(behave) as url:
        done = get("--netrc-file", "netrc", "-b", "jar", url)
    text = done.stderr.decode()
    assert done.stdout == b"ok" and b"Authorization: Basic bWU6cHc=" in asked[0]
    assert b"Cookie: good=1\r\n" in asked[0]
    assert text.count("can be read by others") == 2
    assert "jar, line 3" in text and "jar, line 4" in text and re.search(r"netrc, line \d", text)


def test_a_server_may_not_set_cookies_for_others(get, tmp_path):
    fields = (b"Set-Cookie: a=1; Domain=com\r\nSet-Cookie: b=1; Domain=other.example\r\n"
              b"Set-Cookie: c=1; Domain=co.uk\r\nSet-Cookie: d=1; Secure\r\n"
              b"Set-Cookie: __Host-e=1\r\nSet-Cookie: ok=1; Path=/\r\n")
    with peer(says(LINE + fields + b"Content-Length: 0\r\n\r\n")) as url:
        port = url.split(":")[2].split("/")[0]
        for host in ("a.com", "x.co.uk", "127.0.0.1"):
            assert get("-c", "jar", "--resolve", f"{host}:{port}:127.0.0.1",
                       f"http://{host}:{port}/").returncode == 0
            names = [line.split("\t")[5] for line in (tmp_path / "jar").read_text().splitlines()
                     if "\t" in line]
            assert names == ["ok"], host
    assert (tmp_path / "jar").stat().st_mode & 0o777 == 0o600
