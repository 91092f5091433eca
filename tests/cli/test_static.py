"""The static program in a root directory that holds nothing else: no library, no /etc, no /proc."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from dns_peers import A, Server as NameServer, record
from serving import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAIL_BUILD", ROOT / "build/release-gcc"))
STATIC = ROOT / "build" / ("static-" + BUILD.name.split("-", 1)[1]) / "hail"


@pytest.fixture(name="empty")
def fixture_empty(tmp_path):
    """A directory with the program in it, and how to run that there."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy2(STATIC, root / "hail")
    return Empty(root)


class Empty:
    def __init__(self, root):
        self.root = root
        own = () if os.getuid() == 0 else ("unshare", "-r")
        self.enter = [*own, "/usr/sbin/chroot", str(root)]

    def run(self, *args, **more):
        return subprocess.run([*self.enter, "/hail", *map(str, args)], capture_output=True,
                              timeout=60, env={"TERM": "xterm"}, check=False, **more)

    def ok(self, *args, **more):
        done = self.run(*args, **more)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout


def test_it_needs_no_interpreter_and_no_library():
    said = subprocess.run(["readelf", "-lW", STATIC], capture_output=True, text=True, check=True)
    kinds = re.findall(r"^  ([A-Z_]+) ", said.stdout, re.M)
    assert "LOAD" in kinds and not {"INTERP", "DYNAMIC"} & set(kinds)


def test_tour(empty):
    assert b"hail" in empty.ok("tour")


def test_help_and_version(empty):
    assert empty.ok("--version").startswith(b"hail ")
    for command in re.findall(rb"^  ([a-z]+) ", empty.ok("--help"), re.M):
        if command != b"help":
            assert b"Usage: hail " + command in empty.ok("help", command.decode())


def test_lookup_asks_the_name_server_that_is_given(empty):
    with NameServer(lambda q: q.reply(record(A, bytes([192, 0, 2, 7])))) as server:
        out = empty.ok("lookup", "-4", "@" + server.server, "host.example")
    assert out.startswith(b"192.0.2.7")


def test_lookup_without_a_resolv_conf_says_what_is_wrong(empty):
    done = empty.run("lookup", "--timeout", "5", "host.example")
    assert done.returncode != 0 and b"host.example" in done.stderr


def test_ports(empty):
    assert re.search(rb"\b443\b.*https", empty.ok("ports", "https"))


def test_get_over_https_trusts_the_authority_that_is_given(empty, nginx):
    content = nginx.file("page", b"from afar\n")
    refused = empty.run("get", f"{nginx.tls_url}/page")
    assert refused.returncode == 6 and b"certificate" in refused.stderr
    shutil.copy(nginx.ca, empty.root / "ca.pem")
    assert empty.ok("get", "--cacert", "/ca.pem", f"{nginx.tls_url}/page") == content


@pytest.mark.parametrize("bundle", [
    "etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "etc/ssl/ca-bundle.pem",  # openSUSE
    "etc/ssl/cert.pem",  # Alpine, the BSDs
])
def test_get_finds_the_bundle_of_the_system(empty, nginx, bundle):
    content = nginx.file("page", b"from afar\n")
    path = empty.root / bundle
    path.parent.mkdir(parents=True)
    shutil.copy(nginx.ca, path)
    assert empty.ok("get", f"{nginx.tls_url}/page") == content


def test_netstat_shows_a_listener(empty):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = empty.run("netstat", "-lnt")
        assert done.returncode == 0 and b"127.0.0.1:%d " % port in done.stdout


def test_telnet_and_nc_talk(empty, nginx):
    nginx.file("page", b"read by hand\n")
    request = b"GET /page HTTP/1.0\r\n\r\n"
    assert b"read by hand" in empty.run("telnet", "127.0.0.1", nginx.port, input=request).stdout
    assert b"read by hand" in empty.ok("nc", "127.0.0.1", nginx.port, input=request)


def test_nc_scans(empty, nginx):
    done = empty.run("nc", "-zv", "127.0.0.1", nginx.port)
    assert done.returncode == 0 and b"succeeded" in done.stderr


def test_check(empty, nginx):
    nginx.file("index.html", b"here\n")
    row = json.loads(empty.ok("check", "--json", f"http://127.0.0.1:{nginx.port}"))
    assert row["verdict"] == "ok"


def test_serve_serves_its_root(empty):
    (empty.root / "page").write_bytes(b"all there is\n")
    with Server("/hail", "/", prefix=empty.enter) as server:
        assert empty.ok("get", server.url + "page") == b"all there is\n"
