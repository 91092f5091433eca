"""hail get does what curl does: a table of command lines that both are given, against the same
servers. Compared are the content on standard output, the files that are there afterwards, the class
of the exit status, whether standard error says something, and every request byte for byte (fields
in any order), with the connection and the way it came by.

In a command line <url> is the recorder (recorder.py, with the paths of get_site.py), <at> its
address and port; <tls>, <v6>, <nginx>, <nginx-tls>, <python> and others are in `Bed`. Where the two
are meant to differ, the case (get_cases.py) says in what, and the rest is compared all the same.
"""

import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

import conftest
import get_cases
import get_site
import recorder

# curl's exit status -> hail's
STATUS = {0: {0}, 1: {2}, 2: {2}, 3: {2}, 6: {3}, 7: {4}, 18: {7}, 22: {1}, 23: {8}, 26: {8}, 28: {5},
          33: {7}, 45: {2}, 47: {7}, 49: {2}, 52: {7}, 56: {4, 7}, 58: {6, 8}, 60: {6}, 61: {7},
          63: {8}, 77: {6, 8}, 97: {4, 7}}


# --- the servers ---

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Bed:
    """All servers, and what stands for them in a command line."""

    def __init__(self, directory, certs):
        self.dir, self.site, self.stack = directory, get_site.Site(), contextlib.ExitStack()
        self.recorder = recorder.Recorder(self.site.answer, certs, directory / "socket")
        self.stack.callback(self.recorder.close)
        port = self.recorder.port
        taken = socket.socket()  # nobody listens at it, and nobody else can
        taken.bind(("127.0.0.1", 0))
        self.stack.callback(taken.close)
        self.words = {
            "url": f"http://127.0.0.1:{port}", "tls": f"https://127.0.0.1:{port}",
            "at": f"127.0.0.1:{port}", "port": str(port), "closed": str(taken.getsockname()[1]),
            "socket": str(directory / "socket"),
            "ca": str(certs.ca), "cert": str(certs.cert), "key": str(certs.key)}
        if self.recorder.port6:
            self.words["v6"] = f"http://[::1]:{self.recorder.port6}"
        both = directory / "both.pem"
        both.write_bytes(certs.cert.read_bytes() + certs.key.read_bytes())
        self.words["both"] = str(both)
        self._python()
        self._nginx(certs)

    def _files(self, root):
        for name, content in (("a.txt", b"a\n"), ("b b.txt", b"b\n"), ("big.bin", get_site.BIG),
                              ("index.html", b"<p>home\n"), ("sub/index.html", b"<p>sub\n")):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (1_000_000_000, 1_000_000_000))

    def _python(self):
        root = self.dir / "python"
        root.mkdir()
        self._files(root)
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.stack.callback(thread.join)
        self.stack.callback(server.server_close)
        self.stack.callback(server.shutdown)
        self.words["python"] = f"http://127.0.0.1:{server.server_address[1]}"

    def _nginx(self, certs):
        if not (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx")):
            return
        directory = self.dir / "nginx"
        directory.mkdir()
        nginx = conftest.Nginx(directory, certs)
        self.stack.callback(nginx.close)
        self._files(nginx.root)
        self.words.update({"nginx": nginx.url, "nginx-tls": nginx.tls_url})

    def fill(self, text):
        def word(found):
            if found[1] not in self.words:
                pytest.skip({"v6": "there is no IPv6"}.get(found[1], "nginx is not installed"))
            return self.words[found[1]]
        return re.sub(r"<([a-z][a-z0-9-]*)>", word, text)


@pytest.fixture(name="bed", scope="module")
def fixture_bed(tmp_path_factory, certs):
    curl = shutil.which("curl") and subprocess.run(["curl", "--version"], stdout=subprocess.PIPE,
                                                   check=True, timeout=30).stdout.decode()
    if not (curl or "").startswith("curl 7.88."):
        pytest.skip(f"this is a table of what curl 7.88 does; here is {(curl or 'none')[:12]}")
    bed = Bed(tmp_path_factory.mktemp("bed"), certs)
    yield bed
    bed.stack.close()


# --- one client ---

class Outcome:
    """What a client printed, wrote, and asked."""

    def __init__(self, bed, command, case, directory):
        directory.mkdir()
        for name, content in case.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bed.fill(content.decode("latin-1")).encode("latin-1"))
        env = {"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8",
               **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}
        env.update({name: bed.fill(value) for name, value in case.env.items()})
        bed.recorder.forget()
        bed.site.forget()
        done = subprocess.run([*command, *map(bed.fill, case.args)], cwd=directory, env=env,
                              input=case.stdin, capture_output=True, timeout=60, check=False)
        self.status, self.stderr = done.returncode, done.stderr
        self.stdout = readable(done.stdout, case)
        if case.unordered:
            self.stdout = sorted(self.stdout.splitlines())
        self.files = {str(p.relative_to(directory)): readable(p.read_bytes(), case)
                      for p in directory.rglob("*") if p.is_file()}
        with bed.recorder.lock:
            asked = bed.recorder.asked
        numbers = {}
        self.requests, self.connections = [], []
        for request in asked:
            numbers.setdefault(request.connection, len(numbers))
            self.connections.append(numbers[request.connection])
            self.requests.append(plain(request))
        if case.unordered:
            self.requests.sort()
            self.connections = None


