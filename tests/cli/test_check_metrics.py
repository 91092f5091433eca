"""hail check --metrics: a fleet that a real Prometheus scrapes, the alerts of the examples, /probe by
its relabelling, and what is told while targets come and go."""

import contextlib
import http.server
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import prometheus_peer
import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "prometheus"


class Handler(http.server.BaseHTTPRequestHandler):
    """Well, whatever is asked for; /bad is not."""

    def do_GET(self):
        bad = self.path == "/bad"
        self.send_response(500 if bad else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"hello")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that refuses the certificate is what is tested."""


@contextlib.contextmanager
def web(cert=None):
    """The port of a server on loopback; `cert`: (certificate, key)."""
    server = Server(("127.0.0.1", 0), Handler)
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Fleet:
    """A running `hail check --metrics`; ended by `with`."""

    def __init__(self, hail, targets, *args):
        self.child = subprocess.Popen([hail, "check", "--metrics", "127.0.0.1:0", "--file",
                                       str(targets), *map(str, args)], text=True,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        said = ""
        while not (found := re.search(r"http://(127\.0\.0\.1:\d+)/metrics", said)):
            line = self.child.stderr.readline()
            assert line, said
            said += line
        self.at, self.said = found[1], said

    def get(self, path, accept="text/plain"):
        request = urllib.request.Request(f"http://{self.at}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def status(self, path):
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        return 200

    def series(self, path="/metrics"):
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in
                                         self.get(path).splitlines() if line[0] != "#")}

    def wait_for(self, look, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := look(self.series()):
                return found
            time.sleep(0.1)
        raise AssertionError(self.get("/metrics"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()


def checked(targets):
    """All `targets` were."""
    return lambda series: (sum(k.startswith("probe_success{") for k in series) >= targets and series)


def one(series, name, **labels):
    found = [v for k, v in series.items() if re.match(rf"{name}[{{ ]|{name}$", k) and
             all(f'{n}="{text}"' in k for n, text in labels.items())]
    assert len(found) == 1, (name, labels, series)
    return found[0]


@pytest.fixture(name="fleet_file")
def fixture_fleet_file(tmp_path, certs, free_port):
    """A targets file of five targets, of which one is down and one says no."""
    path = tmp_path / "targets"
    with web() as plain, web((certs.cert, certs.key)) as secure:
        down = free_port()
        path.write_text(f"""
