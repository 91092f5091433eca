"""hail netstat --metrics: the HTTP of the exporter by raw sockets, what is counted of the sockets of
a namespace, promtool and a real Prometheus; and the examples for Prometheus."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import prometheus_peer
import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "prometheus"
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
OPEN = b"Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n"


class Exporter:
    """A running `hail netstat --metrics`; ended by `with`."""

    def __init__(self, hail, *args, at="127.0.0.1:0"):
        self.child = subprocess.Popen([hail, "netstat", "--metrics", at, *map(str, args)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        self.said = self.child.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", self.said)
        self.port = int(found[1]) if found else None

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return s

    def ask(self, data):
        """All that comes until the end, for requests of which the last one ends the connection."""
        with self.connect() as s:
            s.sendall(data)
            return read_all(s)

    def scrape(self, accept=b""):
        answer = self.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + accept +
                          b"\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n"), answer
        return head, body

    def series(self):
        body = self.scrape()[1].decode()
        return dict(line.rsplit(" ", 1) for line in body.splitlines() if line[0] != "#")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def end(self, sig=signal.SIGTERM):
        self.child.send_signal(sig)
        return self.child.wait(timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()


def read_all(s):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := s.recv(65536):
            data += piece
    return data


def read_answer(s, rest=b"", content=True):
    """(head, content, what came behind)"""
    while b"\r\n\r\n" not in rest:
        piece = s.recv(65536)
        assert piece, rest
        rest += piece
    head, _, rest = rest.partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1]) if content else 0
    while len(rest) < length:
        piece = s.recv(65536)
        assert piece, rest
        rest += piece
    return head, rest[:length], rest[length:]


@pytest.fixture(name="exporter")
def fixture_exporter(hail):
    # few sockets, whatever else this machine does
    with Exporter(hail, "-t", "-l", "sport", "=", ":1") as e:
        assert e.port, e.said + e.child.stderr.read()
        yield e


# --- HTTP ---


def test_keep_alive_and_pipelined(exporter):
    with exporter.connect() as s:
        s.sendall(REQUEST)
        head, body, rest = read_answer(s)
        assert b"hail_netstat_build_info" in body and rest == b""
        s.sendall(REQUEST + REQUEST.replace(b"metrics", b"no") + REQUEST[:10])
        head, body, rest = read_answer(s, rest)
        assert head.startswith(b"HTTP/1.1 200 ")
        head, body, rest = read_answer(s, rest)
        assert head.startswith(b"HTTP/1.1 404 ") and body == b"Not Found\n"
        s.sendall(REQUEST[10:].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        head, body, rest = read_answer(s, rest)
        assert head.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in head
        assert rest == b"" and s.recv(1) == b""


def test_head_says_the_length_alone(exporter):
    with exporter.connect() as s:
        s.sendall(REQUEST.replace(b"GET", b"HEAD") + REQUEST)
        head, _, rest = read_answer(s, content=False)
        assert int(re.search(rb"Content-Length: (\d+)", head)[1]) > 100
        assert rest == b"" or rest.startswith(b"HTTP/1.1 200 ")
        assert read_answer(s, rest)[0].startswith(b"HTTP/1.1 200 ")


def test_http_1_0(exporter):
    answer = exporter.ask(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and b"hail_netstat_build_info" in answer


@pytest.mark.parametrize("request_bytes, status", [
    (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
    (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
    (b"BREW /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
    (b"GET /metrics/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
    (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
    (b"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    (b"GET /metrics?a=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    (b"GET /metrics?a=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    (b"GET /metrics HTTP/1.1\nHost: x\n\n", 400),
    (b"GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
    (b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
    (b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + (b"X: " + b"a" * 5000 + b"\r\n") * 4 + b"\r\n", 431),
    (b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200),
])
def test_status(exporter, request_bytes, status):
    answer = exporter.ask(request_bytes)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"Connection: close" in answer
    assert (b"Allow: GET, HEAD" in answer) == (status == 405)
    exporter.scrape()


def test_a_slow_head_holds_nobody(exporter):
    with exporter.connect() as slow:
        for i in range(len(REQUEST)):
            slow.sendall(REQUEST[i:i + 1])
            if i % 10 == 0:
                exporter.scrape()
        assert read_answer(slow)[0].startswith(b"HTTP/1.1 200 ")


def test_one_that_does_not_read_holds_nobody(exporter):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        s.connect(("127.0.0.1", exporter.port))
        s.settimeout(1)
        asked = 0
        with contextlib.suppress(TimeoutError):
            while asked < 64 << 20:  # until both sides' buffers are full
                asked += s.send(REQUEST * 100)
        assert asked < 64 << 20
        exporter.scrape()
        s.settimeout(30)
        rest = b""
        for _ in range(3):  # and goes on as soon as it does
            head, _, rest = read_answer(s, rest)
            assert head.startswith(b"HTTP/1.1 200 ")
    exporter.scrape()


def test_more_connections_than_there_is_room_for(exporter):
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(exporter.connect()) for _ in range(300)]
        for _ in range(3):
            exporter.scrape()
        # those that idled longest made room
        assert idle[0].recv(1) == b""
        assert exporter.descriptors() < 300
        idle[-1].sendall(REQUEST)
        assert read_answer(idle[-1])[0].startswith(b"HTTP/1.1 200 ")


def test_clients_that_go_away(exporter):
    exporter.scrape()
    before = exporter.descriptors()
    for i in range(60):
        with exporter.connect() as s:
            s.sendall(REQUEST[:len(REQUEST) // 2] if i % 3 == 0 else REQUEST * (i % 3))
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until = time.monotonic() + 30
    while exporter.descriptors() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert exporter.descriptors() <= before
    exporter.scrape()


def test_the_format_is_the_clients_choice(exporter):
    head, body = exporter.scrape()
    assert b"Content-Type: text/plain; version=0.0.4" in head and b"# EOF" not in body
    head, body = exporter.scrape(OPEN)
    assert b"Content-Type: application/openmetrics-text; version=1.0.0" in head
    assert body.endswith(b"# EOF\n") and b"# TYPE hail_netstat_build info\n" in body


# --- the command ---


def test_it_ends_by_signals(hail):
    with Exporter(hail) as e:
        assert e.end() == 0
    with Exporter(hail) as e:
        assert e.end(signal.SIGINT) == -signal.SIGINT
    with Exporter(hail, "--timeout", "0.2") as e:
        assert e.child.wait(timeout=30) == 0


def test_unix_socket(hail, tmp_path):
    path = tmp_path / "metrics"
    with Exporter(hail, at=f"unix:{path}") as e:
        assert str(path) in e.said
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(path))
            s.sendall(REQUEST)
            body = read_answer(s)[1].decode()
        assert f'address="{path}",port="",process="hail"' in body
        assert e.end() == 0
    assert not path.exists()


@pytest.mark.parametrize("at, status", [("udp:127.0.0.1:0", 2), ("tls:127.0.0.1:0", 2),
                                        ("127.0.0.1:x", 2)])
def test_endpoints_that_cannot_be(hail, at, status):
    done = subprocess.run([hail, "netstat", "--metrics", at], capture_output=True, timeout=30)
    assert done.returncode == status and done.stderr and not done.stdout


def test_a_port_that_is_taken(hail, exporter):
    at = f"127.0.0.1:{exporter.port}"
    done = subprocess.run([hail, "netstat", "--metrics", at], capture_output=True, timeout=30)
    assert done.returncode == 4 and b"in use" in done.stderr


# --- what is counted ---

BED = r"""
import os, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
keep = []
listener = socket.create_server(("127.0.0.1", 8080), backlog=7)
for _ in range(3):
    keep.append(socket.create_connection(("127.0.0.1", 8080)))
