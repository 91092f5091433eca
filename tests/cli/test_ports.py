"""hail ports: the registry, /etc/services on top, and what listens."""

import json
import os
import socket
import subprocess

import pytest


def run(hail, *args):
    return subprocess.run([hail, "ports", *map(str, args)], capture_output=True, text=True, timeout=30)


def documents(hail, *args):
    done = run(hail, "--json", *args)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("port, name", [(21, "ftp"), (22, "ssh"), (23, "telnet"), (25, "smtp"),
                                        (80, "http"), (110, "pop3"), (119, "nntp"), (443, "https")])
def test_by_number_and_by_name(hail, port, name):
    for asked in (port, name):
        rows = [d for d in documents(hail, "-t", asked) if d["name"] == name and d["port"] == port]
        assert len(rows) == 1 and not rows[0]["alias"] and rows[0]["protocols"] == "tcp"
        assert rows[0]["schema"] == "hail.ports/1" and rows[0]["description"]
    assert f"{port}  {name} " in run(hail, port).stdout


def test_getent_agrees(hail):
    """glibc reads the same file."""
    try:
        lines = open("/etc/services", encoding="utf-8", errors="replace").read().splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        words = line.split("#")[0].split()
        if len(words) < 2 or words[1].split("/")[1] not in ("tcp", "udp"):
            continue
        port, proto = words[1].split("/")
        if int(port) % 7:  # a seventh of them is enough
            continue
        rows = documents(hail, "-t" if proto == "tcp" else "-u", port)
        assert words[0] in [d["name"] for d in rows if d["source"] == "/etc/services"]


def test_range_search_and_filters(hail):
    rows = documents(hail, "6000-6063")
    assert rows[0]["name"].startswith("x11") or any(d["name"] == "x11" for d in rows)
    assert all(6000 <= d["port"] <= 6063 for d in rows)
    found = documents(hail, "newsgroup") if run(hail, "newsgroup").returncode == 0 else []
    assert all("newsgroup" in (d["name"] + d["description"]).lower() for d in found)
    assert {d["name"] for d in documents(hail, "--search", "pop3")} >= {"pop3", "pop3s"}
    assert {d["protocols"] for d in documents(hail, "--sctp", "80")} == {"sctp"}
    assert len(documents(hail, "--all")) > 5500


def test_not_found(hail):
    done = run(hail, "telent")
    assert done.returncode == 1 and done.stdout == "" and "did you mean 'telnet'?" in done.stderr
    done = run(hail, "\033]0;x\007")
    assert done.returncode == 1 and "\033" not in done.stderr
    for bad in ("65536", "99999999999999999999", "20-10"):
        assert run(hail, bad).returncode == 2


def test_shows_who_listens(hail):
    with socket.socket() as tcp, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        assert [d["listening"] for d in documents(hail, port) if d["listening"]] == []
        tcp.listen()
        held = [one for d in documents(hail, "-t", port) for one in d["listening"]]
        assert {"protocol": "tcp", "local": f"127.0.0.1:{port}", "uid": os.getuid(),
                "pid": os.getpid()} == {k: v for k, v in held[0].items() if k != "program"}
        text = run(hail, port).stdout
        assert f"listens: tcp 127.0.0.1:{port}" in text and f"(pid {os.getpid()})" in text
        udp.bind(("::1", 0))
        port = udp.getsockname()[1]
        assert f"[::1]:{port}" in run(hail, "-u", port).stdout
        everything = run(hail)
        assert everything.returncode == 0 and f"[::1]:{port}" in everything.stdout
        assert f"127.0.0.1:{tcp.getsockname()[1]}" in everything.stdout
        assert f"[::1]:{port}" not in run(hail, "-4").stdout
