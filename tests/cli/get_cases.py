"""The command lines of test_get_table.py: what follows the program's name, what curl's exit status
is (code), and in what hail is meant to differ (but). <url> and its like are filled in by the test.
"""

TABLE = []
U = "<url>"


class Case:
    """files: there before, in the folder that is also HOME; vary: patterns that are not compared;
    unordered: requests and lines of output come as they come; loud: without -sS."""

    def __init__(self, group, args, code=0, stdin=b"", files=None, env=None, but="", vary=(),
                 unordered=False, loud=False, name=""):
        self.args = [str(arg) for arg in args]
        self.args += [] if loud else ["-sS"]
        if not any(arg.startswith(("-A", "--user-agent", "User-Agent")) for arg in self.args):
            self.args += ["-A", "agent"]
        self.code, self.stdin, self.files, self.env = code, stdin, files or {}, env or {}
        self.but, self.vary, self.unordered = but.split(), vary, unordered
        words = " ".join(map(str, args)).replace(U, "")
        self.id = f"{group}: {name or words[:90]}"


def group(function):
    """The function gives (args, keywords): the cases of a group named as it is."""
    name = function.__name__.replace("_", " ")
    seen = {}
    for args, keywords in function():
        case = Case(name, args, **keywords)
        seen[case.id] = seen.get(case.id, 0) + 1
        if seen[case.id] > 1:
            case.id += f" ({seen[case.id]})"
        TABLE.append(case)
    return function


def c(*args, **keywords):
    return args, keywords


@group
def requests():
    yield c(U + "/seen")
    yield c(U)
    yield c(U + "?a=b")
    yield c(U + "/seen?a=b&c=%20d")
    yield c(U + "/seen?")
    yield c(U + "/seen#fragment")
    yield c(U + "/seen?q#fragment")
    yield c("<at>/seen")
    yield c("HTTP://127.0.0.1:<port>/seen")
    yield c("http://LOCALHOST:<port>/seen", "--ipv4", but="requests stdout")  # WHATWG: lower case
    yield c("<v6>/seen")
    yield c("http://user:secret@<at>/seen")
    yield c("http://user@<at>/seen")
    yield c("http://us%65r:sec%3Aret@<at>/seen")
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "BREW", "get"):
        yield c("-X", method, U + "/seen")
    yield c("-X", "POST", U + "/seen")
    yield c("-I", U + "/text")
    yield c("-I", "-X", "GET", U + "/empty")
    yield c("--head", U + "/status/404")
    yield c("-I", U + "/chunked")
    yield c("-0", U + "/seen")
    yield c("--http1.0", "-d", "a=b", U + "/echo")
    yield c("--http1.1", U + "/seen")
    yield c("-0", U + "/seen", U + "/seen")
    yield c("-A", "some agent/1.0", U + "/seen")
    yield c("-A", "", U + "/seen")
    yield c("-H", "User-Agent;", U + "/seen")
    yield c("-e", "http://referer.test/", U + "/seen")
    yield c("--referer", "x", U + "/seen")
    yield c("--url", U + "/seen", "--url", U + "/text")
    yield c(U + "/seen", "--url", U + "/text", but="requests stdout")  # operands come last
    yield c("--request-target", "*", "-X", "OPTIONS", U)
    yield c("--request-target", "/seen?other", U + "/text")
    yield c("--path-as-is", U + "/a/../seen")
    yield c(U + "/a/../seen")
    yield c(U + "/a/./b/../../seen")
    yield c(U + "/../../seen")
    yield c(U + "/a%2fb/%2e%2e/seen", but="requests stdout")  # WHATWG: %2e%2e is ".."
    yield c(U + "/a//b///seen")
    yield c(U + "/seen?a=1;b='2'&c=\"", but="requests stdout")  # WHATWG: %22 and %27
    yield c("--url-query", "a=b c", U + "/text")
    yield c("--url-query", "a=b", "--url-query", "=x&y", U + "/text?z")
    yield c("--url-query", "+as=it%20is", U + "/text")
    yield c("--url-query", "name@query.txt", U + "/text", files={"query.txt": b"a&b=c\n"})
    yield c("--url-query", "only", U + "/seen#fragment")
    yield c("-G", "-d", "a=b", U + "/seen")
    yield c("-G", "-d", "a=b", "-d", "c=d", U + "/seen?z=1")
    yield c("-G", "--data-urlencode", "a=b c/d", U + "/text")
    yield c("-G", "-d", "a=b", "--url-query", "c=d", U + "/seen",
            but="requests stdout")  # both go out
    yield c("-G", "-I", "-d", "a=b", U + "/seen")
    yield c("-G", "-X", "PUT", "-d", "a=b", U + "/seen")


@group
def fields():
    for field in ("X-Own: value", "X-Own:value", "X-Own:   spaces  inside  ", "X-Empty;", "Accept:",
                  "Host:", "Host: other.test", "Accept: text/html", "User-Agent: mine",
                  "X-Colon: a:b",
                  "Connection: close", "Connection: keep-alive",
                  "Referer: http://a/", "Range: bytes=0-4", "X-Nothing:", "User-Agent:"):
        yield c("-H", field, U + "/seen")
    yield c("-H", "X-One: 1", "-H", "X-One: 2", "-H", "X-Two: 3", U + "/seen")
    yield c("-H", "Accept: a", "-H", "Accept: b", U + "/seen")
    yield c("-H", "@fields.txt", U + "/seen",
            files={"fields.txt": b"X-One: 1\nX-Two: 2\r\n\nAccept:\n"})
    yield c("-H", "Content-Type: text/plain", "-d", "data", U + "/echo")
    yield c("-H", "Content-Type:", "-d", "data", U + "/echo")
    yield c("-H", "Content-Length: 4", "-d", "data", U + "/echo")
    yield c("-H", "Transfer-Encoding: chunked", "-d", "data", U + "/echo")
    yield c("-X", "POST", "-H", "Content-Length: 0", U + "/seen")
    yield c("-H", "X-One: 1", "-H", "X-One;", U + "/seen")
    yield c("-H", "Expect:", "--data-binary", "@big", U + "/no-100", files={"big": b"x" * 1100000})
    yield c("-H", "Expect: 100-continue", "-d", "data", U + "/echo")
    yield c("-H", "Authorization: Custom x", U + "/seen")
    yield c("-H", "Cookie: a=b", U + "/seen")
    yield c("-H", "X-Umlaut: \xe4", U + "/seen")