def readable(out, case):
    """Without what cannot be the same twice: the date of a response, and times."""
    out = re.sub(rb"(?m)^Date: [^\r]*", b"Date: -", out)
    for pattern in case.vary:
        out = re.sub(pattern.encode(), b"~", out)
    return out


def plain(request):
    """A request as it is compared: what is drawn by chance is taken out, what is a list is sorted."""
    fields, body = [], request.body
    for name, value in request.fields:
        if request.method == "CONNECT" and name in ("User-Agent", "Proxy-Connection"):
            continue  # hail leaves them out: neither says anything of the tunnel
        if (name, value) == ("Expect", "100-continue") and 0 <= int(
                request.get("Content-Length", "-1")) <= 1 << 20 and "no-100" not in request.target:
            continue  # curl asks first with -T, be it for one byte
        if name == "Accept-Encoding":
            value = ", ".join(sorted(value.split(", ")))
        if name.endswith("uthorization") and value.startswith("Digest "):
            parts = re.findall(r'(\w+=(?:"(?:[^"\\]|\\.)*"|[^ ,]+))', value)
            value = "Digest " + ", ".join(sorted(re.sub(
                r'^(cnonce|response)="[^"]+"', r"\1=~", part) for part in parts))
        found = re.search("boundary=(-*[0-9a-zA-Z]+)", value)
        if found and name == "Content-Type":
            value = value.replace(found[1], "~")
            body = body.replace(found[1].encode(), b"~")
        fields.append(f"{name}: {value}")
    line = re.sub("%[0-9a-f]{2}", lambda code: code[0].upper(), request.line)
    return request.way + line, sorted(fields), body


# --- the comparison ---

def both(bed, hail, case, directory):
    """What curl did, and what hail did."""
    curl = Outcome(bed, ["curl"], case, directory / "curl")
    assert curl.status == case.code, ("curl", curl.stderr)
    return curl, Outcome(bed, [hail, "get"], case, directory / "hail")


def test_there_are_as_many_cases_as_the_work_needs():
    assert len(get_cases.TABLE) >= 250
    assert len({case.id for case in get_cases.TABLE}) == len(get_cases.TABLE)


@pytest.mark.parametrize("case", get_cases.TABLE, ids=lambda case: case.id)
def test_table(bed, hail, case, tmp_path):
    curl, own = both(bed, hail, case, tmp_path)
    assert own.status in STATUS[curl.status] or "status" in case.but, own.stderr
    for what in ("requests", "connections", "stdout", "files"):
        if what not in case.but:
            assert getattr(own, what) == getattr(curl, what), (what, own.stderr)
    if "stderr" not in case.but:
        assert bool(own.stderr) == bool(curl.stderr), (own.stderr, curl.stderr)


# --- what has to be taken apart before it can be compared ---

def test_all_variables_as_json(bed, hail, tmp_path):
    case = get_cases.Case("json", ["-w", "%{json}", "-o", "file", "<url>/text"])
    curl, own = (json.loads(done.stdout) for done in both(bed, hail, case, tmp_path))
    theirs = set(curl) - {"curl_version", "certs", "num_certs"}
    assert theirs <= set(own)
    for name in theirs & set(get_cases.VARIABLES):
        assert own[name] == curl[name], name


def test_the_fields_of_the_response_as_json(bed, hail, tmp_path):
    case = get_cases.Case("json", ["-w", "%{header_json}", "-o", "file", "<url>/fields"])
    curl, own = ({name: [value.strip() for value in values] for name, values in  # curl leaves a CR
                  json.loads(done.stdout).items()} for done in both(bed, hail, case, tmp_path))
    assert own == curl and own["x-one"] == ["first", "second"]


@pytest.mark.parametrize("args", [
    ("<url>/text",), ("-L", "<url>/hop/2"), ("-d", "a=b", "<url>/echo"), ("-i", "<url>/1xx"),
    ("<url>/text", "<url>/empty"), ("-x", "http://<at>", "http://name.test/text")],
    ids=lambda args: " ".join(args))
def test_both_heads_are_shown_by_v(bed, hail, args, tmp_path):
    case = get_cases.Case("-v", ["-v", *args])
    curl, own = ([line.strip() for line in done.stderr.splitlines() if line[:2] in (b"< ", b"> ")
                  and len(line) > 2] for done in both(bed, hail, case, tmp_path))
    assert sorted(own) == sorted(curl) and own


def test_text_for_standard_error(bed, hail, tmp_path):
    case = get_cases.Case("stderr", ["-w", "%{stderr}%{http_code}\\n", "<url>/text"])
    curl, own = both(bed, hail, case, tmp_path)
    assert own.stderr == curl.stderr == b"200\n" and own.stdout == curl.stdout
