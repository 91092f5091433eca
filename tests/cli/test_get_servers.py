"""hail get against real servers: nginx, Apache httpd, Caddy, lighttpd, h2o and Python's
http.server, each with the same site, and through squid, dante and ssh -D."""

import os
import socket
import subprocess
import time

import pytest

from proxy_peers import Dante, Squid, SshSocks
from web_peers import BIG, SITES, TEXT, Apache, Echo, Lighttpd, Nginx, Relay, python_server

pytestmark = pytest.mark.peers


@pytest.fixture(name="get")
def fixture_get(hail):
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}

    def run(*args, stdin=b"", status=0):
        done = subprocess.run([hail, "get", "-sS", *map(str, args)], input=stdin,
                              capture_output=True, timeout=120, check=False, env=env)
        assert done.returncode == status, (args, done.returncode, done.stderr)
        return done.stdout
    return run


@pytest.fixture(name="echo", scope="module")
def fixture_echo():
    with python_server(Echo) as port:
        yield port


def started(kind, factory, *args):
    server = kind(factory.mktemp("peer"), *args)
    yield server
    server.close()


@pytest.fixture(name="site", scope="module", params=SITES, ids=lambda kind: kind.__name__)
def fixture_site(request, tmp_path_factory, certs, echo):
    yield from started(request.param, tmp_path_factory, certs, echo)


@pytest.fixture(name="nginx", scope="module")
def fixture_nginx(tmp_path_factory, certs, echo):
    yield from started(Nginx, tmp_path_factory, certs, echo)


@pytest.fixture(name="apache", scope="module")
def fixture_apache(tmp_path_factory, certs, echo):
    yield from started(Apache, tmp_path_factory, certs, echo)


def able(test):
    """The test runs on the servers for which test(kind) holds."""
    return pytest.mark.parametrize("site", [kind for kind in SITES if test(kind)], indirect=True,
                                   ids=lambda kind: kind.__name__)


# --- every server ---

def test_get_and_head(get, site):
    assert get(site.url + "/a.txt") == TEXT
    assert get(site.url + "/big.bin") == BIG
    assert get(site.url + "/empty.txt") == b""
    head = get("-I", site.url + "/big.bin")
    assert b" 200 " in head.splitlines()[0] and head.endswith(b"\r\n\r\n")
    assert b"\r\ncontent-length: %d\r\n" % len(BIG) in head.lower()


def test_not_found(get, site):
    assert get("-o", os.devnull, "-w", "%{http_code}", site.url + "/none") == b"404"
    assert get("-f", site.url + "/none", status=1) == b""


def test_twenty_urls_over_one_connection(get, site):
    urls = [f"{site.url}/n/{i}" for i in range(20)]
    got = get("-w", "%{num_connects} %{http_code}\n", *urls).splitlines()
    assert got[::2] == [b"number %d" % i for i in range(20)]
    connects = [int(line.split()[0]) for line in got[1::2]]
    assert connects == ([1] + [0] * 19 if site.PERSISTENT else [1] * 20)
    assert {line.split()[1] for line in got[1::2]} == {b"200"}


def test_twenty_urls_at_once(get, site, tmp_path):
    get("-Z", "--parallel-max", "5", "--remote-name-all", "--output-dir", tmp_path,
        *(f"{site.url}/n/{i}" for i in range(20)))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} \
        == {str(i): b"number %d\n" % i for i in range(20)}


def test_redirect_to_a_folder(get, site):
    assert get("-o", os.devnull, "-w", "%{num_redirects}", site.url + "/dir") == b"0"
    got = get("-L", "-w", "%{num_redirects} %{url_effective}", site.url + "/dir")
    assert got == b"<p>index\n" + f"1 {site.url}/dir/".encode()