@group
def data():
    yield c("-d", "a=b", U + "/echo")
    yield c("-d", "", U + "/echo")
    yield c("-d", "a=b", "-d", "c=d", U + "/echo")
    yield c("-d", "a b&c=\u00e4", U + "/echo")
    yield c("--data", "@data.txt", U + "/echo", files={"data.txt": b"one\ntwo\r\nthree\n"})
    yield c("-d", "@-", U + "/echo", stdin=b"from\nstdin\n")
    yield c("-d", "a", "-d", "@data.txt", U + "/echo", files={"data.txt": b"file\n"})
    yield c("-d", "@empty", U + "/echo", files={"empty": b""})
    yield c("-d", "@missing", U + "/echo",
            but="status requests connections stdout")  # no file is an error
    yield c("--data-raw", "@data.txt", U + "/echo")
    yield c("--data-raw", "a=b", "-d", "c", U + "/echo")
    yield c("--data-binary", "@data.txt", U + "/echo", files={"data.txt": bytes(range(256))})
    yield c("--data-binary", "@-", U + "/echo", stdin=b"line\nline\r\n\0end")
    yield c("--data-binary", "as=it is\n", U + "/echo")
    yield c("--data-binary", "@big", U + "/echo", files={"big": b"0123456789abcdef" * 65536})
    yield c("--data-binary", "@big", U + "/echo", files={"big": b"0123456789abcdef" * 65536 + b"!"})
    for value in ("a b&c", "=a b&c", "name=a b&c", "name=", "=", "n@me=x", "\u00e4",
    "-._~azAZ09!*'()"):
        yield c("--data-urlencode", value, U + "/echo")
    yield c("--data-urlencode", "@data.txt", U + "/echo", files={"data.txt": b"a b\nc\xff"})
    yield c("--data-urlencode", "name@data.txt", U + "/echo", files={"data.txt": b"a b\nc"})
    yield c("--data-urlencode", "a=1 2", "-d", "b=3 4", U + "/echo")
    yield c("-X", "PUT", "-d", "a=b", U + "/echo")
    yield c("-X", "DELETE", "-d", "a=b", U + "/echo")
    yield c("-X", "GET", "-d", "a=b", U + "/echo")
    yield c("-d", "a=b", U + "/echo", U + "/echo")
    yield c("-d", "a=b", "--max-time", "20", "-i", U + "/status/204")
    yield c("--expect100-timeout", "0.2", "-H", "Expect: 100-continue", "-d", "data", U + "/no-100")
    yield c("--data-binary", "@big", U + "/417", files={"big": b"x" * 1100000}, but="connections")
    yield c("-H", "Expect: 100-continue", "-d", "data", U + "/early", but="connections")
    yield c("-d", "data", "-i", U + "/1xx")


@group
def uploads():
    up = {"up.txt": b"to be uploaded\n" * 10}
    yield c("-T", "up.txt", U + "/echo", files=up)
    yield c("-T", "up.txt", U + "/upload/", files=up)
    yield c("-T", "up.txt", U, files=up)
    yield c("-T", "dir/up.txt", U + "/upload/", files={"dir/up.txt": b"x"})
    yield c("-T", "b b.txt", U + "/upload/", files={"b b.txt": b"x"})
    yield c("-T", "-", U + "/echo", stdin=b"from standard input")
    yield c("-T", "-", U + "/echo", stdin=b"x" * 200000)
    yield c("-T", "-", U + "/echo", stdin=b"")
    yield c("-T", "empty", U + "/echo", files={"empty": b""})
    yield c("-T", "big", U + "/echo", files={"big": b"0123456789abcdef" * 100000})
    yield c("-T", "up.txt", "-X", "POST", U + "/echo", files=up)
    yield c("-T", "up.txt", "-H", "Content-Type: text/plain", U + "/echo", files=up)
    yield c("-T", "up.txt", "-H", "Transfer-Encoding: chunked", U + "/echo", files=up,
            but="requests")
    yield c("-T", "up.txt", U + "/echo", "-T", "two.txt", U + "/echo", files={**up,
            "two.txt": b"2"})
    yield c("-T", "up.txt", "-C", "20", U + "/echo", files=up)
    yield c("-T", "missing", U + "/echo", code=26)
    yield c("-T", "up.txt", "-f", U + "/status/403", files=up, code=22)


@group
def forms():
    up = {"up.txt": b"file\n", "page.html": b"page", "blob": bytes(range(256))}
    for value in ("a=b", "a=", "a=b c;type=text/x", "f=@up.txt", "f=@up.txt;type=text/csv",
                  "f=@up.txt;filename=other.txt", 'f=@up.txt;filename="with \\"quotes\\".txt"',
                  "f=<up.txt", "f=<up.txt;type=text/x", "f=@blob", "f=@page.html",
                  "a=b;headers=\"X-Own: v\"", 'a="quoted; text"', "f=@up.txt,page.html",
                  "f=@\"up.txt\"", "a=x=y", "a=@up.txt;filename=a/b.txt", "\u00e4=\u00f6"):
        yield c("-F", value, U + "/echo", files=up, vary=["-{24}[0-9a-f]{16}"],
                but="status stderr requests connections stdout" if "," in value else "")
    for args in (("-F", "a=b", "-F", "c=@up.txt", "-F", "d=e"), ("--form-string", "a=@b;type=x"),
                 ("--form-string", "a=<b", "-F", "c=d"), ("-F", 'quo"te=x'),
                 ("--form-escape", "-F", 'quo"te=x\\'), ("-X", "PUT", "-F", "a=b"),
                 ("-F", "a=<-"), ("-F", "a=@-;type=text/x"),
                 ("-H", "Content-Type: multipart/form-data", "-F", "a=b"),
                 ("-F", "a=@-;filename=name.txt;type=a/b")):
        yield c(*args, U + "/echo", files=up, stdin=b"standard input\n", vary=["-{24}[0-9a-f]{16}"])
    yield c("-F", "f=@missing", U + "/echo", code=26)
    yield c("-F", "noequals", U + "/echo", code=2)


