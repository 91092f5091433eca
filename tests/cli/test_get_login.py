"""hail get logs in: Digest against a server that computes every answer by hashlib and reads the
field by urllib, with what challenges may hold; Basic by what a .netrc says."""

import base64
import hashlib
import http.server
import itertools
import subprocess
import threading
import urllib.request

import pytest

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.log = []  # method, path, fields, content of each request
        self.password = ("user", "password")
        self.challenges = []  # fields; {nonce} is a new one each time
        self.nonces = (f"nonce{i}=/+" for i in itertools.count())
        self.nonce = None
        self.stale = 0  # how many right answers have a nonce that is too old

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def right(self):
        field = self.headers.get("Authorization", "").encode("latin-1").decode()
        scheme, _, rest = field.partition(" ")
        if scheme != "Digest":
            return False
        got = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
        got = {k: v.replace('\\"', '"').replace("\\\\", "\\") for k, v in got.items()}
        name, session, _ = got.get("algorithm", "MD5").partition("-sess")

        def h(*parts):
            return hashlib.new(HASHES[name], ":".join(parts).encode()).hexdigest()

        user, password = self.server.password
        hidden = h(user, got["realm"]) if got.get("userhash") == "true" else user
        a1 = h(user, got["realm"], password)
        if session:
            a1 = h(a1, got["nonce"], got["cnonce"])
        a2 = h(self.command, self.path)
        answer = (h(a1, got["nonce"], got["nc"], got["cnonce"], got["qop"], a2) if "qop" in got
                  else h(a1, got["nonce"], a2))
        return (got["username"] == hidden and got["nonce"] == self.server.nonce
                and got["uri"] == self.path and got["response"] == answer)

    def do_GET(self):  # pylint: disable=invalid-name
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        s = self.server
        s.log.append((self.command, self.path, self.headers, content))
        right = self.right()
        too_old = right and s.stale > 0
        if right and not too_old:
            self.send_response(200)
        else:
            s.stale -= too_old
            s.nonce = next(s.nonces)
            self.send_response(401)
            for c in s.challenges:
                self.send_header("WWW-Authenticate", c.format(nonce=s.nonce)
                                 + (", stale=TRUE" if too_old else ""))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok" if right and not too_old else b"no")

    do_POST = do_PUT = do_GET


@pytest.fixture(name="server")
def fixture_server():
    with Server(Handler) as s:
        thread = threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield s
        s.shutdown()


@pytest.fixture(name="get")
def fixture_get(hail, tmp_path):
    def run(*args):
        return subprocess.run([hail, "get", *map(str, args)], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, cwd=tmp_path, check=False)
    return run


# a session is made of a cnonce, which goes with qop
@pytest.mark.parametrize("session, qop", [
    ("", ', qop="auth"'), ("", ', qop="auth-int, auth"'), ("", ""), ("-sess", ", qop=auth")])
@pytest.mark.parametrize("name", list(HASHES))
def test_every_algorithm(get, server, name, session, qop):
    server.challenges = [f'Digest realm="a \\"b\\", c", nonce="{{nonce}}", algorithm={name}{session},'
                         f' opaque="o\\\\"{qop}']
    done = get("--digest", "-u", "user:password", server.url + "x?y=%20&z=\"")
    assert (done.returncode, done.stdout) == (0, b"ok"), done.stderr
    assert len(server.log) == 2 and "Authorization" not in server.log[0][2]


@pytest.mark.parametrize("user", ['a"b\\c', "Jäsøn Doe", "a", "%41"])
@pytest.mark.parametrize("userhash", ["", ", userhash=true, charset=UTF-8"])
def test_names_of_users(get, server, user, userhash):
    server.password = (user, "p:q \\\"")
    server.challenges = [f'Digest realm=r, nonce="{{nonce}}", algorithm=SHA-256, qop=auth{userhash}']
    done = get("--digest", "-u", user + ':p:q \\"', server.url)
    assert (done.returncode, done.stdout) == (0, b"ok"), done.stderr


@pytest.mark.parametrize("challenges, used", [
    (['Digest realm=r, nonce="{nonce}", qop=auth, Digest realm=r, nonce="{nonce}",'
      ' algorithm=SHA-256, qop=auth'], "SHA-256"),
    (['Digest realm=r, nonce="{nonce}", qop=auth, algorithm=SHA-512-256',
      'Digest realm=r, nonce="{nonce}", algorithm=MD5, qop=auth'], "SHA-512-256"),
    (['Negotiate , Basic realm="x", Digest realm=r, nonce="{nonce}", algorithm=MD5, qop=auth'], "MD5"),
    (["Negotiate abc==", 'Digest , realm=r,, nonce="{nonce}", algorithm=MD5'], "MD5"),
    (['Digest realm=r, nonce="{nonce}", algorithm=SHA-3, qop=auth',
      'Digest realm=r, nonce="{nonce}", algorithm=MD5, qop=auth'], "MD5"),
    (['Digest realm="r', 'Digest realm=r, nonce="{nonce}", algorithm=MD5, qop=auth'], "MD5"),
])
def test_the_strongest_of_what_is_offered(get, server, challenges, used):
    server.challenges = challenges
    done = get("--digest", "-u", "user:password", server.url)
    assert (done.returncode, done.stdout) == (0, b"ok"), done.stderr
    assert f"algorithm={used}" in server.log[1][2]["Authorization"]


