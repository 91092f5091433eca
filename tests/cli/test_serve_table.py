"""What hail serve answers, request by request, with curl: a table of cases by RFC 9110, 9111 and 9112,
on one server. A case is a target, curl's arguments, and what has to come back."""

import email.utils
import gzip
import os
import re
import subprocess

import pytest
import serving

TEXT = b"".join(b"line %d of a text that compresses\n" % i for i in range(200))
BINARY = bytes(range(256)) * 40
DATE = 1_000_000_000  # Sun, 09 Sep 2001 01:46:40 GMT
LATER = email.utils.formatdate(DATE + 60, usegmt=True)
SAME = email.utils.formatdate(DATE, usegmt=True)
EARLIER = email.utils.formatdate(DATE - 60, usegmt=True)
SAME_850 = "Sunday, 09-Sep-01 01:46:40 GMT"
SAME_ASCTIME = "Sun Sep  9 01:46:40 2001"


def H(*lines):  # noqa: N802  (curl's -H, once a line)
    return [arg for line in lines for arg in ("-H", line)]


def case(target, *args, code=200, body=None, **fields):
    """Fields are by name with _ for -; None: absent, otherwise a regular expression."""
    return target, list(args), code, body, {k.replace("_", "-"): v for k, v in fields.items()}


def plain():
    yield case("", body=b"<p>home\n", Content_Type="text/html; charset=utf-8", Content_Length="8",
               Last_Modified=SAME, ETag='"[^"]+"', Accept_Ranges="bytes", Date=".* GMT",
               X_Content_Type_Options="nosniff", Cache_Control="no-cache", Transfer_Encoding=None,
               Connection=None)
    yield case("index.html", body=b"<p>home\n")
    yield case("sub/", body=b"<p>sub\n")
    yield case("sub", code=301, Location="/sub/")
    yield case("sub?a=b&c", code=301, Location=r"/sub/\?a=b&c")
    yield case("a%20folder", code=301, Location="/a%20folder/")
    yield case("text.txt?query=1", body=TEXT)
    yield case("text.txt?", body=TEXT)
    yield case("empty", body=b"", Content_Length="0", ETag='"[^"]+"')
    yield case("binary.bin", body=BINARY)
    yield case("big", Content_Length=str(3 << 20))
    yield case("n%C3%A4me.txt", body=b"umlaut")
    yield case("a%20b.txt", body=b"space")
    yield case("per%2525cent", body=b"percent")
    yield case("q%3Fmark", body=b"question")
    yield case("h%23ash", body=b"hash")
    yield case("plus+plus", body=b"plus")
    yield case("%74%65%78%74.txt", body=TEXT)
    yield case("semi;colon", body=b"semicolon")
    yield case("link.txt", body=TEXT)
    yield case(".well-known/x", body=b"known")
    for name in ("nothing", "nothing/", "sub/nothing", "text.txt/", "text.txt/more", "TEXT.TXT",
                 ".hidden", "sub/.hidden", ".git/config", "fifo2", "text.txt.", "text.txt%20"):
        yield case(name, code=404, Content_Length="[1-9].*", ETag=None, Last_Modified=None)
    for name in ("fifo", "out", "shut/"):
        yield case(name, code=403) if name != "shut/" else case("list/", code=200)


def types():
    for ending, kind in (
            ("html", "text/html; charset=utf-8"), ("htm", "text/html; charset=utf-8"),
            ("css", "text/css; charset=utf-8"), ("js", "text/javascript; charset=utf-8"),
            ("mjs", "text/javascript; charset=utf-8"), ("json", "application/json"),
            ("txt", "text/plain; charset=utf-8"), ("md", "text/markdown; charset=utf-8"),
            ("csv", "text/csv; charset=utf-8"), ("xml", "(application|text)/xml.*"),
            ("svg", "image/svg[+]xml"), ("png", "image/png"), ("jpg", "image/jpeg"),
            ("jpeg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp"),
            ("avif", "image/avif"), ("ico", "image/.*icon"), ("pdf", "application/pdf"),
            ("wasm", "application/wasm"), ("zip", "application/zip"), ("mp4", "video/mp4"),
            ("webm", "video/webm"), ("mp3", "audio/mpeg"), ("ogg", "audio/ogg"),
            ("woff", "font/woff"), ("woff2", "font/woff2"), ("ttf", "font/.*"),
            ("webmanifest", "application/manifest[+]json"), ("gz", "application/gzip"),
            ("unknown-ending", "application/octet-stream"), ("HTML", "text/html; charset=utf-8")):
        yield case(f"types/file.{ending}", Content_Type=kind)
    yield case("types/noending", Content_Type="application/octet-stream")
    yield case("types/two.html.txt", Content_Type="text/plain; charset=utf-8")