@able(lambda kind: kind.RANGES)
def test_ranges(get, site):
    for asked, expected in (("0-99", BIG[:100]), ("1000000-", BIG[1000000:]), ("-77", BIG[-77:])):
        got = get("-r", asked, "-w", "%{http_code}", site.url + "/big.bin")
        assert got == expected + b"206", asked


@able(lambda kind: kind.RANGES)
def test_going_on_with_a_file(get, site, tmp_path):
    path = tmp_path / "big.bin"
    path.write_bytes(BIG[:1000000])
    got = get("-C", "-", "-o", path, "-w", "%{http_code} %{size_download}", site.url + "/big.bin")
    assert got == b"206 %d" % (len(BIG) - 1000000)
    assert path.read_bytes() == BIG


def test_a_retry_fetches_the_rest(get, site, tmp_path):
    with Relay(site.port, 1000000) as relay:
        get("--retry", "1", "--retry-delay", "0", "-o", tmp_path / "f",
            f"http://127.0.0.1:{relay.port}/big.bin")
        assert len(relay.passed) == 2
        more = relay.passed[1] - (len(BIG) - (1000000 if site.RANGES else 0))
        assert 0 <= more < 4096  # the heads
    assert (tmp_path / "f").read_bytes() == BIG
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_the_next_run_fetches_the_rest(get, site, tmp_path):
    with Relay(site.port, 1000000, mended=False) as relay:
        url = f"http://127.0.0.1:{relay.port}/big.bin"
        get("-o", tmp_path / "f", url, status=7)
        assert not (tmp_path / "f").exists()
        relay.mended = True
        get("-o", tmp_path / "f", url)
        more = relay.passed[-1] - (len(BIG) - (1000000 if site.RANGES else 0))
        assert 0 <= more < 4096
    assert (tmp_path / "f").read_bytes() == BIG
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_changed_file_is_fetched_anew(get, site, tmp_path):
    path = site.root / f"changing-{os.getpid()}"
    path.write_bytes(BIG)
    os.utime(path, (1e9, 1e9))
    with Relay(site.port, 1000000, mended=False) as relay:
        url = f"http://127.0.0.1:{relay.port}/{path.name}"
        get("-o", tmp_path / "f", url, status=7)
        relay.mended = True
        path.write_bytes(BIG[::-1])
        os.utime(path, (1.1e9, 1.1e9))
        time.sleep(1.2)  # lighttpd and h2o remember a file for a second
        get("-o", tmp_path / "f", url)
    path.unlink()
    assert (tmp_path / "f").read_bytes() == BIG[::-1]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("site, coding", [(kind, c) for kind in SITES for c in kind.CODINGS],
                         indirect=["site"], ids=lambda v: getattr(v, "__name__", v))
def test_compressed(get, site, coding, tmp_path):
    got = get("--compressed", "-H", f"Accept-Encoding: {coding}", "-D", tmp_path / "head",
              "-w", "%{size_download}", site.url + "/a.txt")
    head = (tmp_path / "head").read_bytes().lower()
    assert b"\r\ncontent-encoding: %s\r\n" % coding.encode() in head
    assert got.startswith(TEXT) and int(got[len(TEXT):]) < len(TEXT) / 4
    assert get("--compressed", site.url + "/a.txt") == TEXT


@able(lambda kind: kind.RANGES) # the ones with ETags
def test_not_modified(get, site, tmp_path):
    get("--etag-save", tmp_path / "tag", "-o", os.devnull, site.url + "/a.txt")
    got = get("--etag-compare", tmp_path / "tag", "-w", "%{http_code}", site.url + "/a.txt")
    assert got == b"304"


@able(lambda kind: kind.ECHO)
def test_post_of_a_form(get, site):
    got = get("-i", "-d", "a=1", "--data-urlencode", "b=x y", site.url + "/echo")
    head, _, content = got.partition(b"\r\n\r\n")
    assert content == b"a=1&b=x+y"
    assert b"x-method: post\r\n" in head.lower()
    assert b"x-type: application/x-www-form-urlencoded" in head.lower()


