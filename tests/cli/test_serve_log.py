"""hail serve's log in all its forms, its file and SIGHUP, and the counts at --metrics, which promtool
checks and a real Prometheus scrapes."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import serving


def start(hail, *args):
    return serving.Server(hail, *args, lines=2 if "--metrics" in args else 1)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "index.html").write_text("<p>hello")
    return folder


def ask(url, *lines, method="GET", target="/"):
    at = urllib.parse.urlsplit(url)
    with socket.create_connection((at.hostname, at.port), timeout=30) as s:
        head = "".join(line + "\r\n" for line in (f"{method} {target} HTTP/1.1", "Host: x",
                                                  "Connection: close", *lines))
        s.sendall(head.encode("latin-1") + b"\r\n")
        got = b""
        while piece := s.recv(65536):
            got += piece
    return got


CLF = (r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
       r'"((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)')


def test_the_common_form(hail, root):
    with start(hail, "--threads=1", "--log=common", root) as server:
        ask(server.url)
        ask(server.url, method="HEAD", target="/no")
        lines = server.end()[1].splitlines()
    assert [re.fullmatch(CLF, line).groups() for line in lines] == [
        ("GET / HTTP/1.1", "200", "8"), ("HEAD /no HTTP/1.1", "404", "-")]


def test_the_combined_form_cannot_be_forged(hail, root):
    with start(hail, "--threads=1", "--log=combined", root) as server:
        ask(server.url, 'Referer: a"b\\c', "User-Agent: caf\xe9")
        ask(server.url, target='/"%0a\x1b[31m')
        lines = server.end()[1].splitlines()
    found = [re.fullmatch(CLF + r' "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"', line)
             for line in lines]
    assert all(found) and len(found) == 2
    assert found[0][4] == r'a\"b\\c' and found[0][5] == r"caf\xe9"
    assert "\x1b" not in lines[1]


def test_the_documents(hail, root):
    with start(hail, "--log=json", root) as server:
        ask(server.url, 'Referer: "x"', "User-Agent: test/1")
        out, log = server.end()
    doc = json.loads(log)
    assert out == "" and doc["schema"] == "hail.serve/1" and doc["kind"] == "request"
    assert (doc["method"], doc["target"], doc["status"], doc["bytes"], doc["complete"],
            doc["referer"], doc["user_agent"]) == ("GET", "/", 200, 8, True, '"x"', "test/1")
    assert 0 < doc["seconds"] < 30


def test_the_live_form(hail, root):
    with start(hail, "--log=live", root) as server:
        ask(server.url)
        log = server.end()[1]
    assert re.fullmatch(r"\d\d:\d\d:\d\d  200  GET /  8 B  [\d.]+ ms  127\.0\.0\.1\n", log)


def test_a_terminal_gets_the_live_form_in_colour(hail, root):
    leader, follower = os.openpty()
    process = subprocess.Popen([hail, "serve", "-l", "127.0.0.1:0", root], stdout=follower,
                               stderr=follower, env={**os.environ, "TERM": "xterm"})
    os.close(follower)
    said = b""
    try:
        while b"\n" not in said:
            said += os.read(leader, 4096)
        ask(re.search(rb"http://\S+", said)[0].decode(), target="/no")
        while b" ms" not in said:
            said += os.read(leader, 4096)
    finally:
        process.terminate()
        process.wait()
        os.close(leader)
    assert b"\033[33m404\033[0m  GET /no" in said


@pytest.mark.parametrize("form", ["off", "line", "common", "json"])
def test_a_log_in_a_file_is_opened_anew(hail, root, tmp_path, form):
    log = tmp_path / "log"
    with start(hail, f"--log={form}", "--log-file", log, root) as server:
        ask(server.url)
        deadline = time.monotonic() + 20
        while form != "off" and not log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        log.rename(tmp_path / "log.1")
        server.child.send_signal(signal.SIGHUP)
        while not log.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        ask(server.url)
        assert server.end() == ("", "")
    lines = 0 if form == "off" else 1
    assert len((tmp_path / "log.1").read_text().splitlines()) == lines
    assert len(log.read_text().splitlines()) == lines


def test_a_log_file_that_cannot_be_written_is_an_error(hail, root, tmp_path):
    done = subprocess.run([hail, "serve", "-l", "127.0.0.1:0", "--log-file", tmp_path / "no/log",
                           root], capture_output=True, text=True, timeout=30)
    assert done.returncode == 8 and "no such file" in done.stderr


def test_a_wrong_form_names_those_that_are(hail, root):
    done = subprocess.run([hail, "serve", "--log=nginx", root], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 2 and "combined" in done.stderr and done.stdout == ""


# --- counts ---

OPEN = "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"


def counts(url):
    body = ask(url, OPEN, target="/metrics").partition(b"\r\n\r\n")[2].decode()
    return dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))


def test_what_is_counted(hail, root):
    with start(hail, "-q", "--metrics", "127.0.0.1:0", root) as server:
        idle = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(server.url).port))
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(65536)
        for target in ("/", "/", "/no"):
            ask(server.url, target=target)
        got = counts(server.urls[1])
        idle.close()
    assert got['hail_serve_requests_total{code="200"}'] == "3"
    assert got['hail_serve_requests_total{code="404"}'] == "1"
    assert got["hail_serve_request_duration_seconds_count"] == "4"
    assert got['hail_serve_request_duration_seconds_bucket{le="+Inf"}'] == "4"
    assert float(got["hail_serve_request_duration_seconds_sum"]) > 0
    assert int(got["hail_serve_sent_bytes_total"]) > 24
    assert got['hail_serve_connections{state="idle"}'] == "1"
    assert int(got["hail_serve_connections_accepted_total"]) >= 4
    assert int(got["hail_serve_cache_hits_total"]) + int(got["hail_serve_cache_misses_total"]) >= 3


def test_buckets_grow_and_the_text_ends(hail, root):
    with start(hail, "-q", "--metrics", "127.0.0.1:0", root) as server:
        ask(server.url)
        answer = ask(server.urls[1], OPEN, target="/metrics")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/openmetrics-text; version=1.0.0" in head
    assert body.endswith(b"# EOF\n")
    buckets = [int(n) for n in re.findall(rb"_bucket\{[^}]*\} (\d+)", body)]
    assert len(buckets) == 17 and buckets == sorted(buckets)


def test_files_are_not_where_counts_are(hail, root):
    with start(hail, "-q", "--metrics", "127.0.0.1:0", root) as server:
        assert ask(server.urls[1], target="/index.html").startswith(b"HTTP/1.1 404 ")
        assert ask(server.url, target="/metrics").startswith(b"HTTP/1.1 404 ")
        assert ask(server.urls[1], method="DELETE", target="/metrics").startswith(b"HTTP/1.1 405 ")


@pytest.mark.peers
@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_finds_nothing(hail, root):
    with start(hail, "-q", "--metrics", "127.0.0.1:0", root) as server:
        ask(server.url)
        text = ask(server.urls[1], target="/metrics").partition(b"\r\n\r\n")[2]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.peers
@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed")
def test_prometheus_scrapes_it(hail, root, tmp_path):
    with start(hail, "-q", "--metrics", "127.0.0.1:0", root) as server:
        for _ in range(5):
            ask(server.url)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        at = urllib.parse.urlsplit(server.urls[1]).netloc
        config = tmp_path / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
                          f"- {{job_name: hail, static_configs: [{{targets: ['{at}']}}]}}\n")
        process = subprocess.Popen(["prometheus", f"--config.file={config}",
                                    f"--storage.tsdb.path={tmp_path}/data",
                                    f"--web.listen-address=127.0.0.1:{port}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            value, deadline = None, time.monotonic() + 60
            while value != "5" and time.monotonic() < deadline:
                time.sleep(0.5)
                query = urllib.parse.quote('hail_serve_requests_total{code="200"}')
                with contextlib.suppress(OSError, IndexError):
                    url = f"http://127.0.0.1:{port}/api/v1/query?query={query}"
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        value = json.load(answer)["data"]["result"][0]["value"][1]
            assert value == "5"
        finally:
            process.terminate()
            process.wait()
