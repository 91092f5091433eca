"""hail check --metrics: what it serves, /probe, reading the files anew. (With a real Prometheus:
test_check_metrics.py.)"""

import http.client
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

from check_actor import HANG, READ, TLS, Actor
from check_parts import OK, SMTP

class Fleet:
    """hail check --metrics at a port that the system picks."""

    def __init__(self, hail, directory, text, *options, at="127.0.0.1:0"):
        self.file = directory / "targets"
        self.file.write_text(text)
        self.child = subprocess.Popen([hail, "check", "--metrics", at, "--file", self.file, *options],
                                      stderr=subprocess.PIPE, text=True)
        self.said = []
        line = self.child.stderr.readline()
        while line and "metrics at" not in line:
            self.said.append(line)
            line = self.child.stderr.readline()
        assert "metrics at" in line, self.said
        self.port = int(re.search(r":(\d+)/", line).group(1))
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        for line in self.child.stderr:
            self.said.append(line)

    def get(self, path="/metrics", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, content

    def probe(self, target, module=None):
        query = {"target": target, **({"module": module} if module else {})}
        status, content = self.get("/probe?" + urllib.parse.urlencode(query))
        return status, values(content) if status == 200 else content

    def reload(self):
        """Reads anew; returns once it is told."""
        before = len(self.said)
        self.child.send_signal(signal.SIGHUP)
        wait_for(lambda: any("targets" in line for line in self.said[before:]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        assert self.child.wait(timeout=30) == 0
        self.reader.join(timeout=10)


def wait_for(look, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


def values(text):
    """{series: value}"""
    return {m[1]: float(m[2]) for m in re.finditer(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.M)}


def ran(fleet, n=1):
    """The series, once all targets were checked n times."""
    def look():
        found = values(fleet.get()[1])
        runs = [v for k, v in found.items() if k.startswith("hail_check_runs_total")]
        return found if runs and min(runs) >= n else None
    return wait_for(look)


def test_metrics(hail, tmp_path, certs, free_port):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certs.cert, certs.key)
    closed = free_port()
    with Actor([TLS, READ, OK], made) as web, Actor(SMTP) as mail, Actor([READ, OK]) as bad:
        text = (f"module web every=0.2s cacert={certs.ca} expect-status=200\ndefault every=0.2s\n"
                f'https://localhost:{web.port}/x module=web name="a \\"b\\"" label.team=t\n'
                f"smtp://127.0.0.1:{mail.port}\n127.0.0.1:{closed}\n"
                f"http://127.0.0.1:{bad.port}/ expect-body=never every=0.2s\n")
        with Fleet(hail, tmp_path, text) as fleet:
            found = ran(fleet, 2)
    def of(name, target, more=""):
        return [v for k, v in found.items()
                if k.startswith(name + "{") and f'target="{target}"' in k and more in k]
    url, closed = f"https://localhost:{web.port}/x", f"127.0.0.1:{closed}"
    smtp, never = f"smtp://127.0.0.1:{mail.port}", f"http://127.0.0.1:{bad.port}/"
    assert of("probe_success", url) == [1] and of("probe_success", smtp) == [1]
    assert of("probe_success", closed) == [0] and of("probe_success", never) == [0]
    assert of("hail_check_verdict", closed) == [4] and of("hail_check_verdict", never) == [2]
    assert of("probe_http_status_code", url) == [200] and of("probe_http_ssl", url) == [1]
    assert of("probe_http_status_code", smtp) == [] and of("probe_http_version", url) == [1.1]
    assert of("probe_failed_due_to_regex", never) == [1]
    assert of("probe_failed_due_to_regex", url) == [0]
    assert of("probe_ssl_earliest_cert_expiry", url)[0] > time.time()
    assert of("probe_ssl_earliest_cert_expiry", smtp) == []
    assert of("probe_tls_version_info", url, 'version="TLS 1.3"') == [1]
    assert len(of("probe_http_duration_seconds", url)) == 5
    assert of("probe_http_duration_seconds", url, 'phase="tls"')[0] > 0
    assert of("probe_ip_protocol", smtp) == [4] and of("probe_duration_seconds", smtp)[0] > 0
    assert of("hail_check_failures_total", closed) == of("hail_check_runs_total", closed)
    assert of("hail_check_failures_total", smtp) == [0]
    labels = next(k for k in found if k.startswith("probe_success") and url in k)
    assert 'module="web"' in labels and 'team="t"' in labels and r'name="a \"b\""' in labels
    assert found["hail_check_targets"] == 4 and found["hail_check_config_reload_success"] == 1


def test_probe(hail, tmp_path, free_port):
    closed = free_port()
    with Actor([READ, OK]) as web, Actor(SMTP) as mail:
        text = (f"module web protocol=http expect-status=200 every=1h\n"
                f"module strict protocol=http expect-status=204 every=1h\n"
                f"default every=1h\nsmtp://127.0.0.1:{mail.port} name=mail\n"
                f"allow http://127.0.0.1:{web.port}/* module=web\n"
                f"allow 127.0.0.1:{closed}\n")
        with Fleet(hail, tmp_path, text) as fleet:
            url = f"http://127.0.0.1:{web.port}/some/where"
            status, found = fleet.probe(url, "web")
            assert status == 200 and found["probe_success"] == 1
            assert found["probe_http_status_code"] == 200
            assert 'probe_http_duration_seconds{phase="resolve"}' in found
            assert not any("target=" in k or "runs_total" in k for k in found)
            assert fleet.probe(f"smtp://127.0.0.1:{mail.port}")[1]["probe_success"] == 1
            assert fleet.probe("mail")[1]["probe_success"] == 1
            status, found = fleet.probe(f"127.0.0.1:{closed}")
            assert status == 200 and found["probe_success"] == 0
            for target, module, code in ((url, None, 403), (url, "strict", 403), (url, "none", 400),
                                         (f"http://127.0.0.1:{web.port}", "web", 403),
                                         ("127.0.0.1:22", None, 403), ("127.0.0.1:22", "web", 403),
                                         (f"smtp://127.0.0.1:{mail.port}", "web", 403),
                                         ("", None, 400)):
                assert fleet.probe(target, module)[0] == code, (target, module)
            assert fleet.get("/probe")[0] == 400 and fleet.get("/none")[0] == 404
            assert fleet.get("/-/healthy")[0] == 200
        heard = len(web.heard)
    assert heard == 1  # what was not allowed was not touched


def test_probe_is_as_patient_as_the_scraper(hail, tmp_path):
    with Actor([READ, HANG]) as slow:
        text = f"default every=1h\nhttp://127.0.0.1:{slow.port}/ timeout=30s\n"
        with Fleet(hail, tmp_path, text) as fleet:
            begin = time.monotonic()
            status, content = fleet.get(f"/probe?target=http://127.0.0.1:{slow.port}/",
                                        **{"X-Prometheus-Scrape-Timeout-Seconds": "1"})
            assert status == 200 and values(content)["probe_success"] == 0
            assert values(content)["hail_check_verdict"] == 5
            assert time.monotonic() - begin < 20


def test_clients_that_do_not_wait(hail, tmp_path):
    """They go while their check runs: nothing breaks."""
    with Actor([READ, HANG]) as slow:
        url = f"http://127.0.0.1:{slow.port}/"
        with Fleet(hail, tmp_path, f"default every=1h\n{url} timeout=1s\n") as fleet:
            for _ in range(20):
                connection = http.client.HTTPConnection("127.0.0.1", fleet.port, timeout=10)
                connection.request("GET", f"/probe?target={url}")
                connection.close()
            time.sleep(1.3)
            assert fleet.get()[0] == 200


def test_reload(hail, tmp_path):
    with Actor([READ, OK]) as web, Actor(SMTP) as mail:
        first = f"default every=0.2s\nhttp://127.0.0.1:{web.port}/\n"
        with Fleet(hail, tmp_path, first) as fleet:
            ran(fleet, 2)
            fleet.file.write_text(first + f"smtp://127.0.0.1:{mail.port}\n")
            fleet.reload()
            found = ran(fleet)
            assert found["hail_check_targets"] == 2
            key = f'hail_check_runs_total{{target="http://127.0.0.1:{web.port}/",module=""}}'
            assert found[key] >= 2  # what was known stays
            fleet.file.write_text(first + "gopher://bad\n")
            fleet.reload()
            found = values(fleet.get()[1])
            assert found["hail_check_config_reload_success"] == 0
            assert found["hail_check_targets"] == 1
            assert any("targets:3:1:" in line for line in fleet.said)
            fleet.file.unlink()
            fleet.reload()
            found = values(fleet.get()[1])
            assert found["hail_check_targets"] == 1  # the last that was read
            assert found["hail_check_config_reload_success"] == 0


def test_targets_that_are_listed_twice(hail, tmp_path, free_port):
    closed = free_port()
    text = f"default every=0.2s\n127.0.0.1:{closed}\n127.0.0.1:{closed}\n127.0.0.1:{closed} name=n\n"
    with Fleet(hail, tmp_path, text) as fleet:
        ran(fleet)
        lines = [k for k in fleet.get()[1].splitlines() if k.startswith("probe_success{")]
    assert len(lines) == len(set(lines)) == 2
    assert any("more than once" in line for line in fleet.said)


def test_ends_while_checks_run_and_files_were_read_anew(hail, tmp_path):
    """Nothing is left: a leak is an error of the sanitizers' build."""
    with Actor([READ, HANG]) as slow:
        text = (f"default every=0.1s\nhttp://127.0.0.1:{slow.port}/\nnosuch.example.invalid:80\n"
                f"http://nosuch.test:{slow.port}/\n")
        with Fleet(hail, tmp_path, text) as fleet:
            time.sleep(0.4)
            for _ in range(3):
                fleet.reload()
                time.sleep(0.2)


def test_scraped_while_it_is_reloaded(hail, tmp_path):
    """Every answer is whole, whatever the files do meanwhile."""
    with Actor([READ, OK]) as web:
        def text(n):
            return "default every=1s\n" + "".join(f"http://127.0.0.1:{web.port}/{i}\n"
                                                  for i in range(n))
        with Fleet(hail, tmp_path, text(300)) as fleet:
            stop = threading.Event()
            faults = []

            def scrape():
                while not stop.is_set():
                    status, content = fleet.get(Accept="application/openmetrics-text")
                    if status != 200 or not content.endswith("# EOF\n"):
                        faults.append(content[-200:])
            readers = [threading.Thread(target=scrape) for _ in range(2)]
            for reader in readers:
                reader.start()
            for i in range(8):
                fleet.file.write_text(text(300 + 50 * i))
                fleet.reload()
            stop.set()
            for reader in readers:
                reader.join(timeout=30)
            assert not faults
            assert values(fleet.get()[1])["hail_check_targets"] == 650


def test_pieces_for_old_clients(hail, tmp_path):
    """More than one piece: in chunks for HTTP/1.1, up to the end for HTTP/1.0."""
    text = "default every=1h\n" + "".join(f"127.0.0.1:{1 + i}\n" for i in range(2000))
    with Fleet(hail, tmp_path, text) as fleet:
        with socket.create_connection(("127.0.0.1", fleet.port)) as s:
            s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            old = b"".join(iter(lambda: s.recv(65536), b""))
        assert b"chunked" not in old.partition(b"\r\n\r\n")[0]
        new = fleet.get()[1]
        assert len(new) > 200000
        assert old.partition(b"\r\n\r\n")[2].count(b"\n") == new.count("\n")
        with socket.create_connection(("127.0.0.1", fleet.port)) as s:
            s.sendall(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            head = b"".join(iter(lambda: s.recv(65536), b""))
        assert head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n")


def test_files_with_faults(hail, tmp_path):
    with Fleet(hail, tmp_path, "default every=1h\n127.0.0.1:1\nbad line=\n") as fleet:
        assert any("targets:3:" in line for line in fleet.said)
        found = values(fleet.get()[1])
        assert (found["hail_check_targets"], found["hail_check_config_reload_success"]) == (1, 0)
    done = subprocess.run([hail, "check", "--metrics", "127.0.0.1:0", "--file", tmp_path / "none"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 8 and "none" in done.stderr
