"""A web server that keeps what it was asked, byte for byte, for tests of a client.

One port speaks whatever the first byte of a connection says: HTTP, TLS, SOCKS 4 or 5. It takes
itself for every proxy, and for what is behind it: a CONNECT or a SOCKS request is granted (but for
the host refused.test), and what follows is answered here. `Recorder.asked` are the requests in
their order, each with the way it came by. What a path answers is up to `answer(request)`, which
gives pieces: bytes to be sent, a number of seconds to wait, CLOSE or RESET. `None` at the end keeps
the connection.
"""

import base64
import contextlib
import re
import socket
import ssl
import struct
import threading
import time

CLOSE, RESET = "close", "reset"
REFUSED = "refused.test"
CLOSED_DOOR = "closed-door.test"  # a proxy grants it to user:secret only


class Request:
    """method, target, version, fields (name, value), body (without its framing), way, connection."""

    def __init__(self, head, way, connection):
        self.head, self.way, self.connection, self.body = head, way, connection, b""
        line, *rest = head[:-4].split(b"\r\n")
        self.line = line.decode("latin-1")
        self.method, self.target, self.version = self.line.split(" ", 2)
        self.fields = [tuple(part.strip() for part in field.decode("latin-1").split(":", 1))
                       for field in rest]

    def get(self, name, default=None):
        found = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(found) if found else default

    @property
    def path(self):
        """The target without scheme, host, query."""
        return re.sub("^http://[^/?]*", "", self.target).partition("?")[0]

    @property
    def keeps(self):
        said = (self.get("Connection") or self.get("Proxy-Connection") or "").lower()
        return said == "keep-alive" if self.version == "HTTP/1.0" else said != "close"


class Connection:
    """Bytes from a socket, with those that were read too early kept."""

    def __init__(self, sock):
        self.sock, self.early = sock, b""

    def until(self, mark):
        while mark not in self.early:
            self._more()
        head, _, self.early = self.early.partition(mark)
        return head + mark

    def exactly(self, n):
        while len(self.early) < n:
            self._more()
        got, self.early = self.early[:n], self.early[n:]
        return got

    def _more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise EOFError
        self.early += piece


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


class Recorder:
    """Runs in threads of this process, at 127.0.0.1:port, [::1]:port6 (None: there is no IPv6) and
    the Unix socket `path`."""

    def __init__(self, answer, certs, path):
        self.answer, self.path = answer, str(path)
        self.asked, self.lock, self.connections = [], threading.Lock(), 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certs.cert, certs.key)
        self.tls.load_verify_locations(certs.ca)
        self.tls.verify_mode = ssl.CERT_OPTIONAL
        self.tls.set_alpn_protocols(["http/1.1"])
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.path)
        unix.listen()
        self.listeners = [socket.create_server(("127.0.0.1", 0), backlog=128), unix]
        self.port, self.port6 = self.listeners[0].getsockname()[1], None
        with contextlib.suppress(OSError):
            self.listeners.append(socket.create_server(("::1", 0), family=socket.AF_INET6))
            self.port6 = self.listeners[-1].getsockname()[1]
        self.threads = [threading.Thread(target=self._listen, args=(s,), daemon=True)
                        for s in self.listeners]
        for thread in self.threads:
            thread.start()

    def forget(self):
        """Makes a new start; connections that are still open are no part of it."""
        with self.lock:
            self.asked = []

    def close(self):
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _listen(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    # --- one connection ---

    def _serve(self, sock, number):
        with contextlib.suppress(OSError, EOFError, ValueError), contextlib.ExitStack() as stack:
            stack.callback(lambda: sock.close())
            sock.settimeout(30)
            way, last = "", True
            while last:  # each layer inside the one before
                first = sock.recv(1, socket.MSG_PEEK) if not isinstance(sock, ssl.SSLSocket) else b""
                if first == b"\x16":
                    sock = self.tls.wrap_socket(sock, server_side=True)
                    subject = (sock.getpeercert() or {}).get("subject", ((("", "-"),),))
                    way += f"tls({subject[0][0][1]}) "
                elif first in (b"\x04", b"\x05"):
                    way += self._socks(Connection(sock), first)
                else:
                    way, last = self._http(Connection(sock), way, number)

    def _http(self, conn, way, number):
        """Requests, up to a CONNECT or to the end: the way, and whether another layer follows."""
        while True:
            request = Request(conn.until(b"\r\n\r\n"), way, number)
            if request.method != "CONNECT":
                self._body(conn, request)
            with self.lock:
                self.asked.append(request)
            refused = self._as_proxy(request)
            if refused is not None:
                conn.sock.sendall(refused)
                if request.method == "CONNECT" and refused.startswith(b"HTTP/1.1 200"):
                    return way + f"connect({request.target}) ", True
                continue
            if not self._send(conn.sock, request):
                return way, False

    @staticmethod
    def _as_proxy(request):
        """What a proxy says by itself; None: the request is answered as a server does."""
        if request.method != "CONNECT" and request.target.startswith(("/", "*")):
            return None
        if REFUSED in request.target:
            return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n"
        if CLOSED_DOOR in request.target and request.get("Proxy-Authorization") != basic(
                "user:secret"):
            return (b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"door\"\r\n"
                    b"Content-Length: 4\r\n\r\nwho\n")
        return b"HTTP/1.1 200 Go ahead\r\n\r\n" if request.method == "CONNECT" else None

    @staticmethod
    def _body(conn, request):
        if request.get("Expect", "").lower() == "100-continue" and "/no-100" not in request.target:
            if "/417" in request.target:
                return
            conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.get("Transfer-Encoding") == "chunked":
            size = 1
            while size:
                size = int(conn.until(b"\r\n").split(b";")[0], 16)
                request.body += conn.exactly(size)
                conn.until(b"\r\n")
        else:
            request.body = conn.exactly(int(request.get("Content-Length", "0")))

    def _send(self, sock, request):
        """Whether the connection goes on."""
        for piece in self.answer(request):
            if isinstance(piece, bytes):
                sock.sendall(piece)
            elif piece == RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            elif piece == CLOSE:
                if isinstance(sock, ssl.SSLSocket):
                    sock.unwrap()
                return False
            else:
                time.sleep(piece)
        return request.keeps

    @staticmethod
    def _socks(conn, version):
        """What was asked for, in words."""
        if version == b"\x04":
            _, _, port, address = struct.unpack(">BBH4s", conn.exactly(8))
            user = conn.until(b"\0")[:-1].decode()
            host = socket.inet_ntoa(address)
            if address[:3] == bytes(3) and address[3]:
                host = conn.until(b"\0")[:-1].decode()
            conn.sock.sendall(b"\0" + bytes([91 if host == REFUSED else 90]) + bytes(6))
            return f"socks4({host}:{port} {user}) "
        methods = conn.exactly(conn.exactly(2)[1])
        login = ""
        if b"\x02" in methods:
            conn.sock.sendall(b"\x05\x02")
            user = conn.exactly(conn.exactly(2)[1]).decode()
            login = f" {user}:{conn.exactly(conn.exactly(1)[0]).decode()}"
            conn.sock.sendall(b"\x01\x00")
        else:
            conn.sock.sendall(b"\x05\x00")
        _, command, _, kind = conn.exactly(4)
        if kind == 3:
            host = conn.exactly(conn.exactly(1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, conn.exactly(size))
        port = int.from_bytes(conn.exactly(2), "big")
        conn.sock.sendall(bytes([5, 5 if host == REFUSED else 0, 0, 1]) + bytes(6))
        return f"socks5({command} {'name ' if kind == 3 else ''}{host}:{port}{login}) "
