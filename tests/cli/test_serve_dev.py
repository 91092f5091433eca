"""hail serve --dev: events when files change, the script in pages and only there, nothing cached;
--cors; --open."""

import os
import socket
import subprocess
import time

import pytest
import serving


class Site(serving.Server):
    """A running server; fetch() is curl."""

    def __init__(self, hail, *args, **popen):
        super().__init__(hail, "-q", *args, **popen)

    def fetch(self, target="", *args):
        """Status, fields, content."""
        done = subprocess.run(["curl", "-sS", "-i", *args, self.url + target], check=True,
                              capture_output=True, timeout=60).stdout
        head, _, body = done.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), body

    def listen(self):
        """A connection for events, after its hello."""
        s = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        s.sendall(b"GET /.hail/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        got = b""
        while b"retry: 500\n\n" not in got:
            got += s.recv(4096)
        assert b"Content-Type: text/event-stream" in got and b"no-store" in got
        return s


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "site"
    (root / "sub").mkdir(parents=True)
    (root / "index.html").write_text("<html><body><p>one</BODY></html>")
    (root / "part.html").write_text("<p>no end")
    (root / "style.css").write_text("p{color:red}")
    (root / "app.3f2a9c1b.js").write_text("1")
    return root


TAG = b'<script src="/.hail/reload.js"></script>\n'


def test_pages_have_the_script_and_nothing_else_has(hail, site):
    (site / "index.html.gz").write_bytes(b"stale")
    with Site(hail, "--dev", site) as server:
        assert server.fetch()[2] == b"<html><body><p>one" + TAG + b"</BODY></html>"
        assert server.fetch("part.html")[2] == b"<p>no end" + TAG
        assert server.fetch("", "-r", "0-5")[2] == b"<html>"
        assert server.fetch("", "--compressed")[2].count(TAG) == 1
        assert server.fetch("style.css")[2] == b"p{color:red}"
        code, fields, script = server.fetch(".hail/reload.js")
        assert code == 200 and fields["Content-Type"].startswith("text/javascript")
        assert b"EventSource('/.hail/events')" in script
        assert TAG in server.fetch("nothing", "-H", "Accept: text/html")[2]
        assert b'src="/.hail/reload.js"' in server.fetch("sub/")[2]
        for name in ("", "style.css", "app.3f2a9c1b.js", ".hail/reload.js"):
            assert server.fetch(name)[1]["Cache-Control"] == "no-store"
    with Site(hail, site) as server:
        assert TAG not in server.fetch()[2] and server.fetch(".hail/reload.js")[0] == 404


@pytest.mark.parametrize("change, event", [
    (lambda root: (root / "index.html").write_text("two"), b"page"),
    (lambda root: (root / "style.css").write_text("p{}"), b"style"),
    (lambda root: (root / "new.txt").write_text("x"), b"page"),
    (lambda root: (root / "part.html").unlink(), b"page"),
    (lambda root: (root / "style.css").rename(root / "other.css"), b"page"),
    (lambda root: (root / "sub" / "deep.html").write_text("x"), b"page"),
    (lambda root: os.replace((root / "part.html"), root / "sub" / "part.html"), b"page"),
])
def test_what_happens_is_told(hail, site, change, event):
    with Site(hail, "--dev", site) as server, server.listen() as one, server.listen() as two:
        change(site)
        for s in (one, two):
            got = b""
            while not got.endswith(b"data: \n\n"):
                piece = s.recv(4096)
                assert piece
                got += piece
            assert got == b"event: " + event + b"\ndata: \n\n"


def test_new_folders_are_watched_too(hail, site):
    with Site(hail, "--dev", site) as server, server.listen() as s:
        (site / "a" / "b").mkdir(parents=True)
        assert s.recv(4096) == b"event: page\ndata: \n\n"
        (site / "a" / "b" / "style.css").write_text("x")
        assert s.recv(4096) == b"event: style\ndata: \n\n"


def test_what_editors_leave_is_not_told(hail, site):
    with Site(hail, "--dev", site) as server, server.listen() as s:
        for name in (".index.html.swp", "index.html~", "#index.html#", "4913", ".git"):
            (site / name).write_text("x")
        time.sleep(0.3)
        (site / "style.css").write_text("p{}")
        assert s.recv(4096) == b"event: style\ndata: \n\n"


def test_the_changed_page_is_there_when_it_is_told(hail, site):
    with Site(hail, "--dev", site) as server, server.listen() as s:
        for i in range(10):
            (site / "index.html").write_text(f"<p>{i}")
            assert s.recv(4096)
            assert server.fetch()[2].startswith(f"<p>{i}".encode())


def test_listeners_come_and_go(hail, site):
    with Site(hail, "--dev", site) as server:
        for _ in range(30):
            server.listen().close()
        with server.listen() as s:
            s.sendall(b"more that is of no interest")
            (site / "index.html").write_text("two")
            assert s.recv(4096) == b"event: page\ndata: \n\n"
        listening = server.listen()
        server.child.terminate()
        assert server.child.wait(timeout=30) == -15
        assert listening.recv(100) == b""
        listening.close()


def test_events_answer_head(hail, site):
    with Site(hail, "--dev", site) as server:
        code, fields, body = server.fetch(".hail/events", "-I")
        assert code == 200 and body == b"" and "text/event-stream" in fields["Content-Type"]


# --- CORS ---

def test_any_origin_in_development(hail, site):
    with Site(hail, "--dev", site) as server:
        assert server.fetch()[1]["Access-Control-Allow-Origin"] == "*"
        assert server.fetch("nothing")[1]["Access-Control-Allow-Origin"] == "*"
    with Site(hail, site) as server:
        assert "Access-Control-Allow-Origin" not in server.fetch()[1]


@pytest.mark.parametrize("args", [("--cors=https://example.org",),
                                  ("--dev", "--cors=https://example.org"),
                                  ("--cors=https://example.org", "--dev")])
def test_one_origin_and_the_preflight(hail, site, args):
    with Site(hail, *args, "--header", "X-Mine: yes", site) as server:
        code, fields, _ = server.fetch("style.css")
        assert code == 200 and fields["Access-Control-Allow-Origin"] == "https://example.org"
        assert fields["X-Mine"] == "yes" and "Access-Control-Allow-Methods" not in fields
        code, fields, _ = server.fetch("style.css", "-X", "OPTIONS", "-H",
                                       "Access-Control-Request-Method: GET")
        assert code == 204 and fields["Access-Control-Allow-Origin"] == "https://example.org"
        assert fields["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
        assert fields["Access-Control-Max-Age"] == "600" and fields["X-Mine"] == "yes"


def test_an_origin_that_would_be_another_field(hail, site):
    done = subprocess.run([hail, "serve", "--cors=x\r\nSet-Cookie: a", site], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 2 and "is no origin" in done.stderr


# --- the browser is called ---

def test_the_browser_gets_the_address(hail, site, tmp_path):
    tool = tmp_path / "bin" / "xdg-open"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho \"$1\" > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/url\n")
    tool.chmod(0o755)
    path = f"{tool.parent}:{os.environ['PATH']}"
    with Site(hail, "--open", site, env={**os.environ, "PATH": path}) as server:
        deadline = time.monotonic() + 20
        while not (tmp_path / "url").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert (tmp_path / "url").read_text().strip() == server.url
        assert server.fetch()[0] == 200


def test_no_browser_is_no_harm(hail, site, tmp_path):
    env = {**os.environ, "PATH": str(tmp_path)}
    with serving.Server(hail, "--open", site, env=env) as server:
        assert "xdg-open: no such file" in server.end()[1]
