"""hail get: a gigabyte through a line that breaks fifty times, on a machine's scale of memory."""

import hashlib
import json
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

SIZE = 1 << 30
CUTS = 50


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    """With room for two gigabytes: in memory if there is, else where tests have their files."""
    for base in (pathlib.Path("/dev/shm"), tmp_path):
        room = os.statvfs(base)
        if room.f_bavail * room.f_frsize > 3 * SIZE:
            folder = base / f"hail-large-{os.getpid()}"
            folder.mkdir()
            try:
                yield folder
            finally:
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()
            return
    pytest.skip("no room for two gigabytes")


class BreakingServer:
    """Serves a file with ranges, and cuts the connection whenever so many bytes in all were sent."""

    def __init__(self, file, seed):
        self.file, self.sent, self.cuts_done = file, 0, 0
        self.random = random.Random(seed)
        self.cuts = sorted(self.random.sample(range(1, SIZE), CUTS))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/large" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.serve(self.listener.accept()[0])
        except OSError:
            pass

    def serve(self, conn):
        with conn, open(self.file, "rb") as f:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = conn.recv(65536)
                if not piece:
                    return
                request += piece
            found = re.search(rb"Range: bytes=(\d+)-", request)
            at = int(found.group(1)) if found else 0
            head = b'ETag: "one"\r\nContent-Length: %d\r\n\r\n' % (SIZE - at)
            if found:
                head = (b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n"
                        % (at, SIZE - 1, SIZE)) + head
            else:
                head = b"HTTP/1.1 200 OK\r\n" + head
            conn.sendall(head)
            while at < SIZE:
                most = min(SIZE - at, 1 << 20)
                if self.cuts:
                    most = min(most, self.cuts[0] - self.sent)
                n = os.sendfile(conn.fileno(), f.fileno(), at, most) if most > 0 else 0
                at += n
                self.sent += n
                if self.cuts and self.sent >= self.cuts[0]:
                    self.cuts.pop(0)
                    self.cuts_done += 1
                    if self.random.random() < 0.5: # by RST, which loses what is under way
                        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return


@pytest.mark.peers
def test_a_gigabyte_through_a_line_that_breaks_fifty_times(hail, folder):
    block, sha = os.urandom(1 << 22), hashlib.sha256()
    with open(folder / "large", "wb") as f:
        for i in range(SIZE >> 22):
            piece = struct.pack("<Q", i) + block[8:]
            f.write(piece)
            sha.update(piece)
    server = BreakingServer(folder / "large", 6)
    peak = 0
    try:
        with subprocess.Popen([hail, "get", "--json", "--checksum", "sha256:" + sha.hexdigest(), "-o",
                               folder / "got", server.url], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            while child.poll() is None:
                found = re.search(r"VmHWM:\s+(\d+)",
                                  pathlib.Path(f"/proc/{child.pid}/status").read_text())
                peak = max(peak, int(found.group(1)) if found else 0)
                time.sleep(0.02)
            document, errors = child.communicate(timeout=60)
    finally:
        server.listener.close()
    assert child.returncode == 0, errors
    received = sum(hop["content"]["bytes"] for hop in json.loads(document)["exchanges"])
    assert server.cuts_done == CUTS and SIZE <= received <= 1.02 * SIZE
    assert sorted(os.listdir(folder)) == ["got", "large"]
    assert subprocess.run(["cmp", folder / "got", folder / "large"], check=False).returncode == 0
    assert "asan" in hail or peak <= 8 * 1024 # KiB