one = listener.accept()[0]
one.sendall(b"x" * 100)
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.bind(("::1", 5353))
children = []
for i in range(int(sys.argv[1])):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        with open("/proc/self/comm", "w") as f:
            f.write(f"name-{i}")
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        os.write(w, b"x")
        sys.stdin.read()
        os._exit(0)
    os.read(r, 1)
    os.close(r)
    os.close(w)
    children.append(pid)
print("ready", flush=True)
sys.stdin.read()
for pid in children:
    os.waitpid(pid, 0)
"""


@contextlib.contextmanager
def bed(children=0):
    """The process id of a namespace with sockets in it."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("namespaces take root")
    child = subprocess.Popen(["unshare", "-n", "/usr/bin/python3", "-c", BED, str(children)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        yield child.pid
    finally:
        child.stdin.close()
        child.wait(timeout=30)
        child.stdout.close()


def test_sockets_of_a_namespace(hail):
    with bed() as pid, Exporter(hail, "--netns", pid) as e:
        series = e.series()
        older, opened = e.scrape()[1], e.scrape(OPEN)[1]

    def value(name, **labels):
        return [int(v) for k, v in series.items() if k.startswith(f"hail_netstat_{name}{{") and
                all(f'{n}="{text}"' in k for n, text in labels.items())]
    assert value("sockets", protocol="tcp", family="inet", state="established") == [6]
    assert value("sockets", protocol="tcp", family="inet", state="listen") == [1]
    assert value("sockets", protocol="tcp", family="inet6", state="close_wait") == [0]
    assert value("sockets", protocol="udp", family="inet6", state="unconnected") == [1]
    assert value("listeners", address="127.0.0.1", port="8080", process="python3") == [1]
    assert value("listener_queue", address="127.0.0.1", port="8080") == [2]
    assert value("listener_queue_limit", address="127.0.0.1", port="8080") == [7]
    assert value("receive_queue_bytes", protocol="tcp") == [100]
    assert int(series["hail_netstat_tcp_passive_opens_total"]) == 3  # the namespace's own
    assert int(series["hail_netstat_tcp_listen_overflows_total"]) == 0
    assert value("names_left_out", of="process") == [0]
    names = re.compile(rb"^(hail_netstat_\w+)", re.M)
    assert set(names.findall(older)) == set(names.findall(opened))


def test_options_and_filters_choose(hail):
    with bed() as pid:
        with Exporter(hail, "--netns", pid, "-u") as e:
            udp = e.series()
        with Exporter(hail, "--netns", pid, "-t", "-4", "sport", "=", ":8080", "and", "state",
                      "established") as e:
            some = e.series()
    assert not [k for k in udp if 'protocol="tcp"' in k or "_tcp_" in k]
    assert [k for k in udp if 'protocol="udp"' in k]
    assert [(k, v) for k, v in some.items() if "netstat_sockets" in k] == [
        ('hail_netstat_sockets{protocol="tcp",family="inet",state="established"}', "3")]
    assert not [k for k in some if "_udp_" in k]


def test_names_are_bounded(hail):
    with bed(children=130) as pid, Exporter(hail, "--netns", pid, "-u") as e:
        series = e.series()
    by = {k: int(v) for k, v in series.items() if "process_sockets" in k}
    assert len(by) == 101
    assert by['hail_netstat_process_sockets{process="other"}'] == 131 - 100
    assert sum(by.values()) == 131
    assert series['hail_netstat_names_left_out{of="process"}'] == "31"


# --- Prometheus ---


@pytest.mark.peers
@prometheus_peer.installed
@pytest.mark.parametrize("accept", [b"", OPEN], ids=["0.0.4", "openmetrics"])
def test_promtool_finds_nothing(hail, accept):
    with bed() as pid, Exporter(hail, "--netns", pid) as e:
        text = e.scrape(accept)[1]
    if accept:  # promtool reads the older format alone; Prometheus itself reads both, below
        assert text.count(b"# EOF\n") == 1 and text.endswith(b"\n# EOF\n")
        return
    assert prometheus_peer.promtool("check", "metrics", text=text) == (0, "")


@pytest.mark.peers
@prometheus_peer.installed
def test_prometheus_scrapes(hail, tmp_path, free_port):
    with bed() as pid, Exporter(hail, "--netns", pid) as e:
        with prometheus_peer.Prometheus(tmp_path, free_port(), [f"127.0.0.1:{e.port}"],
                                        EXAMPLES / "hail.rules.yml") as p:
            rows = p.wait_for_series('hail_netstat_listener_queue{port="8080"}')
            assert [(r["address"], r["process"], v) for r, v in rows] == [
                ("127.0.0.1", "python3", 2)]
            assert p.query("up")[0][1] == 1
            assert p.query("hail_netstat_tcp_passive_opens_total")[0][1] == 3
            kinds = {k: v[0]["type"] for k, v in p.get("metadata").items()}
            assert kinds["hail_netstat_sockets"] == "gauge"
            assert not p.alerts()


@pytest.mark.peers
@prometheus_peer.installed
def test_the_examples_for_prometheus():
    for args in (["check", "config", EXAMPLES / "prometheus.yml"],
                 ["check", "rules", EXAMPLES / "hail.rules.yml"],
                 ["test", "rules", EXAMPLES / "hail.rules.test.yml"]):
        status, text = prometheus_peer.promtool(*args)
        assert status == 0, text


def metrics_of(expressions):
    return {name for e in expressions for name in re.findall(r"\b(?:hail|probe)_\w+", e)}


@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_dashboard_and_rules_ask_for_what_there_is(hail):
    dashboard = json.loads((EXAMPLES / "dashboard.json").read_text())
    asked = metrics_of(t["expr"] for p in dashboard["panels"] for t in p.get("targets", []))
    asked |= metrics_of([re.sub(r"(?m)^ *#.*", "", (EXAMPLES / "hail.rules.yml").read_text())])
    with bed() as pid, Exporter(hail, "--netns", pid) as e:
        told = set(re.findall(r"hail_netstat_\w+", "\n".join(e.series())))
    assert {name for name in asked if name.startswith("hail_netstat_")} <= told
    ids = [p["id"] for p in dashboard["panels"]]
    assert len(ids) == len(set(ids))