module web timeout=5s
default every=1s
http://127.0.0.1:{plain}/ module=web label.team=a name="the shop"
http://127.0.0.1:{plain}/bad module=web
http://127.0.0.1:{plain}/?x expect-body=goodbye
https://127.0.0.1:{secure}/ cacert={certs.ca}
http://127.0.0.1:{down}/
allow http://127.0.0.1:{plain}/other* module=web
""")
        yield path, plain, secure, down


def test_what_is_told(hail, fleet_file):
    path, plain, secure, down = fleet_file
    with Fleet(hail, path) as f:
        s = f.wait_for(checked(5))
        shop = f"http://127.0.0.1:{plain}/"
        assert one(s, "probe_success", target=shop, module="web", team="a") == 1
        assert one(s, "probe_http_status_code", target=shop) == 200
        assert one(s, "probe_http_ssl", target=shop) == 0
        assert one(s, "probe_ip_protocol", target=shop) == 4
        assert one(s, "probe_success", target=shop + "bad") == 0
        assert one(s, "probe_http_status_code", target=shop + "bad") == 500
        assert one(s, "probe_success", target=shop + "?x") == 0
        assert one(s, "probe_failed_due_to_regex", target=shop + "?x") == 1
        safe = f"https://127.0.0.1:{secure}/"
        assert one(s, "probe_success", target=safe) == 1
        assert one(s, "probe_http_ssl", target=safe) == 1
        assert 0 < one(s, "probe_ssl_earliest_cert_expiry", target=safe) - time.time() < 86400 + 60
        assert one(s, "probe_tls_version_info", target=safe, version="TLS 1.3") == 1
        gone = f"http://127.0.0.1:{down}/"
        assert one(s, "probe_success", target=gone) == 0
        assert one(s, "hail_check_verdict", target=gone) == 4
        assert one(s, "hail_check_targets") == 5
        opened = f.get("/metrics", "application/openmetrics-text")
        assert opened.endswith("# EOF\n") and "# TYPE probe_tls_version info\n" in opened
        f.child.send_signal(signal.SIGTERM)
        assert f.child.wait(timeout=30) == 0


def test_probe_checks_what_is_allowed(hail, fleet_file):
    path, plain, _, down = fleet_file

    def probe(target, module="web"):
        return "/probe?" + urllib.parse.urlencode({"target": target, "module": module})
    with Fleet(hail, path) as f:
        s = f.series(probe(f"http://127.0.0.1:{plain}/other?a=b&c"))
        assert s["probe_success"] == 1 and s["probe_http_status_code"] == 200
        assert f.status(probe(f"http://127.0.0.1:{down}/x")) == 403
        assert f.status(probe(f"http://127.0.0.1:{plain}/other", "none")) == 400
        assert f.status("/probe?module=web") == 400
        assert f.status("/probe") == 400
        assert f.status("/other") == 404


def test_dashboard_and_rules_ask_for_what_there_is(hail, fleet_file):
    asked = set(re.findall(r"\bprobe_\w+", "".join(
        (EXAMPLES / name).read_text() for name in ("dashboard.json", "hail.rules.yml"))))
    with Fleet(hail, fleet_file[0]) as f:
        told = {re.match(r"\w+", k)[0] for k in f.wait_for(checked(5))}
    assert "probe_success" in asked and asked <= told


def test_probes_that_nobody_waits_for(hail, tmp_path):
    """Clients that go away while a service says nothing; and the end under way (under asan, this
    looks for leaks)."""
    path = tmp_path / "targets"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        path.write_text(f"{at} every=60s\n")
        request = f"GET /probe?target={at} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        with Fleet(hail, path, "--greeting", "30s", "--timeout", "40s") as f:
            host, port = f.at.split(":")
            clients = [socket.create_connection((host, int(port)), timeout=30) for _ in range(6)]
            for i, s in enumerate(clients):
                s.sendall(request * (1 + i % 2))
            for s in clients[:3]:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            assert f.series()["hail_check_targets"] == 1
            f.child.send_signal(signal.SIGTERM)
            assert f.child.wait(timeout=30) == 0
            for s in clients[3:]:
                s.close()


def test_a_new_file_by_hangup(hail, fleet_file):
    path, plain, _, _ = fleet_file
    with Fleet(hail, path) as f:
        f.wait_for(checked(5))
        path.write_text(f"http://127.0.0.1:{plain}/ every=1s\nhttp://127.0.0.1:{plain}/new\n"
                        "this is no target\n")
        f.child.send_signal(signal.SIGHUP)
        s = f.wait_for(lambda s: s["hail_check_targets"] == 2 and checked(2)(s))
        assert one(s, "probe_success", target=f"http://127.0.0.1:{plain}/new") == 1
        assert s["hail_check_config_reload_success"] == 0  # a line was not understood


def test_scraped_while_it_reloads(hail, fleet_file):
    path, _, _, _ = fleet_file
    with Fleet(hail, path) as f:
        for _ in range(30):
            f.child.send_signal(signal.SIGHUP)
            assert f.series()["hail_check_targets"] == 5


@pytest.mark.peers
@prometheus_peer.installed
def test_promtool_finds_nothing(hail, fleet_file):
    path, plain, _, _ = fleet_file
    with Fleet(hail, path) as f:
        f.wait_for(checked(5))
        text = f.get("/metrics")
        probe = f.get(f"/probe?module=web&target=http://127.0.0.1:{plain}/")
    assert prometheus_peer.promtool("check", "metrics", text=text.encode()) == (0, "")
    assert prometheus_peer.promtool("check", "metrics", text=probe.encode()) == (0, "")


@pytest.mark.peers
@prometheus_peer.installed
def test_prometheus_fires_the_alerts(hail, tmp_path, certs, free_port):
    soon = certs.leaf("soon", days=5)
    late = certs.leaf("late", days=200)
    over = certs.leaf("over", days=-1)
    # the rules of the examples, but for the minutes of patience
    rules = tmp_path / "rules.yml"
    rules.write_text(re.sub(r"for: \d+m", "for: 1s", (EXAMPLES / "hail.rules.yml").read_text()))
    targets = tmp_path / "targets"
    with web(soon) as a, web(late) as b, web(over) as c, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        down = taken.getsockname()[1]
        targets.write_text(f"default every=1s cacert={certs.ca}\nmodule web timeout=5s\n" + "".join(
            f"https://127.0.0.1:{port}/\n" for port in (a, b, c)) + f"tcp:127.0.0.1:{down}\n")
        with Fleet(hail, targets) as f:
            fleet = {"job_name": "hail-check", "static_configs": [{"targets": [f.at]}]}
            probe = {"job_name": "hail-probe", "metrics_path": "/probe",
                     "static_configs": [{"targets": [f"https://127.0.0.1:{b}/"]}],
                     "relabel_configs": [
                         {"source_labels": ["__address__"], "target_label": "__param_target"},
                         {"source_labels": ["__param_target"], "target_label": "instance"},
                         {"target_label": "__address__", "replacement": f.at}]}
            with prometheus_peer.Prometheus(tmp_path, free_port(), [fleet, probe], rules) as p:
                def fires(alert, port):
                    return p.wait_for(lambda p: [labels for name, labels in p.alerts()
                                                 if name == alert and f":{port}" in labels["target"]])
                assert fires("HailCertificateExpiresSoon", a)[0]["job"] == "hail-check"
                assert fires("HailCertificateExpired", c)
                assert fires("HailCheckFailed", c)
                assert fires("HailCheckFailed", down)
                assert not [n for n, labels in p.alerts()
                            if n == "HailExporterGone" or f":{b}/" in labels.get("target", "")]
                rows = p.wait_for_series('probe_success{job="hail-probe"}')
                assert rows[0][0]["instance"] == f"https://127.0.0.1:{b}/" and rows[0][1] == 1
                assert {row["__name__"] for row, _ in p.query('{job="hail-check"}')} >= {
                    "probe_success", "probe_duration_seconds", "probe_http_status_code",
                    "probe_ssl_earliest_cert_expiry", "probe_tls_version_info"}