def methods():
    for target in ("", "text.txt", "big", "sub/", "list/"):
        yield case(target, "-I", body=b"", Content_Length="[1-9].*")
    yield case("nothing", "-I", code=404, body=b"")
    yield case("sub", "-I", code=301, body=b"", Location="/sub/")
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        yield case("text.txt", "-X", method, code=405, Allow="GET, HEAD, OPTIONS")
        yield case("nothing", "-X", method, code=405, Allow="GET, HEAD, OPTIONS")
    for method in ("BREW", "get", "PROPFIND", "X" * 30):
        yield case("text.txt", "-X", method, code=501)
    yield case("text.txt", "-X", "OPTIONS", code=204, Allow="GET, HEAD, OPTIONS", body=b"",
               Content_Length=None)
    yield case("text.txt", "-X", "OPTIONS", "--request-target", "*", code=204,
               Allow="GET, HEAD, OPTIONS")
    yield case("text.txt", "--request-target", "*", code=400)
    yield case("text.txt", "--request-target", "http://other.example/text.txt", body=TEXT)
    yield case("text.txt", "--request-target", "HTTP://x/text.txt?a", body=TEXT)
    yield case("text.txt", "--request-target", "text.txt", code=400)
    yield case("", "--data", "x" * 100, code=405)
    yield case("text.txt", "-X", "GET", "--data", "x" * 100, body=TEXT)
    yield case("text.txt", "-X", "GET", "--data", "x", *H("Transfer-Encoding: chunked"), body=TEXT)
    yield case("text.txt", "-X", "GET", "--data", "x" * 5000, *H("Expect: 100-continue"), body=TEXT)
    yield case("text.txt", *H("Expect: something-else"), code=417)
    yield case("", "-0", body=b"<p>home\n", Connection="close")
    yield case("", "-0", *H("Connection: keep-alive"), body=b"<p>home\n", Connection="keep-alive")
    yield case("", *H("Connection: close"), Connection="close")
    yield case("", *H("Connection: Close, x"), Connection="close")
    yield case("", *H("Host:"), code=400)
    yield case("", *H("Host: any.example:99"), body=b"<p>home\n")


def paths():
    for path in ("../text.txt", "%2e%2e/text.txt", "sub/../text.txt", "./text.txt",
                 "sub/./../text.txt", "//text.txt", "sub//..//text.txt",
                 "sub/%2e%2e/text.txt", "../../../../text.txt"):
        yield case(path, body=TEXT)
    for path in ("../outside", "%2e%2e/outside", "..%2f..%2foutside", "sub/../../outside",
                 "..%5coutside", "..\\outside", "%252e%252e/outside", "....//outside",
                 "..;/outside", "%c0%ae%c0%ae/outside", "%e0%80%ae/outside", "..%c0%afoutside",
                 "..%u2215outside", "..%2ftext.txt", "sub%2F..%2Ftext.txt"):
        yield case(path, code="4..")
    for path in ("text.txt%00", "%00", "text.txt%00.html", "text.txt%0a", "%0d%0aX-Evil:%201",
                 "sub%0d%0aLocation:%20x"):
        yield case(path, code="4..", X_Evil=None)
    yield case("x" * 9000, code=414)
    yield case("x" * 5000, code="4..")
    yield case("x" * 300, code="4..")
    yield case("%zz", code="4..")
    yield case("%", code="4..")
    yield case("", *H("X: " + "y" * 8300), code=431)
    yield case("", *H(*[f"X{i}: y" for i in range(80)]), code=431)
    yield case("", *H(*[f"X{i}: {'y' * 1000}" for i in range(20)]), code=431)


