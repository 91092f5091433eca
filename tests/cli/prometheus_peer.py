"""A real Prometheus that scrapes what a test starts, every second, and evaluates rules as often."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

installed = pytest.mark.skipif(not (shutil.which("prometheus") and shutil.which("promtool")),
                               reason="prometheus is not installed")


def promtool(*args, text=None):
    """(status, standard output and error together)"""
    done = subprocess.run(["promtool", *map(str, args)], input=text, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


class Prometheus:
    """Ended by `with`. `scrapes` are entries of scrape_configs, or "HOST:PORT" for a job called
    hail; `rules` is a path of a file of rules. `port` is free on 127.0.0.1."""

    def __init__(self, directory, port, scrapes, rules=None, interval="1s"):
        jobs = [{"job_name": "hail", "static_configs": [{"targets": [s]}]}
                if isinstance(s, str) else s for s in scrapes]
        config = {"global": {"scrape_interval": interval, "scrape_timeout": interval,
                             "evaluation_interval": interval},
                  "rule_files": [str(rules)] if rules else [], "scrape_configs": jobs}
        path = directory / "prometheus.yml"
        path.write_text(json.dumps(config))  # which is YAML, too
        self.at = f"127.0.0.1:{port}"
        with open(directory / "prometheus.log", "wb") as log:
            self.child = subprocess.Popen(
                ["prometheus", f"--config.file={path}", f"--web.listen-address={self.at}",
                 f"--storage.tsdb.path={directory}/data"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.log = directory / "prometheus.log"

    def get(self, path, **params):
        url = f"http://{self.at}/api/v1/{path}?{urllib.parse.urlencode(params)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """[(labels, value)] of the expression now."""
        return [(row["metric"], float(row["value"][1]))
                for row in self.get("query", query=expression)["result"]]

    def alerts(self):
        """Those that fire: [(name, labels)]"""
        return [(a["labels"]["alertname"], a["labels"]) for a in self.get("alerts")["alerts"]
                if a["state"] == "firing"]

    def wait_for(self, look, seconds=60):
        """What look(self) returns as soon as that is true."""
        until = time.monotonic() + seconds
        last = None
        while time.monotonic() < until:
            assert self.child.poll() is None, self.log.read_text()
            try:
                last = look(self)
            except OSError as error:  # it is not up yet
                last = None
                reason = error
            else:
                reason = None
            if last:
                return last
            time.sleep(0.3)
        raise AssertionError(f"{reason or last!r}\n{self.log.read_text()[-3000:]}")

    def wait_for_series(self, expression, seconds=60):
        return self.wait_for(lambda p: p.query(expression), seconds)

    def wait_for_alert(self, name, seconds=60):
        """The labels of each that fires under that name."""
        return self.wait_for(lambda p: [labels for n, labels in p.alerts() if n == name], seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(timeout=30)
        finally:
            self.child.kill()
            self.child.wait()