@group
def output():
    yield c("-o", "file", U + "/text")
    yield c("--output", "file", U + "/empty")
    yield c("-o", "file", U + "/text", files={"file": b"old content that is longer" * 1000})
    yield c("-o", "a", U + "/text", "-o", "b", U + "/bytes")
    yield c("-o", "a", "-o", "b", U + "/text", U + "/bytes")
    yield c("-o", "a", U + "/text", U + "/empty", U + "/seen")
    yield c("-o", "-", U + "/text")
    yield c("-o", "/dev/null", U + "/text")
    yield c("-o", "no/such/folder", U + "/text", code=23, but="connections")
    yield c("-o", "folder", U + "/text", code=23, files={"folder/x": b""}, but="connections")
    yield c("--create-dirs", "-o", "new/folder/file", U + "/text")
    yield c("--output-dir", "out", "--create-dirs", "-o", "file", U + "/text")
    yield c("--output-dir", "out", "-o", "file", U + "/text", files={"out/x": b""})
    yield c("--output-dir", "out", "-O", U + "/text", files={"out/x": b""})
    yield c("-O", U + "/text")
    yield c("-O", U + "/text?query")
    yield c("-O", U + "/echo/a.b")
    yield c("-O", U + "/", code=23, but="status")  # no name: usage
    yield c("-O", U + "/text", "-O", U + "/bytes")
    yield c("--remote-name-all", U + "/text", U + "/bytes")
    yield c("--remote-name-all", U + "/text", "-o", "other", U + "/bytes")
    yield c("-OL", U + "/to/302/text")
    for name in ("token", "quoted", "folder", "escape", "first", "none"):
        yield c("-OJ", U + "/name/" + name)
    yield c("-OJ", U + "/name/inline")
    yield c("-OJ", U + "/text")
    yield c("-OJ", U + "/text", files={"text": b"old"})
    yield c("-OJ", U + "/name/token", files={"token.txt": b"old"}, code=23)
    yield c("-OJ", "--no-clobber", U + "/name/token", files={"token.txt": b"old"})
    yield c("-OJ", "--output-dir", "out", U + "/name/token", files={"out/x": b""})
    yield c("-i", U + "/text")
    yield c("-i", U + "/fields")
    yield c("-i", "-o", "file", U + "/text")
    yield c("-i", "-L", U + "/to/301/text")
    yield c("-i", U + "/1xx")
    yield c("-i", U + "/chunked")
    yield c("-i", U + "/trailers", but="stdout")  # curl prints the trailers behind the content
    yield c("-i", U + "/status/404")
    yield c("-i", U + "/204")
    yield c("-I", U + "/text", U + "/bytes")
    yield c("-I", "-o", "file", U + "/text")
    yield c("-D", "heads", U + "/text")
    yield c("-D", "heads", "-o", "file", U + "/text", U + "/bytes")
    yield c("-D", "heads", "-L", U + "/hop/2")
    yield c("-D", "-", U + "/text")
    yield c("-D", "heads", "-I", U + "/text")
    yield c("--no-clobber", "-o", "file", U + "/text", files={"file": b"old"})
    yield c("--no-clobber", "-o", "file", U + "/text", files={"file": b"old", "file.1": b"old"})
    yield c("-v", U + "/text", loud=True)
    yield c("-s", U + "/reset", code=56, loud=True)
    yield c("-sS", U + "/reset", code=56)
    yield c("--stderr", "errors", U + "/nothing", code=52, but="files")
    yield c("--no-progress-meter", U + "/text", loud=True)


@group
def statuses():
    for status in (200, 201, 203, 299, 300, 400, 404, 418, 500, 503, 599):
        yield c(U + f"/status/{status}")
    for status in (399, 400, 404, 500):
        code = 22 if status >= 400 else 0
        yield c("-f", U + f"/status/{status}", code=code)
        yield c("--fail-with-body", U + f"/status/{status}", code=code)
    yield c("-f", "-o", "file", U + "/status/404", code=22)
    yield c("--fail-with-body", "-o", "file", U + "/status/404", code=22)
    yield c("-f", "-i", U + "/status/404", code=22)
    yield c("-f", "-I", U + "/status/404", code=22)
    yield c("-f", U + "/status/404", U + "/text",
            but="status connections")  # the first failure stays
    yield c("-f", U + "/text", U + "/status/404", code=22)
    yield c("-sf", U + "/status/404", code=22, loud=True)
    yield c("-f", "-D", "heads", U + "/status/500", code=22)
    yield c("-fL", U + "/to/302/status/404", code=22)
    for path in ("205", "no-reason", "1xx", "304", "204", "empty"):
        yield c(U + "/" + path)


@group
def framings():
    for path in ("chunked", "trailers", "chunk-extensions", "until-close", "http10", "closing",
                 "fields", "bytes", "big", "weak"):
        yield c(U + "/" + path)
        yield c(U + "/" + path, U + "/seen", U + "/text")
    for path, code in (("short", 18), ("cut-chunk", 18), ("nothing", 52), ("reset", 56)):
        yield c(U + "/" + path, code=code)
        yield c("-o", "file", U + "/" + path, code=code, but="files")
    yield c(U + "/garbage", code=1, but="status")
    yield c(U + "/bare-lf", but="status stdout stderr")  # refused, see test_get_hostile.py
    yield c(U + "/http10-keeps")
    yield c("-H", "Connection: close", U + "/text", U + "/text")
    yield c("--max-filesize", "100", U + "/text", code=63, but="connections")
    yield c("--max-filesize", "1M", U + "/text")
    yield c("--max-filesize", "3300", U + "/text")
    yield c("--max-filesize", "100", U + "/text", "-o", "file", code=63, but="connections")


@group
def codings():
    for name in ("gzip", "x-gzip", "br", "zstd", "deflate", "raw-deflate", "identity",
    "empty-gzip"):
        yield c("--compressed", U + "/coded/" + name)
        yield c("--compressed", U + f"/coded/{name}/chunked")
    yield c("--compressed", U + "/coded/GZip")
    yield c(U + "/coded/gzip")
    yield c("-H", "Accept-Encoding: gzip", U + "/coded/gzip")
    yield c("--compressed", "-H", "Accept-Encoding: br", U + "/coded/br")
    yield c("--compressed", "-i", U + "/coded/gzip")
    yield c("--compressed", "-o", "file", U + "/coded/gzip", U + "/text")
    yield c("--compressed", "-I", U + "/coded/gzip")
    yield c("--compressed", U + "/text")
    yield c("--compressed", U + "/seen", but="stdout")  # the codings in another order
    yield c("--compressed", U + "/coded/no-gzip", code=61)
    yield c("--compressed", U + "/coded/unknown", code=61, but="stdout")
    yield c("--compressed", U + "/coded/wrong-sum", code=61, but="stdout")
    yield c("--compressed", U + "/coded/more-gzip", code=23, but="status stdout stderr")


