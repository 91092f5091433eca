"""hail tour: everything on the screen comes from real sockets, and nothing of it is left."""

import json
import os
import re
import signal
import subprocess
import time

import pexpect


def pages(text):
    parts = re.split(r"(?m)^(?=\d+  [A-Z])", text)
    return [p for p in parts if p.strip()]


def test_in_a_pipe(hail):
    start = time.monotonic()
    done = subprocess.run([hail, "tour"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
    assert time.monotonic() - start < 10
    assert "\033" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert all(len(page.splitlines()) <= 24 for page in pages(done.stdout))
    for wanted in ("> GET /index.html HTTP/1.0\\r\\n", "< HTTP/1.0 200 OK\\r\\n",
                   "Content-Length: 48823", "ESTABLISHED", "TIME_WAIT, gone in",
                   "connection refused", "waterfall", "listens at 127.0.0.1:"):
        assert wanted in done.stdout


def test_json_is_consistent(hail):
    done = subprocess.run([hail, "tour", "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(e["schema"] == "hail.tour/1" for e in events)
    one = {e["event"]: e for e in events}
    assert [e["port"] for e in events if e["event"] == "service"] == [21, 22, 23, 25, 80, 110, 119, 443]
    assert len([e for e in events if e["event"] == "picked"]) == 3
    client, server = one["connected"]["client"], one["connected"]["server"]
    assert one["listening"]["at"] == server
    assert one["request"]["head"].startswith("GET /index.html HTTP/1.0\r\n")
    response = one["response"]
    assert response["status"] == 200 and response["same"] is True
    assert response["bytes"] == response["content_length"] == 48823
    rows = [(e["when"], e["local"], e["state"]) for e in events if e["event"] == "kernel"]
    assert ("open", client, "ESTABLISHED") in rows and ("open", server, "ESTABLISHED") in rows
    assert ("open", server, "LISTEN") in rows and ("closed", server, "TIME_WAIT") in rows
    assert len([e for e in events if e["event"] == "datagram"]) == 2 and "refused" in one
    traced = [e["trace"] for e in events if e["event"] == "trace"]
    crossed = sum(t.get("bytes", 0) for t in traced if t["event"] == "in")
    assert crossed == 48823 + len(response["head"])


def test_leaves_nothing(hail, tmp_path):
    before = set(os.listdir("/tmp"))
    done = subprocess.run([hail, "tour", "--json"], capture_output=True, text=True, timeout=60,
                          cwd=tmp_path)
    port = int(re.search(r'"event":"listening","at":"127.0.0.1:(\d+)"', done.stdout).group(1))
    assert os.listdir(tmp_path) == []
    listening = subprocess.run([hail, "ports", "--json", str(port)], capture_output=True, text=True,
                               timeout=30)
    assert all(json.loads(line)["listening"] == [] for line in listening.stdout.splitlines())
    assert not [f for f in set(os.listdir("/tmp")) - before if "hail" in f and "tour" in f]


def test_slow_waits_for_enter(hail):
    child = pexpect.spawn(hail, ["tour", "--slow"], dimensions=(24, 80), timeout=30,
                          env=dict(os.environ, TERM="xterm"))
    heads = []
    while child.expect(["-- Enter goes on --", pexpect.EOF]) == 0:
        heads += re.findall(rb"\d+  [A-Z][a-z ,]+", child.before)
        assert len(child.before.splitlines()) <= 26  # a page, and the line that was wiped
        child.sendline("")
    assert heads[0] == b"1  A host has a name and addresses"
    assert heads[-1].endswith(b"Where to go from here") and len(heads) >= 8
    child.close()
    assert child.exitstatus == 0


def test_slow_ends_by_a_signal(hail):
    child = pexpect.spawn(hail, ["tour", "--slow"], dimensions=(24, 80), timeout=30)
    child.expect("-- Enter goes on --")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == signal.SIGINT