def conditions(tag):
    quoted = [f"If-None-Match: {tag}"]
    yield case("text.txt", *H(*quoted), code=304, body=b"", ETag=re.escape(tag),
               Content_Length=None, Cache_Control="no-cache", Content_Type=None)
    yield case("text.txt", "-I", *H(*quoted), code=304)
    for value, code in ((f"W/{tag}", 304), (f'"x", {tag}', 304), (f'"x",{tag},"y"', 304),
                        (f" , ,{tag}", 304), ("*", 304), ('"x"', 200), ('W/"x"', 200),
                        (tag.strip('"'), 200), (tag[:-1], 200), (tag.upper() + "x", 200),
                        ('""', 200)):
        yield case("text.txt", *H(f"If-None-Match: {value}"), code=code)
    for value, code in ((tag, 200), ("*", 200), (f'"x", {tag}', 200), ('"x"', 412),
                        (f"W/{tag}", 412), ('W/"x"', 412)):
        yield case("text.txt", *H(f"If-Match: {value}"), code=code)
    yield case("nothing", *H("If-Match: *"), code=404)
    yield case("nothing", *H("If-None-Match: *"), code=404)
    for value, code in ((SAME, 304), (LATER, 304), (EARLIER, 200), (SAME_850, 304),
                        (SAME_ASCTIME, 304), ("yesterday", 200), ("", 200),
                        ("Sun, 99 Sep 2001 01:46:40 GMT", 200)):
        yield case("text.txt", *H(f"If-Modified-Since: {value}"), code=code)
    for value, code in ((SAME, 200), (LATER, 200), (EARLIER, 412), ("nonsense", 200)):
        yield case("text.txt", *H(f"If-Unmodified-Since: {value}"), code=code)
    # RFC 9110 section 13.2.2: entity tags go before dates, If-Match before If-None-Match
    yield case("text.txt", *H('If-None-Match: "x"', f"If-Modified-Since: {LATER}"), code=200)
    yield case("text.txt", *H(*quoted, f"If-Modified-Since: {EARLIER}"), code=304)
    yield case("text.txt", *H(f"If-Match: {tag}", f"If-Unmodified-Since: {EARLIER}"), code=200)
    yield case("text.txt", *H('If-Match: "x"', *quoted), code=412)
    yield case("text.txt", *H(f"If-Match: {tag}", *quoted), code=304)
    yield case("text.txt", *H('If-None-Match: "a"', *quoted), code=304)  # a list on two lines