@group
def ranges():
    for value in ("0-4", "5-", "-5", "0-", "10-20000", "3299-", "0-0"):
        yield c("-r", value, U + "/text")
    yield c("-r", "0-4", "-i", U + "/bytes")
    yield c("-r", "0-1,4-5", U + "/seen")
    yield c("--range", "9999-", U + "/text")
    yield c("-f", "-r", "9999-", U + "/text", code=22)
    yield c("-r", "0-4", U + "/no-ranges")
    yield c("-C", "100", U + "/text")
    yield c("-C", "100", "-o", "file", U + "/text", files={"file": b"x" * 100})
    yield c("-C", "-", "-o", "file", U + "/text", files={"file": b"a line of a text"})
    yield c("-C", "-", "-o", "file", U + "/text")
    yield c("-C", "-", "-O", U + "/text", files={"text": b"a line"})
    yield c("-C", "-", "-o", "file", U + "/bytes", files={"file": bytes(range(256)) * 39})
    yield c("-C", "0", U + "/text")
    yield c("-C", "10", U + "/no-ranges", code=33)
    yield c("-C", "10", U + "/wrong-range", code=33)
    yield c("-C", "-", "-o", "file", U + "/text",
            files={"file": b"a line of a text that compresses\n" * 100})
    yield c("-C", "-", "-o", "file", "<python>/a.txt", code=33, files={"file": b"a"})
    yield c("-C", "-", "-o", "file", "<nginx>/big.bin", files={"file": b"not what is there"})


@group
def conditions():
    yield c("--etag-save", "tag", U + "/text")
    yield c("--etag-save", "tag", "-o", "file", U + "/weak")
    yield c("--etag-save", "tag", U + "/seen", but="files")  # curl leaves an empty file
    yield c("--etag-compare", "tag", U + "/text", files={"tag": b'"v1"\n'})
    yield c("--etag-compare", "tag", U + "/text", files={"tag": b'"other"'})
    yield c("--etag-compare", "tag", U + "/seen", files={"tag": b""})
    yield c("--etag-compare", "missing", U + "/seen", code=26,
            but="status requests connections stdout stderr")  # newer curls ask, too
    yield c("--etag-compare", "tag", "--etag-save", "tag", U + "/text", files={"tag": b'"old"\n'})
    yield c("--etag-compare", "tag", "--etag-save", "tag", "-o", "file", U + "/text",
            files={"tag": b'"v1"\n', "file": b"kept"})


@group
def redirects():
    for status in (301, 302, 303, 307, 308):
        yield c("-L", U + f"/to/{status}/seen")
    for status in (301, 302, 303, 307, 308):
        yield c("-L", "-d", "a=b", U + f"/to/{status}/seen")
        yield c("-L", "-X", "PUT", "-d", "a=b", U + f"/to/{status}/text",
                but="" if status > 303 else "requests")  # curl sends the method without the content
        yield c("-L", "-I", U + f"/to/{status}/text")
    for status in (302, 307):
        yield c("-L", "-T", "up", U + f"/to/{status}/echo", files={"up": b"content"})
        yield c("-L", "-F", "a=b", U + f"/to/{status}/echo", vary=["-{24}[0-9a-f]{16}"])
    for keep in ("--post301", "--post302", "--post303"):
        yield c("-L", keep, "-d", "a=b", U + f"/to/{keep[-3:]}/seen")
    yield c("-L", U + "/hop/5")
    yield c("-L", "--max-redirs", "5", U + "/hop/5")
    yield c("-L", "--max-redirs", "4", U + "/hop/5", code=47)
    yield c("-L", "--max-redirs", "0", U + "/hop/1", code=47)
    yield c("-L", "--max-redirs", "-1", U + "/hop/60")
    yield c("-L", U + "/loop", code=47)
    yield c(U + "/to/302/seen")
    yield c("-L", U + "/no-location")
    yield c("-L", U + "/refresh")
    yield c("--location", "-e", ";auto", U + "/to/302/seen")
    yield c("-L", "-e", "http://first/;auto", U + "/hop/2")
    for where in ("/seen", "seen?a=b", "../seen", "?seen", "//localhost:PORT/seen", "/seen#frag",
                  "http://localhost:PORT/seen", "./a/../seen?x=/../", "/status/404"):
        yield c("-L", U + "/location?" + where, name="to " + where)
    yield c("-L", U + "/location?gopher://127.0.0.1/x", code=1, but="status", name="to gopher")
    yield c("-L", U + "/location?file:///etc/passwd", code=1, but="status", name="to a file")
    yield c("-L", U + "/location?http://127.0.0.1:<closed>/", code=7, name="to nothing")
    yield c("-L", U + "/location?https://127.0.0.1:PORT/seen", "-k", name="to https")
    yield c("-L", "-u", "user:secret", U + "/location?/seen", name="login stays")
    yield c("-L", "-u", "user:secret", U + "/location?http://localhost:PORT/seen",
            name="login goes")
    yield c("-L", "--location-trusted", "-u", "user:secret",
            U + "/location?http://localhost:PORT/seen", name="login is trusted")
    yield c("-L", "-H", "Authorization: x", "-H", "Cookie: a=b",
            U + "/location?http://localhost:PORT/seen", name="own login goes")
    yield c("-L", "-H", "X-Own: stays", U + "/location?http://localhost:PORT/seen",
            name="own stays")
    yield c("-L", "-b", "a=b", U + "/location?/seen", name="cookie stays")
    yield c("-L", "-b", "a=b", U + "/location?http://localhost:PORT/text", but="requests",
            name="cookie goes")  # curl gives -b's to anybody
    yield c("-L", "-r", "0-4", U + "/to/302/text")
    yield c("-L", "-o", "file", U + "/hop/2")
    yield c("-L", "--compressed", U + "/to/302/coded/gzip")
    yield c("-L", U + "/to/302/text", U + "/to/302/bytes")
    yield c("-L", "<nginx>/sub")
    yield c("-L", "<python>/sub")


