"""A server that plays a part, byte for byte, for tests of `hail check`.

A part is a list of: bytes to be sent; READ (a line, or a piece, of the client's); a number of seconds
to wait; DRIP(bytes) one byte at a time; FLOOD(bytes) again and again until the client goes; TLS (the
handshake by the context given); HANG (until the client goes); RESET. At its end the connection is
closed. Each connection begins anew; `heard` has what the clients said."""

import contextlib
import itertools
import socket
import struct
import threading
import time

READ, HANG, RESET, TLS = "read", "hang", "reset", "tls"


class DRIP(bytes):
    pass


class FLOOD(bytes):
    pass


class Actor:
    def __init__(self, part, context=None, family=socket.AF_INET):
        self.part, self.context, self.heard, self.family = part, context, [], family
        self.listener = socket.create_server(
            ("127.0.0.1" if family == socket.AF_INET else "::1", 0), family=family, backlog=64)
        self.port = self.listener.getsockname()[1]
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(30)
            thread = threading.Thread(target=self.play, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def play(self, connection):
        heard = bytearray()
        self.heard.append(heard)
        with contextlib.suppress(OSError, ValueError):
            for move in self.part:
                connection = self.move(connection, move, heard)
                if connection is None:
                    return
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            while piece := connection.recv(65536):
                heard += piece
        connection.close()

    def move(self, connection, move, heard):
        if move == READ:
            heard += connection.recv(65536)
        elif move == HANG:
            while piece := connection.recv(65536):
                heard += piece
        elif move == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            return None
        elif move == TLS:
            connection = self.context.wrap_socket(connection, server_side=True)
        elif isinstance(move, DRIP):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in move:
                connection.sendall(bytes([byte]))
                time.sleep(0.002)
        elif isinstance(move, FLOOD):
            for _ in itertools.repeat(None, 1 << 20):
                connection.sendall(bytes(move))
        elif isinstance(move, bytes):
            connection.sendall(move)
        else:
            self.ended.wait(move)
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=35)
