"""URLs and references as `hail get` reads them, beside `new URL()` of a real browser (headless
Chromium). Every request goes to a proxy of the test's, which sees none of the hosts for real and
answers with the Location that was asked for; -w tells how hail had read it.
"""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from browsing import MARKS, Browsers

pytestmark = MARKS

BASE = "http://a/b/c/d;p?q"

HOSTS = """
h H h. h.. . .. a.b a..b .a 1 1. 1.. 0 00 08 0x 0x. 0X7F.1 0x7f.0.0.1 127.1 127.0.1 127.0.0.1 127.0.0.1.
127.0.0.1.. 127..1 017700000001 2130706433 4294967295 4294967296 0xffffffff 0x100000000 256 256.1
1.256 1.65536 1.65535 1.2.65536 1.2.256.4 1.2.3.256 1.2.3.4.5 1.2.3.08 1.2.3.0x 1.2.3.0xg 0x.0x.0
0x.0 a.1 a.0x1 a.0x a.0xg a.1. a.1a 1.a 1e3 0b1 0o7 -1 +1 1_0 0x7f.0x1 00000000000000000000000001
99999999999999999999999999 foo.0x4 foo.09 a%2e1 %31%32%37.1 %30x7f.1 ０Ｘｃ０．０２５０．０１ １２７。１
[::1] [::] [1::] [::1:2] [1:2:3:4:5:6:7:8] [1:2:3:4:5:6:7::] [::2:3:4:5:6:7:8] [1::3:4:5:6:7:8]
[1:0:0:4:0:0:0:8] [1:0:0:4:5:0:0:8] [0:0:0:0:0:0:0:0] [0001:0DB8::ABCD] [::1.2.3.4] [::ffff:1.2.3.4]
[1:2:3:4:5:6:1.2.3.4] [::1.2.3.04] [::1.2.3] [::256.2.3.4] [::1.2.3.4.5] [::1.2.3.4:5] [00001::]
[:::] [1::2::3] [1:2:3:4:5:6:7] [1:2:3:4:5:6:7:8:9] [1:2:3:4:5:6:7:8::] [:1] [1:] [] [ [::1 ::1 [g::]
[::1]x [::1]]  x[::1] [%3a%3a1] [::1
a%41 a%zz a% %00 a%00b a%20b a%2fb a%25 a%3ab a%40b a%0d a%7f a%5b %ef%bc%85 ％41 a^b a|b a<b a>b a"b
a`b a{b a}b a!b a$b a&b a'b a(b a)b a*b a+b a,b a;b a=b a~b a_b -a a- a--b ab--c
bü.de BÜ.DE b%C3%BC.de faß.de xn--b-eha.de ü_x.de ü. 日本語。ＪＰ א.de bücher.example ｈ ㎒ ℡ a\u00adb \u00ad
""".split()

PORTS = ["h:", "h:80", "h:443", "h:0080", "h:1", "h:65535", "h:65536", "h:4294967376", "h:x",
         "h:1x", "h:-1", "h:+1", "h: 80", "h:8:0", "[::1]:81", "[::1]:", "1.2:81", ":80", ":"]
USERS = ["u@h", "u:p@h", "u:@h", ":p@h", ":@h", "@h", "u@", "@", "u:p:q@h", "u@v@h", "u:p@v:q@h",
         "a b@h", "ü@h", "u%40@h", "u%@h", "u;=[]|^'\"`{}<>@h", "u:;=[]|^'\"`{}<>@h",
         "~!$&()*+,-._@h", "::@h", "@@h", "u:p@[::1]:81", "\x01@h", "\x7f@h"]