@group
def logins():
    for option in ("-u", "--user"):
        yield c(option, "user:secret", U + "/login/basic")
    yield c("-u", "user:wrong", U + "/login/basic")
    yield c("-u", "user:with:colons", U + "/seen")
    yield c("-u", "user:", U + "/seen")
    yield c("-u", "us\u00e4r:p\u00e4ss", U + "/seen")
    yield c("--basic", "-u", "user:secret", U + "/login/basic")
    yield c("-u", "user:secret", "http://other:login@<at>/seen")
    yield c("-f", U + "/login/basic", code=22)
    yield c("--oauth2-bearer", "token.t", U + "/login/bearer")
    yield c("--oauth2-bearer", "token.t", "-u", "user:secret", U + "/seen", but="requests stdout")
    for kind in ("md5", "sha256", "opaque", "old", "sess", "quote"):
        yield c("--digest", "-u", "user:secret", U + "/login/" + kind)
    yield c("--digest", "-u", "user:wrong", U + "/login/md5")
    yield c("--digest", "-u", "user:secret", "-d", "a=b", U + "/login/md5")
    yield c("--digest", "-u", "user:secret", "-X", "PUT", "-d", "a=b", U + "/login/md5")
    yield c("--digest", "-u", "user:secret", "-T", "up", U + "/login/md5", files={"up": b"content"})
    yield c("--digest", "-u", "user:secret", "-I", U + "/login/md5")
    yield c("--digest", "-u", "user:secret", "-i", U + "/login/md5")
    yield c("--digest", "-u", "user:secret", U + "/login/md5?query=1")
    yield c("--digest", "-u", "user:secret", U + "/login/md5", U + "/login/md5",
            but="requests connections")  # curl asks for a challenge again
    yield c("--digest", "-u", "user:secret", U + "/seen")
    yield c("--digest", "-u", "user:secret", U + "/login/basic")
    yield c("--anyauth", "-u", "user:secret", U + "/login/basic")
    yield c("--anyauth", "-u", "user:secret", U + "/login/sha256")
    yield c("--anyauth", "-u", "user:secret", U + "/login/both")
    for way in ("echo", "login/basic", "to/307/login/md5", "to/302/login/md5", "status/404"):
        yield c("--digest", "-u", "user:secret", "-d", "a=b", "-L", U + "/" + way)
    yield c("--digest", "-u", "user:secret", "-T", "up", U + "/echo", files={"up": b"content"})
    yield c("--anyauth", "-u", "user:secret", "-d", "a=b", U + "/echo",
            but="requests connections")  # hail sends the content when it knows how to log in
    yield c("--anyauth", "-u", "user:secret", "-d", "a=b", U + "/login/basic", but="requests")
    yield c("--anyauth", "-u", "user:secret", U + "/login/bearer")
    for login in ("user:secret", "user:wrong"):
        yield c("--anyauth", f"http://{login}@<at>/login/basic")
        yield c("--digest", f"http://{login}@<at>/login/md5")
    yield c("--netrc-file", "rc", "--anyauth", U + "/login/basic",
            files={"rc": b"default login user password wrong"})
    netrc = b"machine 127.0.0.1 login user password secret\nmachine other.test login o password p\n"
    yield c("--netrc-file", "rc", U + "/login/basic", files={"rc": netrc})
    yield c("--netrc-file", "rc", U + "/login/basic",
            files={"rc": b"default login user password secret\n"})
    yield c("--netrc-file", "rc", U + "/seen",
            files={"rc": b"machine other.test login a password b\n"})
    yield c("--netrc-file", "rc", U + "/seen",
            files={"rc": b'machine 127.0.0.1\n  login "quo ted"\n  password "a\\"b"\n'})
    yield c("-n", U + "/login/basic", files={".netrc": netrc})
    yield c("--netrc-optional", U + "/seen")
    yield c("--netrc-optional", "-u", "a:b", U + "/seen", files={".netrc": netrc})
    yield c("-n", "-u", "a:b", U + "/seen", files={".netrc": netrc})
    yield c("--netrc-file", "rc", "--digest", U + "/login/md5", files={"rc": netrc})


@group
def cookies():
    jar = b"# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkept\tvalue\n"
    yield c("-b", "a=b", U + "/seen")
    yield c("-b", "a=b; c=d", U + "/seen")
    yield c("--cookie", "a=b", "-b", "c=d", U + "/text",
            but="requests")  # curl: no space behind the ";"
    yield c("-b", "jar", U + "/seen", files={"jar": jar})
    yield c("-b", "missing", U + "/set?a=b", U + "/seen")
    yield c(U + "/set?a=b", U + "/seen")
    yield c("-b", "", U + "/set?a=b", U + "/seen")
    yield c("-b", "", U + "/set?a=b&c=d", U + "/text", but="requests")  # the later first
    yield c("-b", "", U + "/set?a=b;Path=/other&c=d;path=/", U + "/seen")
    yield c("-b", "", U + "/set?a=b&a=c", U + "/seen")
    yield c("-b", "", U + "/set?a=b", U + "/set?a=;Max-Age=0", U + "/seen")
    yield c("-b", "", U + "/set?a=b", U + "/set?a=b;+Expires=Thu,+01+Jan+1970+00:00:00+GMT",
            U + "/seen")
    yield c("-b", "", U + "/set?a=b;Domain=127.0.0.1", U + "/seen")
    yield c("-b", "", U + "/set?a=b;Domain=other.test", U + "/seen")
    yield c("-b", "", U + "/set?a=b;Secure", U + "/text", but="requests")  # not over http
    yield c("-b", "", U + "/set?a=b;HttpOnly", U + "/seen")
    yield c("-b", "", U + "/set?a=%22quoted%22", U + "/seen")
    yield c("-b", "", U + "/set?a", U + "/text", but="requests")  # a value without a name
    yield c("-b", "", U + "/set?__Host-a=b", U + "/seen")
    yield c("-b", "", U + "/set?__Secure-a=b;Secure", U + "/text", but="requests")
    yield c("-b", "", U + "/set?a+=+b+", U + "/seen")
    yield c("-b", "", U + "/set?one=1;path=/seen&two=2", U + "/seen")
    yield c("-c", "jar", U + "/set?a=b", files={}, but="files")  # a comment of their own each
    yield c("-b", "jar", "-c", "jar", U + "/set?new=1", U + "/seen", files={"jar": jar},
            but="files")
    yield c("-b", "jar", "-j", U + "/seen", files={"jar": jar})
    yield c("-b", "jar", "-b", "a=b", U + "/seen", files={"jar": jar})
    yield c("-b", "jar", U + "/seen",
            files={"jar": b"#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\th\tv\n"})
    yield c("-b", "jar", U + "/seen", files={"jar": b"127.0.0.1\tFALSE\t/other\tFALSE\t0\th\tv\n"})
    yield c("-b", "jar", U + "/text", files={"jar": b"127.0.0.1\tFALSE\t/\tTRUE\t0\th\tv\n"},
            but="requests")
    yield c("-b", "jar", U + "/seen", files={"jar": b"127.0.0.1\tFALSE\t/\tFALSE\t1000\th\tv\n"})
    yield c("-b", "jar", U + "/seen", files={"jar": b"no cookies\nhere\n"})
    yield c("-L", "-b", "", U + "/set?a=b", U + "/to/302/seen")