def ranges(tag):
    size = len(BINARY)
    for wanted, first, last in (
            ("0-0", 0, 0), ("0-99", 0, 99), ("100-", 100, size - 1), ("-1", size - 1, size - 1),
            ("-500", size - 500, size - 1), (f"{size - 1}-", size - 1, size - 1),
            (f"0-{size * 2}", 0, size - 1), (f"-{size * 2}", 0, size - 1), ("5-5", 5, 5),
            (" 0-9 ", 0, 9), ("0-9,", 0, 9), (f"9000-{10 ** 30}", 9000, size - 1),
            ("0-9, 10-19", 0, 19), ("0-99,50-149", 0, 149)):
        yield case("binary.bin", *H(f"Range: bytes={wanted}"), code=206,
                   body=BINARY[first:last + 1], Content_Range=f"bytes {first}-{last}/{size}",
                   Content_Length=str(last - first + 1), ETag='"[^"]+"', Accept_Ranges="bytes")
    for wanted in (f"{size}-", "-0", f"{size}-{size + 5}", f"{10 ** 30}-"):
        yield case("binary.bin", *H(f"Range: bytes={wanted}"), code=416,
                   Content_Range=rf"bytes \*/{size}")
    for wanted in ("bytes=9-1", "bytes=x", "bytes=-", "bytes=", "bytes=1-2-3", "items=0-1",
                   "bytes=0x1-0x2", "bytes", "0-1", "bytes=+1-2"):
        yield case("binary.bin", *H(f"Range: {wanted}"), code=200, body=BINARY)
    yield case("binary.bin", *H("Range: BYTES=0-0"), code=206, body=BINARY[:1])
    yield case("binary.bin", *H("Range: bytes=0-9,100-109"), code=206,
               Content_Type="multipart/byteranges; boundary=.*", Content_Range=None)
    yield case("binary.bin", *H("Range: bytes=0-9,100-109,-5"), code=206,
               Content_Type="multipart/byteranges; boundary=.*")
    yield case("binary.bin", *H(f"Range: bytes=0-9,{size + 1}-"), code=206, body=BINARY[:10])
    yield case("binary.bin", *H("Range: bytes=" + ",".join(f"{i * 4}-{i * 4}" for i in range(500))),
               code=200, body=BINARY)
    yield case("binary.bin", "-I", *H("Range: bytes=0-9"), code=200, Content_Length=str(size))
    yield case("empty", *H("Range: bytes=0-0"), code=416, Content_Range=r"bytes \*/0")
    yield case("empty", *H("Range: bytes=-1"), code="(200|416)")
    yield case("big", *H("Range: bytes=3000000-3000009"), code=206, body=b"a" * 10)
    yield case("nothing", *H("Range: bytes=0-9"), code=404)
    for value, code in ((tag, 206), (SAME, 206), ('"x"', 200), (f"W/{tag}", 200), (LATER, 200),
                        (EARLIER, 200), ("nonsense", 200)):
        yield case("binary.bin", *H("Range: bytes=0-9", f"If-Range: {value}"), code=code)
    yield case("binary.bin", *H(f"If-Range: {tag}"), code=200)
    yield case("binary.bin", *H("Range: bytes=0-9", f"If-None-Match: {tag}"), code=304)
    yield case("binary.bin", *H("Range: bytes=0-9", 'If-Match: "x"'), code=412)
    yield case("binary.bin", *H("Range: bytes=99999-", f"If-None-Match: {tag}"), code=304)