TAILS = ["", "/", "?", "#", "/?", "/#", "?#", "/a", "/a/", "//", "//a", "/a//b", "/.", "/..", "/./",
         "/../", "/a/.", "/a/..", "/a/b/..", "/a/b/../c", "/a/../../../b", "/a//..", "/a//../b",
         "/a/...", "/a/.b", "/a/..b", "/%2e", "/%2E%2e", "/a/%2e%2E/b", "/a/.%2e", "/a/%2e./b",
         "/a/%2e%2e%2e", "/a%2f..", "/%2", "/%", "/%zz", "/%41", "/ a b", "/a?b c", "/a#b c", "/\\",
         "\\", "\\a\\..\\b", "/a\\b?c\\d#e\\f", "/\"<>^`{|}", "/'()*;:@&=+$,[]!~", "?\"<>^`{|}\\",
         "?'()*;/?:@&=+$,[]!~", "?a/../b", "#\"<>^`{|}\\", "#'()*;/?:@&=+$,[]!~", "#a#b", "#a?b",
         "?a?b", "/ü", "?ü", "#ü", "/日本", "/\x01", "?\x01", "#\x01", "/\x7f", "?\x7f", "/\u0080",
         "/a\tb", "?a\tb", "/a\nb", "#a\rb", "/;p=1/../x", "/a;b", "/a/./././b/", "/C|/x",
         "/../../..", "/😀", "/%c3%bc", "?%27'", "/a%5cb", "/a=b&c"]
WHOLE = ["http:h", "http:/h", "http:///h", "http:////h/x", "http:\\\\h\\x", "http:/\\h",
         "http:\\/h", "HTTP://h", "hTtPs://h", "http://", "http:", "http:/", "http:///", "http:?q",
         "http:#f", "http:///?", "https:h:80", "https:/h:443/", "https://h:80", "http://h:443",
         " http://h ", "\thttp://h\r\n", "ht\ttp://h", "http:\n//h", "http://h\t/", "http:/\t/h",
         "http://a\nb/", "http://h:8\t0/", "http://h:8\r\n1/", "\x01http://h/\x1f", "http://u\t@h/",
         "http://[:\n:1]/", "http://a b/", "http:// h/", "http://h /", "http://h/x ",
         "http://user:pa ss@h/a b?c d#e f", "http://1.2.3", "http:1.2.3/x", "http:8080",
         "http://\\h", "http://h\\@x", "http://h#@x", "http://h?@x", "http://h/@x", "http://u\\@h",
         "http:@h", "http:/@h", "http://@:80", "http://h:80:90", "http://http://h",
         "http://https:/x", "https:https:/x", "http://%", "http://%%", "http://%41%zz", "ftp://h/",
         "file:///x", "ws://h/"]
REFS = ["", "g", "./g", "g/", "/g", "//g", "?y", "g?y", "#s", "g#s", "g?y#s", ";x", "g;x",
        "g;x?y#s", ".", "./", "..", "../", "../g", "../..", "../../", "../../g", "../../../g",
        "../../../../g", "/./g", "/../g", "g.", ".g", "g..", "..g", "./../g", "./g/.", "g/./h",
        "g/../h", "g;x=1/./y", "g;x=1/../y", "g?y/./x", "g?y/../x", "g#s/./x", "g#s/../x", "http:g",
        "http:", "http:/g", "http:?x", "http:#x", "http:../g", "http:;x", "http://g", "http:///g",
        "http:\\g", "http:\\\\g", "http:/\\g", "https:g", "https:/g", "https:", "https:?x",
        "HTTP:g", "///g", "////g/x", "//", "///", "/\\g", "\\/g", "\\\\g", "\\g", "..\\g",
        "g\\..\\h", "g\\h?i\\j", "//g:80/x", "//g:443", "//u:p@g/", "//g:x", "//0x7f.1/",
        "//[::1]/", "//[::1", "//%41/", "//a%00/", "?", "#", "? x", "%2e%2e/g", "%2e", "g%", "g%2",
        "g h", "g\th", "ü", "//bü.de/", "a:b", "1:2", "./a:b", "g:h", "mailto:x",
        "javascript:alert(1)", "data:,x", "?'\"", "#`", "^", "{|}", "'", "/b/c/..", "//g/..",
        "g//h", "//g?x", "//g#x", "//g\\x", "/;x", "/:80", ":80", "@", "//@", "/@x", "*", "+x:y",
        "g=?h&i"]


def lines():
    yield from (f"http://{host}/" for host in HOSTS)
    yield from (f"{scheme}://{port}/x" for port in PORTS for scheme in ("http", "https"))
    yield from (f"http://{user}/" for user in USERS)
    yield from (f"https://h{tail}" for tail in TAILS)
    yield from WHOLE


URLS = list(dict.fromkeys(lines()))