@group
def ways():
    yield c("--resolve", "name.test:<port>:127.0.0.1", "http://name.test:<port>/seen")
    yield c("--resolve", "*:<port>:127.0.0.1", "http://any.test:<port>/seen")
    yield c("--resolve", "name.test:80:127.0.0.1", "--resolve", "name.test:<port>:127.0.0.1",
            "http://name.test:<port>/seen")
    yield c("--connect-to", "name.test:80:127.0.0.1:<port>", "http://name.test/seen")
    yield c("--connect-to", "::127.0.0.1:<port>", "http://name.test/seen")
    yield c("--connect-to", "name.test::127.0.0.1:<port>", "http://name.test:99/seen")
    yield c("--connect-to", "other.test:80:127.0.0.1:1", "--connect-to", "::127.0.0.1:<port>",
            "http://name.test/seen")
    yield c("--unix-socket", "<socket>", "http://name.test/seen")
    yield c("--unix-socket", "/no/such/socket", "http://name.test/seen", code=7)
    yield c("--interface", "lo", U + "/seen")
    yield c("--interface", "127.0.0.1", U + "/seen")
    yield c("--interface", "127.0.0.9", U + "/seen")
    yield c("--interface", "no-such-interface", U + "/seen", code=45)
    yield c("-4", U + "/seen")
    yield c("http://127.0.0.1:<closed>/", code=7)
    yield c("--connect-timeout", "5", U + "/seen")
    yield c("-m", "2", U + "/slow", code=28)
    yield c("--max-time", "1.5", U + "/stall", code=28)
    yield c("-m", "2", "-o", "file", U + "/stall", code=28, but="files")
    yield c("-y", "1", "-Y", "1000", U + "/stall", code=28)
    yield c("--limit-rate", "1M", U + "/text")
    yield c("--limit-rate", "2M", U + "/big")
    yield c("--limit-rate", "100k", "-d", "a=b", U + "/echo")
    # proxies
    for proxy in ("http://<at>", "<at>", "http://<at>/"):
        yield c("-x", proxy, "http://name.test/seen")
    yield c("--proxy", "http://<at>", "http://name.test:8080/seen?a=b")
    yield c("-x", "http://user:secret@<at>", "http://closed-door.test/seen")
    yield c("-x", "http://<at>", "-U", "user:secret", "http://closed-door.test/seen")
    yield c("-x", "http://<at>", "--proxy-user", "user:wrong", "http://closed-door.test/seen")
    yield c("-x", "http://<at>", "http://closed-door.test/seen")
    yield c("-x", "http://<at>", "http://refused.test/seen")
    yield c("-x", "http://<at>", "-p", "http://name.test/seen")
    yield c("-x", "http://<at>", "-p", "-U", "user:secret", "http://closed-door.test/seen")
    yield c("-x", "http://<at>", "-p", "http://refused.test/seen", code=56)
    yield c("-x", "http://<at>", "-k", "https://name.test/seen")
    yield c("-x", "http://<at>", "-k", "-U", "user:secret", "https://closed-door.test/seen")
    yield c("-x", "http://<at>", "-k", "https://closed-door.test/seen", code=56)
    yield c("-x", "http://<at>", "-k", "https://refused.test/seen", code=56)
    yield c("-x", "http://<at>", "-k", "-i", "https://name.test/text",
            but="stdout")  # CONNECT's head
    yield c("-x", "http://<at>", "-u", "a:b", "http://name.test/seen")
    yield c("-x", "http://<at>", "-d", "a=b", "http://name.test/echo")
    yield c("-x", "http://<at>", "-H", "X-Own: v", "-e", "r", "http://name.test/seen")
    yield c("-x", "http://<at>", "http://name.test/seen", "http://two.test/seen")
    yield c("-x", "http://<at>", "-L", "http://name.test/hop/2")
    yield c("-x", "http://127.0.0.1:<closed>", "http://name.test/", code=7)
    yield c("-x", "http://<at>", "--noproxy", "127.0.0.1", U + "/seen")
    yield c("-x", "http://<at>", "--noproxy", "*", U + "/seen")
    yield c("-x", "http://<at>", "--noproxy", "127.0.0.0/8", U + "/seen")
    yield c("-x", "http://<at>", "--noproxy", "other.test,127.0.0.1", U + "/seen")
    yield c("-x", "http://<at>", "--noproxy", "other.test", "http://name.test/seen")
    yield c("-x", "http://<at>", "--noproxy", "xname.test", "http://name.test/seen")
    for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
        yield c("http://name.test/seen", env={name: "http://<at>"}, name=name)
    yield c(U + "/seen", env={"HTTP_PROXY": "http://127.0.0.1:1"}, name="HTTP_PROXY is not heeded")
    yield c("-k", "https://name.test/seen", env={"https_proxy": "http://<at>"}, name="https_proxy")
    yield c("-k", "https://name.test/seen", env={"HTTPS_PROXY": "http://<at>"}, name="HTTPS_PROXY")
    yield c(U + "/seen", env={"http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"},
            name="no_proxy")
    yield c(U + "/seen", env={"http_proxy": "http://127.0.0.1:1", "NO_PROXY": "*"}, name="NO_PROXY")
    yield c("-x", "", U + "/seen", env={"http_proxy": "http://127.0.0.1:1"},
            name="-x '' over http_proxy")
    yield c("--socks5", "<at>", U + "/seen")
    yield c("--socks5", "user:secret@<at>", U + "/seen")
    yield c("--socks5", "<at>", "-U", "user:secret", U + "/seen")
    yield c("--socks5-hostname", "<at>", "http://name.test:8080/seen")
    yield c("--socks5-hostname", "<at>", "http://refused.test/seen", code=97)
    yield c("--socks5-hostname", "<at>", "-k", "https://name.test/seen")
    yield c("--socks4", "<at>", U + "/seen")
    yield c("--socks4a", "<at>", "http://name.test:8080/seen")
    yield c("--socks4a", "<at>", "http://refused.test/seen", code=97)
    for scheme in ("socks4", "socks5", "socks4a", "socks5h"):
        name = "127.0.0.1:<port>" if scheme in ("socks4", "socks5") else "name.test"
        yield c("-x", f"{scheme}://<at>", f"http://{name}/seen")