@able(lambda kind: kind.ECHO)
def test_multipart(get, site, tmp_path):
    (tmp_path / "file.bin").write_bytes(BIG[:300000])
    got = get("-F", "a=1", "-F", f"f=@{tmp_path}/file.bin", site.url + "/echo")
    boundary = got.split(b"\r\n")[0]
    parts = got.split(boundary)
    assert len(parts) == 4 and parts[3] == b"--\r\n"
    assert parts[1].endswith(b'name="a"\r\n\r\n1\r\n')
    assert b'filename="file.bin"' in parts[2] and parts[2].endswith(BIG[:300000] + b"\r\n")


@able(lambda kind: kind.ECHO)
def test_upload_of_a_file_and_of_a_stream(get, site, tmp_path):
    (tmp_path / "file.bin").write_bytes(BIG)
    assert get("-T", tmp_path / "file.bin", site.url + "/echo") == BIG
    assert get("-T", "-", site.url + "/echo", stdin=BIG) == BIG
    assert get("-T", tmp_path / "file.bin", "-H", "Expect: 100-continue", site.url + "/echo") == BIG


@able(lambda kind: kind.TLS)
def test_https_with_an_own_authority(get, site):
    assert get("--cacert", site.ca, site.tls_url + "/big.bin") == BIG
    port = site.tls_url.rpartition(":")[2]
    assert get("--cacert", site.ca, f"https://localhost:{port}/a.txt") == TEXT
    get(site.tls_url + "/a.txt", status=6)
    got = get("--cacert", site.ca, "-w", "%{num_connects} ", *[site.tls_url + "/n/1"] * 3)
    assert got == b"number 1\n1 number 1\n0 number 1\n0 "


@able(lambda kind: kind.SIX)
def test_ipv6(get, site):
    got = get("-w", "%{remote_ip}", site.url6 + "/a.txt")
    assert got == TEXT + b"::1"


@able(lambda kind: kind.UNIX)
def test_unix_socket(get, site):
    assert get("--unix-socket", site.unix, "http://localhost/big.bin") == BIG


def test_http_1_0(get, site):
    assert get("-0", site.url + "/a.txt", site.url + "/n/3") == TEXT + b"number 3\n"


def test_the_same_as_curl(get, site):
    for options in ((), ("-I",), ("-i",), ("-r", "5-9"), ("-L", "-i")):
        target = site.url + ("/dir/" if "-L" in options else "/a.txt")
        curl = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", *options, target],
                              capture_output=True, timeout=60, check=True).stdout
        mine = get(*options, target)
        assert without_dates(mine) == without_dates(curl), options


def without_dates(text):
    return [line for line in text.split(b"\n") if not line.lower().startswith(b"date:")]


# --- logins, WebDAV, CGI ---

@pytest.mark.parametrize("kind", [Nginx, Apache, Lighttpd], ids=lambda kind: kind.__name__)
def test_logins(get, kind, tmp_path, certs, echo):
    server = kind(tmp_path, certs, echo)
    try:
        ways = [("/private/a.txt", "--basic"), ("/private/a.txt", "--anyauth")]
        if kind is not Nginx:
            ways += [("/digest/a.txt", "--digest"), ("/digest/a.txt", "--anyauth")]
        for path, way in ways:
            assert get(way, "-u", "me:secret", server.url + path) == TEXT
            got = get(way, "-u", "me:wrong", "-o", os.devnull, "-w", "%{http_code}",
                      server.url + path)
            assert got == b"401"
        assert get("-o", os.devnull, "-w", "%{http_code}", server.url + "/private/a.txt") == b"401"
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password secret\n")
        netrc.chmod(0o600)
        assert get("--netrc-file", netrc, server.url + "/private/a.txt") == TEXT
    finally:
        server.close()