@pytest.mark.parametrize("challenge", [
    'Digest realm=r, nonce="{nonce}", algorithm=SHA-3', 'Digest realm=r, nonce="{nonce}", qop=auth-int',
    "Digest realm=r", 'Digest realm="r', "Basic realm=r", "Digest", "", "=,=,",
])
def test_what_cannot_be_answered(get, server, challenge):
    server.challenges = [challenge]
    done = get("--digest", "-u", "user:password", server.url)
    assert (done.returncode, done.stdout) == (0, b"no"), done.stderr
    assert len(server.log) == 1


def test_a_wrong_password_is_said_once(get, server):
    server.challenges = ['Digest realm=r, nonce="{nonce}", qop=auth']
    done = get("--digest", "-u", "user:wrong", "-w", "%{http_code}", server.url)
    assert (done.stdout, len(server.log)) == (b"no401", 2)


def test_one_nonce_for_several_requests(get, server):
    server.challenges = ['Digest realm=r, nonce="{nonce}", qop=auth']
    done = get("--digest", "-u", "user:password", *[server.url + str(i) for i in range(3)])
    assert (done.returncode, done.stdout) == (0, b"okokok"), done.stderr
    counts = [f["Authorization"] for _, _, f, _ in server.log if "Authorization" in f]
    assert len(server.log) == 4
    assert [f"nc=0000000{i}" in c for i, c in enumerate(counts, 1)] == [True] * 3


def test_a_nonce_that_is_too_old(get, server):
    server.challenges = ['Digest realm=r, nonce="{nonce}", qop=auth']
    server.stale = 2
    done = get("--digest", "-u", "user:password", server.url)
    assert (done.returncode, done.stdout) == (0, b"ok"), done.stderr
    assert len(server.log) == 4


def test_a_server_that_finds_every_nonce_too_old(get, server):
    server.challenges = ['Digest realm=r, nonce="{nonce}", qop=auth']
    server.stale = 1000
    done = get("--digest", "-u", "user:password", "-w", "%{http_code}", server.url)
    assert (done.returncode, done.stdout) == (0, b"no401"), done.stderr
    assert len(server.log) <= 6


def test_content_goes_with_the_answer(get, server):
    server.challenges = ['Digest realm=r, nonce="{nonce}", qop=auth']
    done = get("--digest", "-u", "user:password", "-d", "a=1", server.url)
    assert (done.returncode, done.stdout) == (0, b"ok"), done.stderr
    assert [(m, c) for m, _, _, c in server.log] == [("POST", b""), ("POST", b"a=1")]


@pytest.mark.parametrize("user", ["a%0d%0aX-Evil:%20y", "a%0aX-Evil", "%00", "a%7f"])
def test_a_user_who_would_break_the_line(get, server, user):
    server.challenges = ['Digest realm=r, nonce="{nonce}", qop=auth']
    done = get("--digest", server.url.replace("://", f"://{user}:p@"))
    assert b"ok" not in done.stdout
    assert all("X-Evil" not in fields for _, _, fields, _ in server.log)


NETRC = """# of mine
macdef init
machine 127.0.0.1 login wrong password wrong

machine other.example login o password o
machine 127.0.0.1
    login "u \\"v\\""   # with quotes
    password "p\\\\q"
default login anonymous password me@
"""


@pytest.mark.parametrize("text, secret", [
    (NETRC, 'u "v":p\\q'),
    (NETRC.replace("\n", "\r\n"), 'u "v":p\\q'),
    ("default login d password e\n", "d:e"),
    ("machine 127.0.0.1 login #u password #p\n", "#u:#p"),
    ("machine 127.0.0.1 password p\n", ":p"),
    ("machine 127.0.0.10 login u password p\n", None),
    ("machine 127.0.0.1 login u password\n", None),
    ("", None),
])
def test_a_netrc(get, server, tmp_path, text, secret):
    netrc = tmp_path / "netrc"
    netrc.write_bytes(text.encode())
    netrc.chmod(0o600)
    get("--netrc-file", netrc, server.url)
    sent = server.log[0][2].get("Authorization")
    assert sent == (secret and "Basic " + base64.b64encode(secret.encode()).decode())


def test_a_netrc_is_for_its_hosts(get, server, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login u password p\n")
    netrc.chmod(0o600)
    get("--netrc-file", netrc, server.url, server.url.replace("127.0.0.1", "localhost"))
    assert ["Authorization" in f for _, _, f, _ in server.log] == [True, False]