@group
def tls():
    yield c("<tls>/seen", code=60)
    yield c("-k", "<tls>/seen")
    yield c("--insecure", "<tls>/seen", "<tls>/text")
    yield c("--cacert", "<ca>", "<tls>/seen")
    yield c("--cacert", "<ca>", "https://localhost:<port>/seen", "-4")
    yield c("--cacert", "/no/such/file", "<tls>/seen", code=77)
    yield c("--cacert", "<ca>", "--connect-to", "::127.0.0.1:<port>", "https://wrong.test/seen",
            code=60)
    yield c("--cacert", "<ca>", "--cert", "<cert>", "--key", "<key>", "<tls>/seen")
    yield c("--cacert", "<ca>", "-E", "<both>", "<tls>/seen")
    yield c("--cacert", "<ca>", "--cert", "/no/such", "--key", "<key>", "<tls>/seen", code=58)
    yield c("--tlsv1.2", "-k", "<tls>/seen")
    yield c("--tlsv1.3", "-k", "<tls>/seen")
    yield c("-k", "https://127.0.0.1:<closed>/", code=7)
    yield c("--cacert", "<ca>", "<nginx-tls>/a.txt", "<nginx-tls>/big.bin")
    yield c("--cacert", "<ca>", "-d", "a=b", "<tls>/echo")
    yield c("--cacert", "<ca>", "-T", "-", "<tls>/echo", stdin=b"y" * 100000)
    yield c("--cacert", "<ca>", "-o", "file", "<tls>/big")
    yield c("--cacert", "<ca>", "<tls>/chunked", "<tls>/until-close")
    yield c("--cacert", "<ca>", "-L", "<tls>/hop/3")


@group
def retries():
    for status in (408, 429, 500, 502, 503, 504):
        yield c("--retry", "1", U + f"/once/status/{status}", but="stdout stderr")
    yield c("--retry", "1", U + "/status/404")
    yield c("--retry", "1", "-f", U + "/once/status/503", but="stderr connections")
    yield c("--retry", "1", "--retry-delay", "1", "-o", "file", U + "/once/status/503",
            but="stderr")
    yield c("--retry", "1", U + "/once/status/503/1", but="stdout stderr")
    yield c("--retry", "1", U + "/reset", code=56, but="requests connections stderr")
    yield c("--retry", "1", "--retry-all-errors", U + "/once/reset", but="stderr")
    yield c("--retry", "1", "--retry-all-errors", U + "/once/close", but="stderr")
    yield c("--retry", "1", "--retry-all-errors", "-f", U + "/once/status/404",
            but="stderr connections")
    yield c("--retry", "1", "--retry-all-errors", "-o", "file", U + "/once/cut",
            but="stderr requests")  # hail asks for the rest, see test_get_resume.py
    yield c("--retry", "1", "--retry-connrefused", "http://127.0.0.1:<closed>/", code=7)
    yield c("--retry", "2", "--retry-max-time", "1", "--retry-delay", "2", U + "/status/503",
            but="stderr requests connections stdout")  # no wait that ends behind the limit
    yield c("--retry", "1", "-m", "2", U + "/once/slow",
            but="stderr status requests connections stdout")  # -m is for all of it
    yield c("--retry", "0", U + "/status/503")


QUIET = "stderr"  # curl shows its progress in spite of -s


@group
def several():
    yield c(U + "/text", U + "/bytes", U + "/seen")
    yield c(U + "/text", "http://127.0.0.1:<closed>/", code=7)
    yield c("http://127.0.0.1:<closed>/", U + "/text", but="status")  # the first failure stays
    yield c("-Z", U + "/text", U + "/seen", but=QUIET, unordered=True)
    yield c("-Z", "-o", "a", U + "/text", "-o", "b", U + "/bytes", "-o", "c", U + "/big",
            but=QUIET, unordered=True)
    yield c("-Z", "--remote-name-all", U + "/text", U + "/bytes", U + "/empty", but=QUIET,
            unordered=True)
    yield c("-Z", "--parallel-max", "1", "-o", "a", U + "/text", "-o", "b", U + "/bytes",
            but=QUIET, unordered=True)
    yield c("-Z", "-f", U + "/text", U + "/status/404", code=22, but=QUIET, unordered=True)
    yield c("-Z", *(f"{U}/seen?{i}" for i in range(20)), but=QUIET, unordered=True)
    yield c("-Z", *(x for i in range(20) for x in ("-o", f"f{i}", f"{U}/seen?{i}")), but=QUIET,
            unordered=True, name="-Z into 20 files")
    yield c("-Z", "-L", "-o", "a", U + "/hop/3", "-o", "b", U + "/hop/2", but=QUIET, unordered=True)


@group
def configs():
    for text in (b"url = <url>/seen\n", b"--url <url>/seen\n-H \"X-One: 1\"\n",
                 b"# comment\nurl=\"<url>/seen\"\n\nheader = \"X-Q: \\\"q\\\"\"\nhead\n",
                 b"-d a=b\nurl: <url>/echo\n",
                 b"url = <url>/text\noutput = file\nurl = <url>/bytes\n",
                 b"-o file\n-s\nlocation\nurl <url>/hop/2\n", b"request PUT\nurl <url>/seen\r\n"):
        yield c("-K", "config", files={"config": text},
                name="-K " + text.decode().replace("\n", "|").replace(U, ""))
    yield c("-K", "config", U + "/echo", files={"config": b'data = "x\\ty"\n'})
    yield c("--config", "-", U + "/echo", stdin=b'data = "x=y"\n')
    own = b'header = "X-Config: there"\n'
    both = {".curlrc": own, ".config/hail/get": own}
    yield c(U + "/seen", files=both, name="the file of one's own")
    yield c("-q", U + "/seen", files=both)
    yield c("-K", "missing", U + "/seen", code=26, but="status")
    yield c("-K", "config", U + "/seen", files={"config": b"no-such-option-at-all\n"},
            but="status requests connections stdout")