def test_a_digest_over_one_connection(get, apache):
    url = apache.url + "/digest/a.txt"
    got = get("--digest", "-u", "me:secret", "-o", os.devnull, "-o", os.devnull,
              "-w", "%{http_code} %{num_connects}\n", url, url)
    assert got == b"200 1\n200 0\n"


def test_webdav(get, apache, tmp_path):
    url = apache.url + "/dav/up.bin"
    (tmp_path / "file").write_bytes(BIG)
    what = ("-o", os.devnull, "-w", "%{http_code}")
    assert get(*what, "-T", tmp_path / "file", url) == b"201"
    assert get(url) == BIG
    assert get(*what, "-T", "-", url, stdin=TEXT) == b"204"
    assert get(url) == TEXT
    assert get(*what, "-X", "DELETE", url) == b"204"
    assert get(*what, url) == b"404"
    assert b"<D:multistatus" in get("-X", "PROPFIND", "-H", "Depth: 1", apache.url + "/dav/")


def test_chunks_of_a_cgi_program(get, apache, tmp_path):
    expected = b"".join(b"%d\n" % i for i in range(2000))
    assert get("-D", tmp_path / "head", apache.url + "/cgi/count") == expected
    assert b"transfer-encoding: chunked" in (tmp_path / "head").read_bytes().lower()
    assert get("--compressed", apache.url + "/cgi/count") == expected


# --- proxies ---

def test_squid(get, nginx, tmp_path, certs):
    proxy = Squid(tmp_path, certs)
    where = ("-x", f"http://127.0.0.1:{proxy.port}")
    known = (*where, "-U", "me:secret")
    try:
        assert get(*known, nginx.url + "/big.bin") == BIG
        head = get(*known, "-I", nginx.url + "/a.txt")
        assert b"proxy.example" in head
        assert get(*known, "-d", "a=1", nginx.url + "/echo") == b"a=1"
        assert get(*known, "-T", "-", nginx.url + "/echo", stdin=BIG) == BIG
        assert get(*known, "-p", nginx.url + "/a.txt") == TEXT
        assert get(*known, "--cacert", nginx.ca, nginx.tls_url + "/big.bin") == BIG
        got = get(*known, "--cacert", nginx.ca, "-o", os.devnull, "-w", "%{http_connect}",
                  nginx.tls_url + "/a.txt")
        assert got == b"200"
        assert get("-o", os.devnull, "-w", "%{http_code}", *where, nginx.url + "/a.txt") == b"407"
        get(*where, "--cacert", nginx.ca, nginx.tls_url + "/a.txt", status=4)
        got = get(*known, *[nginx.url + "/n/1"] * 5, "-w", "%{num_connects} ")
        assert got.replace(b"number 1\n", b"") == b"1 0 0 0 0 "
    finally:
        proxy.close()


@pytest.mark.parametrize("kind", [Dante, SshSocks], ids=lambda kind: kind.__name__)
def test_socks(get, kind, nginx, tmp_path, certs):
    proxy = kind(tmp_path, certs)
    try:
        for scheme in ("socks4", "socks4a", "socks5", "socks5h"):
            where = ("-x", f"{scheme}://127.0.0.1:{proxy.port}")
            assert get(*where, nginx.url + "/big.bin") == BIG
            assert get(*where, "--cacert", nginx.ca, nginx.tls_url + "/a.txt") == TEXT
            got = get(*where, *[nginx.url + "/n/1"] * 3, "-w", "%{num_connects} ")
            assert got.replace(b"number 1\n", b"") == b"1 0 0 "
        port = nginx.url.rpartition(":")[2]
        for option in proxy.NAMED:
            got = get(option, f"127.0.0.1:{proxy.port}", f"http://localhost:{port}/a.txt")
            assert got == TEXT
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        ports = [port, proxy.blocked] if kind is Dante else [port]
        for port in ports:
            get("-x", f"socks5://127.0.0.1:{proxy.port}", f"http://127.0.0.1:{port}/", status=4)
    finally:
        proxy.close()
