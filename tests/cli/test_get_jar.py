"""Cookies by hail get and by curl: what each keeps of the same fields, in Netscape's file, and what
each sends of its own jar and of the other's."""

import http.server
import os
import subprocess
import urllib.parse

import pytest

from web_peers import python_server

pytestmark = pytest.mark.peers

LATER = "Wed, 01 Jan 2098 00:00:00 GMT"
FIELDS = (
    "a=1", "a=", "a=b=c", 'a="quoted"', "a=with space", "a=1; Path=/", "a=1; Path=/dir",
    "a=1; Path=/dir/", "a=1; Path=/dir/sub", "a=1; path=/; PATH=/dir",
    "a=1; Domain=example.com", "a=1; Domain=.example.com", "a=1; Domain=EXAMPLE.com",
    "a=1; Domain=www.example.com", "a=1; Domain=other.org", "a=1; Domain=com",
    "a=1; Domain=sub.www.example.com", "a=1; Domain=ample.com", "a=1; Domain=",
    f"a=1; Expires={LATER}", f"a=1; Expires={LATER}; Max-Age=1000", "a=1; Max-Age=1000",
    "a=1; Max-Age=0", "a=1; Max-Age=-1", "a=1; Max-Age=99999999999999999999",
    "a=1; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "a=1; Expires=nonsense",
    "a=1; Expires=Wednesday, 01-Jan-98 00:00:00 GMT", "a=1; Expires=Wed Jan  1 00:00:00 2098",
    "a=1; expires=01 Jan 2098 00:00:00", "a=1; Expires=Wed, 01 Jan 2098 00:00:00 +0500",
    "a=1; Secure", "a=1; HttpOnly", "a=1; HttpOnly; Secure; SameSite=Strict", "a=1; Unknown; b=2",
    "a=1 ; Path=/", "  a  =  1  ;  Path = / ", "a=1;Path=/;Domain=example.com", "a=1; ;; Path=/;",
    "__Secure-a=1; Secure", "__Secure-a=1", "__Host-a=1; Path=/", "__Host-a=1; Path=/; Secure",
    "a=\t1", "a\tb=1", "a=1; Domain=example.com\tTRUE", "a=" + "x" * 4000, "a=" + "x" * 5000,
    "a=1, b=2", "a=%00%0a", "ä=ö",
)
AS_THE_RFC = {  # where curl does otherwise, RFC 6265bis: what is sent of it below /dir
    "=1": "1", "a": "a",  # a value without a name; curl leaves it out
    "a=1; Path=": "a=1", "a=1; Path=relative": "a=1",  # the default path; curl takes it as it is
    "a=1; Path=/\tTRUE\t0\tb\t2": "a=1", "a=1\tb": "a=1\tb",  # tabs; curl drops the cookie
    "a=1; Max-Age=12x": "a=1",  # of the session; for curl 12 seconds
}
PLACES = [f"http://{place}" for place in (
    "www.example.com:{}/", "www.example.com:{}/dir/x", "www.example.com:{}/dir/sub/x",
    "www.example.com:{}/directory", "example.com:{}/dir/x", "sub.www.example.com:{}/dir/x",
    "other.org:{}/dir/x", "notexample.com:{}/dir/x")]
HOSTS = ("www.example.com", "example.com", "sub.www.example.com", "other.org", "notexample.com")


class Setter(http.server.BaseHTTPRequestHandler):
    """Sets what the query has, percent-encoded, in one field after another; says what it got."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and content in one segment

    def do_GET(self):
        content = repr(self.headers.get_all("Cookie")).encode()
        self.send_response(200)
        for field in filter(None, urllib.parse.urlsplit(self.path).query.split("&")):
            self.send_header("Set-Cookie", urllib.parse.unquote(field, "latin-1"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(name="clients", scope="module")
def fixture_clients(hail):
    """run(client, arguments) for hail and curl, and the server's port."""
    with python_server(Setter) as port:
        where = [a for host in HOSTS for a in ("--resolve", f"{host}:{port}:127.0.0.1")]
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        start = {"hail": [hail, "get", "-q"], "curl": ["curl", "-q"]}

        def run(client, *args):
            done = subprocess.run([*start[client], "-sS", *where, *map(str, args)], env=env,
                                  capture_output=True, timeout=60, check=False)
            assert done.returncode == 0, (client, args, done)
            return done.stdout.decode("latin-1")
        yield run, port


def setting(port, *fields):
    query = "&".join(urllib.parse.quote(f, safe="") for f in fields)
    return f"http://www.example.com:{port}/dir/page?{query}"


def kept(path):
    """The jar's cookies as (domain, path, secure, end, name, value), as far as curl does the same:
    it writes the default path as "/dir/", domains as they came, and ends after 400 days. The end
    is "" for that of the session, else "later"."""
    rows = []
    for line in path.read_bytes().decode("latin-1").split("\n"):
        if line.startswith("#HttpOnly_") or (line and not line.startswith("#")):
            domain, _, where, secure, end, *rest = line.split("\t")
            rows.append((domain.lower(), where.rstrip("/") or "/", secure == "TRUE",
                         "" if end == "0" else "later", *rest))
    return sorted(rows)


@pytest.mark.parametrize("field", FIELDS, ids=range(len(FIELDS)))
def test_one_field(clients, tmp_path, field):
    run, port = clients
    jars = {}
    for client in ("hail", "curl"):
        jars[client] = tmp_path / client
        run(client, "-c", jars[client], setting(port, field))
    mine, theirs = kept(jars["hail"]), kept(jars["curl"])
    assert mine == theirs
    places = [place.format(port) for place in PLACES]
    sent = {run(client, "-b", jar, "-w", "\n", *places) for client in jars for jar in jars.values()}
    assert len(sent) == 1, sent


@pytest.mark.parametrize("field", AS_THE_RFC, ids=range(len(AS_THE_RFC)))
def test_one_field_by_the_rfc(clients, tmp_path, field):
    run, port = clients
    run("hail", "-c", tmp_path / "jar", setting(port, field))
    places = [place.format(port) for place in PLACES]
    got = run("hail", "-b", tmp_path / "jar", "-w", "\n", *places).splitlines()
    sent = repr([AS_THE_RFC[field]])
    assert got == ["None", sent, sent, "None", "None", "None", "None", "None"]
    (domain, path, secure, end, *_), = kept(tmp_path / "jar")
    assert (domain, path, secure, end) == ("www.example.com", "/dir", False, "")


def test_jars_that_both_write_in_turn(clients, tmp_path):
    run, port = clients
    jar = tmp_path / "jar"
    for number, client in enumerate(("hail", "curl", "hail", "curl")):
        gone = [f"c{number - 2}=; Max-Age=0"] if number > 1 else []
        fields = (f"c{number}=new; Max-Age=1000", f"same={number}; HttpOnly", f"s{number}=1; Path=/")
        run(client, "-b", jar, "-c", jar, setting(port, *fields, *gone))
    names = {row[4]: row[5] for row in kept(jar)}
    assert names == {"c2": "new", "c3": "new", "same": "3", **{f"s{i}": "1" for i in range(4)}}
    url = f"http://www.example.com:{port}/dir/x"
    sent = {client: sorted(run(client, "-b", jar, url).strip("[']").split("; "))
            for client in ("hail", "curl")}
    assert sent["hail"] == sent["curl"] == sorted(f"{k}={v}" for k, v in names.items())