VARIABLES = """content_type errormsg exitcode filename_effective ftp_entry_path http_code response_code
    http_connect http_version local_ip method num_connects num_headers num_redirects onerror
    proxy_ssl_verify_result redirect_url referer remote_ip remote_port scheme size_download size_header
    size_request size_upload ssl_verify_result url url_effective urlnum""".split()
TIMES = """local_port speed_download speed_upload time_appconnect time_connect time_namelookup
    time_pretransfer time_redirect time_starttransfer time_total""".split()


@group
def write_out():
    for name in VARIABLES:
        yield c("-w", f"%{{{name}}}|\\n", "-o", "file", U + "/text")
    for name in TIMES:
        yield c("-w", f"%{{{name}}}|\\n", "-o", "file", U + "/text", vary=[r"\d+"])
        yield c("-k", "-L", "-w", f"%{{{name}}}|\\n", "-o", "file", "<tls>/hop/2", vary=[r"\d+"],
                name=f"{name} of https and redirects")
    most = "|".join(f"{n}=%{{{n}}}" for n in VARIABLES if n not in ("errormsg", "onerror"))
    size, own = "size_request=[0-9]+", "exitcode=[0-9]+"
    for args, code, vary in (
            (("-L", U + "/hop/3"), 0, ()), ((U + "/to/302/seen?x",), 0, ()),
            (("-I", U + "/text"), 0, ()),
            (("-o", "a", U + "/text", "-o", "b", U + "/bytes"), 0, ()), ((U + "/chunked",), 0, ()),
            ((U + "/http10",), 0, ()), (("<v6>/text",), 0, ()), (("-i", U + "/1xx"), 0, ()),
            (("-x", "http://<at>", "http://n.test/text"), 0, ()), ((U + "/short",), 18, (own,)),
            (("-e", "http://ref/", U + "/location?//localhost:PORT/"), 0, ()),
            (("-d", "a=b", U + "/echo"), 0, (size,)),  # curl counts the content, too
            (("--compressed", U + "/coded/gzip"), 0, (size,)),
            (("-k", "<tls>/text"), 0, ("result=[1-9][0-9]*",)),  # another number
            (("-T", "up", U + "/upload"), 0, (size, "size_header=[0-9]+")),  # curl got a 100
            (("-f", U + "/status/404"), 22, (own, "size_download=[0-9]+")),  # hail reads it
            (("-x", "http://<at>", "-p", "http://n.test/text"), 0, (size, "size_header=[0-9]+")),
            (("http://127.0.0.1:<closed>/",), 7, (own, "scheme=[A-Z]*"))):
        yield c("-w", "\n" + most + "\n", *args, code=code, files={"up": b"content"}, vary=vary,
                name="all of " + " ".join(args).replace(U, ""))
    for text in ("plain", "%%", "100%", "\\t\\n\\r\\\\", "%{unknown}", "%{http_code", "%{", "%",
                 "%{http_code}%{http_code}", "a\\qb", "%header{x-one}",
                 "%header{etag}|%header{ETAG}", "%header{nothing}", "%{onerror}only then",
                 "%x{http_code}"):
        yield c("-w", text, U + "/fields")
    yield c("-w", "@format", U + "/text", files={"format": b"code %{http_code}\n"})
    yield c("-w", "@-", U + "/text", stdin=b"%{size_download}\n")
    yield c("-w", "@-", U + "/text", U + "/empty", stdin=b"%{size_download}\\n\n")
    yield c("-w", "@missing", U + "/text", but="status requests connections stdout")
    yield c("-w", "%{stderr}to error %{http_code}%{stdout}to output\n", U + "/text")
    yield c("-w", "%{http_code}%{onerror} failed\n", "-f", U + "/status/500", code=22)
    for url in ("http://n.test/text", "http://refused.test/", "http://closed-door.test/"):
        yield c("-w", "%{http_connect}\n", "-p", "-x", "http://<at>", url,
                code=0 if "n.t" in url else 56)
    yield c("-w", "%{filename_effective}\n", "-O", U + "/text")
    yield c("-w", "%{filename_effective}\n", "-OJ", U + "/name/token")
    yield c("-w", "%{urlnum} %{num_connects}\n", U + "/text", U + "/empty", U + "/closing",
            U + "/text")


@group
def real_servers():
    for server in ("<nginx>", "<python>"):
        for path in ("/a.txt", "/b%20b.txt", "/", "/sub/", "/big.bin", "/missing"):
            yield c(server + path)
        yield c("-i", server + "/a.txt")
        yield c("-I", server + "/a.txt")
        yield c("-f", server + "/missing", code=22)
        yield c("-o", "file", server + "/big.bin")
        yield c("-O", server + "/a.txt", "-O", server + "/big.bin")
        yield c("-H", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", server + "/a.txt")
        yield c("-X", "DELETE", server + "/a.txt")
        yield c("-d", "a=b", server + "/a.txt")
    yield c("-r", "100-199", "<nginx>/big.bin")
    yield c("-r", "-100", "-i", "<nginx>/big.bin")
    yield c("-r", "0-9,20-29", "<nginx>/big.bin", vary=[r"\d{20}"])
    yield c("<nginx>/chunked/a.txt", "<nginx>/gone", "<nginx>/empty", "<nginx>/moved")
    yield c("-L", "-i", "<nginx>/moved")
    yield c("--etag-save", "tag", "<nginx>/a.txt")


@group
def usage():
    yield c(code=2)
    yield c("http://", code=3)
    yield c("http://127.0.0.1:99999/", code=3)
    yield c("http://127.0.0.1:port/", code=3)
    yield c("nothing://127.0.0.1/", code=1)
    yield c("http://[::1/", code=3)
    yield c("http://no-such-name.invalid/", code=6)
    yield c("--no-such-option", U, code=2)
    yield c("-m", "letters", U, code=2)
    yield c("-d", "a", "-F", "b=c", U, code=2, but="stderr")
    yield c("-d", "a", "-I", U, code=2, but="stderr")
    yield c("--max-redirs", "x", U, code=2)
    yield c("-C", "letters", U, code=2)
    yield c("--limit-rate", "fast", U, code=2)
    yield c("--resolve", "nonsense", U, code=49, but="status")