# Where hail's answer is another one, None for a refusal. The browser departs from the standard:
CHROMIUM = {
    "http://[::1.2.3.04]/": None,  # the IPv6 parser: no zero in front
    "http://[%3a%3a1]/": None,  # percent-decoded is what is not in brackets
    "http://\uff0541/": None,  # decoded once: what is mapped to "%41" has a '%'
    "http://a%20b/": None, "http://a b/": None,  # a forbidden code point
    "http:// h/": None, "http://h /": None,
    "http://a*b/": "http://a*b/",  # not forbidden, and a host has no percent-encode set
    # "'" is not in the user's set
    "http://u;=[]|^'\"`{}<>@h/": "http://u%3B%3D%5B%5D%7C%5E'%22%60%7B%7D%3C%3E@h/",
    "http://u:;=[]|^'\"`{}<>@h/": "http://u:%3B%3D%5B%5D%7C%5E'%22%60%7B%7D%3C%3E@h/",
    "https://h/\"<>^`{|}": "https://h/%22%3C%3E%5E%60%7B|%7D",  # nor is '|' in the path's
    "https://h/C|/x": "https://h/C|/x",
    "{|}": "http://a/b/c/%7B|%7D",
}
# ... or hail, which cannot connect to port 0, needs the zones of link-local addresses, has the
# names of IDNA 2008 (A-labels unread), and takes a host without a scheme for one.
HAIL = {
    "http://h:0/": None,
    "http://[fe80::1%25lo]/": "http://[fe80::1]/", "http://[fe80::1%lo]/": "http://[fe80::1]/",
    "http://\u2603.net/": None, "http://\u00fc-.de/": None, "http://\u00fc!/": None,
    "http://xn--a/": "http://xn--a/",
    "h": "http://h/", "h:8080/x": "http://h:8080/x", "//h/x": "http://h/x", "h?q": "http://h/?q",
    "u:p@h": "http://u:p@h/",
}
OTHER = {**CHROMIUM, **HAIL}


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(302)
        if number := self.headers["Ref"]:
            self.flush_headers()
            self.wfile.write(b"Location: " + REFS[int(number)].encode() + b"\r\n")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_CONNECT(self):
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def proxy():
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browsers = Browsers(tmp_path_factory)
    yield browsers()
    browsers.close()


def ask(browser, texts, base=None):
    """What the browser makes of each; None: it refuses, or it is neither http nor https."""
    return browser.execute_script("""
        const [texts, base] = arguments;
        return texts.map(text => { try { const u = base ? new URL(text, base) : new URL(text);
            return /^https?:$/.test(u.protocol) ? u.href : null; } catch { return null; } });
        """, texts, base)


def get(hail, proxy, url, shown, *options):
    done = subprocess.run([hail, "get", "-q", "-s", "-x", proxy, "-o", "/dev/null", "-w", shown,
                           *options, url], capture_output=True, timeout=30)
    return done.stdout.decode() or None


def differences(texts, expected, got):
    expected = [OTHER.get(text, e) for text, e in zip(texts, expected)]
    return [f"{text!r}: {e!r} expected, not {g!r}"
            for text, e, g in zip(texts, expected, got) if e != g]


def test_urls(hail, proxy, browser):
    texts = URLS + list(HAIL)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda url: get(hail, proxy, url, "%{url_effective}"), texts))
    expected = ask(browser, texts)
    assert len(texts) > 300 and sum(e is not None for e in expected) > 200
    assert differences(texts, expected, got) == []


def test_references(hail, proxy, browser):
    def located(number):
        return get(hail, proxy, BASE, "%{redirect_url}", "-H", f"Ref: {number}")
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(located, range(len(REFS))))
    assert differences(REFS, ask(browser, REFS, BASE), got) == []


@pytest.mark.parametrize("url, target", [
    ("http://h/a/../b/%2e/./c", "/a/../b/%2e/./c"), ("http://h/..", "/.."), ("http://h", "/"),
    ("http:\\\\h\\a\\..\\b", "/a/../b"), ("h/../x y?q#f", "/../x%20y?q"), ("http://h?../x", "/?../x")])
def test_path_as_is(hail, proxy, url, target):
    shown = get(hail, proxy, url, "%{url_effective}", "--path-as-is")
    assert shown.partition("#")[0] == "http://h" + target
    done = subprocess.run([hail, "get", "--dry-run", "--path-as-is", url], capture_output=True,
                          text=True, timeout=30)
    assert done.stdout.splitlines()[0] == f"GET {target} HTTP/1.1"