def codings():
    for accept, coding in (
            ("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("GZIP", "gzip"), ("x-gzip", "gzip"),
            ("gzip, br, zstd", "(zstd|br)"), ("gzip;q=1, br;q=0.5", "gzip"),
            ("gzip;q=0.5, br;q=0.8, zstd;q=0.1", "br"), ("gzip;q=0, br;q=0, zstd", "zstd"),
            ("*", "(zstd|br|gzip)"), ("*;q=0.5, gzip;q=0", "(zstd|br)"), ("deflate, gzip", "gzip"),
            ("identity;q=0, gzip;q=0.1", "gzip"), (" gzip ; q=0.9 ", "gzip"), ("identity", None),
            ("", None), ("gzip;q=0", None), ("deflate", None), ("nonsense", None),
            ("gzip;q=0, *;q=0.1, identity;q=0.5", None), ("identity, gzip;q=0.5", None),
            ("gzip;q=x", None), ("gzip;q=1.5", None)):
        yield case("text.txt", *H(f"Accept-Encoding: {accept}"), Content_Encoding=coding,
                   Vary="Accept-Encoding", Content_Length="[1-9].*")
    yield case("text.txt", Content_Encoding=None, body=TEXT, Vary="Accept-Encoding")
    for name in ("types/file.png", "types/file.zip", "binary.bin", "empty", ""):
        yield case(name, *H("Accept-Encoding: gzip, br, zstd"), Content_Encoding=None)
    yield case("packed.js", *H("Accept-Encoding: gzip"), Content_Encoding="gzip",
               body=gzip.compress(b"packed", mtime=0), Content_Type="text/javascript.*",
               Vary="Accept-Encoding")
    yield case("packed.js", *H("Accept-Encoding: br"), Content_Encoding="br", body=b"brotli")
    yield case("packed.js", *H("Accept-Encoding: zstd"), Content_Encoding="zstd", body=b"zstandard")
    yield case("packed.js", Content_Encoding=None, body=b"packed")
    yield case("packed.js", *H("Accept-Encoding: gzip", "Range: bytes=0-1"), code=206,
               body=gzip.compress(b"packed", mtime=0)[:2], Content_Encoding="gzip")
    yield case("packed.js.gz", body=gzip.compress(b"packed", mtime=0), Content_Encoding=None,
               Content_Type="application/gzip")
    yield case("text.txt", "--compressed", body=None, Content_Encoding="(zstd|br|gzip)")
    yield case("text.txt", "-I", *H("Accept-Encoding: gzip"), Content_Encoding="gzip", body=b"")


def caching():
    for name in ("app.3f2a9c1b.js", "index-DiwrgT4a.css", "chunk.8d9f0a1b2c3d4e5f.js"):
        yield case(f"hashed/{name}", Cache_Control="public, max-age=31536000, immutable")
    for name in ("hashed/jquery.min.js", "hashed/version-2.0.css", "text.txt"):
        yield case(name, Cache_Control="no-cache")


def folders():
    yield case("list/", Content_Type="text/html; charset=utf-8", Vary="Accept, Accept-Encoding",
               Content_Security_Policy="default-src 'none'.*", ETag=None)
    yield case("list/", *H("Accept: application/json"), Content_Type="application/json",
               Content_Security_Policy=None)
    yield case("list/?json", Content_Type="application/json")
    yield case("list/", *H("Accept: text/html;q=0.5, application/json;q=0.4"),
               Content_Type="text/html.*")
    yield case("list/", *H("Accept: text/*, application/json;q=0.1"), Content_Type="text/html.*")
    yield case("list/", *H("Accept-Encoding: gzip"), Content_Encoding="gzip")
    yield case("list/?q=zzz", Content_Type="text/html.*")
    yield case("list", code=301, Location="/list/")
    yield case("nothing", *H("Accept: text/html"), code=404, Content_Type="text/html.*")
    yield case("nothing", *H("Accept: text/plain"), code=404, Content_Type="text/plain.*")
    yield case("nothing", code=404, Content_Type="text/plain.*")


TABLE = [*plain(), *types(), *methods(), *paths(), *codings(), *caching(), *folders(),
         *conditions('"t"'), *ranges('"t"')]


def make_site(root):
    for folder in ("sub", "list/deep", "types", "hashed", "a folder", ".git", ".well-known"):
        (root / folder).mkdir(parents=True)
    files = {"index.html": b"<p>home\n", "sub/index.html": b"<p>sub\n", "text.txt": TEXT,
             "binary.bin": BINARY, "empty": b"", "big": b"a" * (3 << 20), "n\u00e4me.txt": b"umlaut",
             "a b.txt": b"space", "per%25cent": b"percent", "q?mark": b"question",
             "h#ash": b"hash", "plus+plus": b"plus", "semi;colon": b"semicolon", ".hidden": b"no",
             "sub/.hidden": b"no", ".git/config": b"no", ".well-known/x": b"known",
             "packed.js": b"packed", "list/a": b"a", "types/noending": b"x",
             "types/two.html.txt": b"x"}
    for target, *_ in [*types(), *caching()]:
        files.setdefault(target, b"x")
    for name, data in files.items():
        (root / name).write_bytes(data)
        os.utime(root / name, (DATE, DATE))
    for ending, data in ((".gz", gzip.compress(b"packed", mtime=0)), (".br", b"brotli"),
                         (".zst", b"zstandard")):
        (root / ("packed.js" + ending)).write_bytes(data)
    (root / "link.txt").symlink_to("text.txt")
    (root / "out").symlink_to("../outside")
    (root.parent / "outside").write_bytes(b"outside")
    os.mkfifo(root / "fifo")


@pytest.fixture(scope="module")
def url(hail, tmp_path_factory):
    root = tmp_path_factory.mktemp("table") / "root"
    root.mkdir()
    make_site(root)
    with serving.Server(hail, "-q", root) as server:
        yield server.url


def ask(url, target, args):
    """Status, fields (by lower-case name), content. 1xx responses are passed over."""
    done = subprocess.run(["curl", "-sS", "-i", "--path-as-is", "-m", "30", *args, url + target],
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 1"):
        head, _, body = body.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = [line.split(": ", 1) for line in lines[1:]]
    return lines[0].split()[1], {name.lower(): value for name, value in fields}, body


def check(url, one):
    target, args, code, body, wanted = one
    got, fields, content = ask(url, target, args)
    wrong = []
    if not re.fullmatch(str(code), got):
        wrong.append(f"status {got}, not {code}")
    for name, value in wanted.items():
        found = fields.get(name.lower())
        if value is None and found is not None:
            wrong.append(f"{name}: {found}")
        if value is not None and not (found is not None and re.fullmatch(value, found)):
            wrong.append(f"{name}: {found}, not {value}")
    if body is not None and content != body:
        wrong.append(f"content {content[:80]!r} of {len(content)} bytes")
    return [f"{target[:60]} {' '.join(args)[:100]}: {what}" for what in wrong]


def test_there_are_as_many_cases_as_the_work_needs():
    assert len(TABLE) >= 250


@pytest.mark.parametrize("part", [plain, types, methods, paths, codings, caching, folders],
                         ids=lambda part: part.__name__)
def test_table(url, part):
    assert [line for one in part() for line in check(url, one)] == []


@pytest.mark.parametrize("part, name", [(conditions, "text.txt"), (ranges, "binary.bin")],
                         ids=["conditions", "ranges"])
def test_table_with_entity_tags(url, part, name):
    tag = ask(url, name, [])[1]["etag"]
    assert [line for one in part(tag) for line in check(url, one)] == []


def test_each_coding_has_an_entity_tag_of_its_own(url):
    tags = [ask(url, "text.txt", H(f"Accept-Encoding: {coding}"))[1]["etag"]
            for coding in ("identity", "gzip", "br", "zstd")]
    assert len(set(tags)) == 4 and not any(tag.startswith("W/") for tag in tags)
    for coding, tag in zip(("identity", "gzip", "br", "zstd"), tags):
        assert ask(url, "text.txt", H(f"Accept-Encoding: {coding}", f"If-None-Match: {tag}")
                   )[0] == "304"
    assert ask(url, "text.txt", H("Accept-Encoding: gzip", f"If-None-Match: {tags[0]}"))[0] == "200"


def test_the_parts_of_several_ranges(url):
    code, fields, body = ask(url, "binary.bin", H("Range: bytes=0-9,100-109,-5"))
    boundary = re.search("boundary=(.*)", fields["content-type"])[1].encode()
    parts = body.split(b"--" + boundary)
    assert code == "206" and int(fields["content-length"]) == len(body)
    assert parts[-1].strip() == b"--" and len(parts) == 5
    contents = [part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts[1:-1]]
    assert contents == [BINARY[:10], BINARY[100:110], BINARY[-5:]]
    assert b"Content-Range: bytes 100-109/10240" in parts[2]


@pytest.mark.parametrize("args, expected", [
    (("--clean-urls",), {"about": (200, b"about"), "about.html": (200, b"about"),
                         "sub/page": (200, b"page"), "nothing": (404, None)}),
    (("--spa",), {"some/route": (200, b"app"), "about.html": (200, b"about"),
                  "missing.js": (404, None), "": (200, b"app")}),
    (("--spa=shell.html",), {"some/route": (200, b"shell"), "missing.js": (404, None)}),
    (("--hidden",), {".secret": (200, b"secret")}),
    ((), {"nothing": (404, b"custom"), "about": (404, b"custom"), "404.html": (200, b"custom")}),
    (("--cache=60",), {"about.html": (200, b"about")}),
])
def test_options(hail, tmp_path, args, expected):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name, text in (("index.html", "app"), ("about.html", "about"), ("sub/page.html", "page"),
                       ("shell.html", "shell"), (".secret", "secret")):
        (root / name).write_text(text)
    if not args:
        (root / "404.html").write_text("custom")
    with serving.Server(hail, "-q", *args, root) as server:
        for target, (code, body) in expected.items():
            got, fields, content = ask(server.url, target, [])
            assert (target, int(got)) == (target, code) and body in (None, content)
            if "--cache=60" in args:
                assert fields["cache-control"] == "public, max-age=60"
