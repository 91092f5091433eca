"""What the recorder answers in test_get_table.py: a site of many small paths, without a clock or
chance in it, so that two clients that ask the same get the same bytes.

    /text /bytes /big /empty        entities with validators and ranges; /weak has a weak ETag
    /chunked /trailers /until-close framings; /204 /205 /304 /head-only
    /gzip /br /zstd /deflate ...    content codings; CODINGS names them all
    /status/N                       that status, with a body; /status/N/bare without
    /to/N/PATH                      a redirect by status N to /PATH; /hop/N a chain, /loop endless
    /echo /echo/...                 the request's content; /seen its method and fields
    /set/... /login/...             cookies; Basic and Digest
    /name/N                         Content-Disposition, see NAMES
    /once/WHAT                      fails the first time, is /text from then on
    /early /1xx /no-100 /417        interim responses and answers before the content
"""

import base64
import collections
import gzip
import hashlib
import re
import zlib

from recorder import CLOSE, RESET, basic

TEXT = b"a line of a text that compresses\n" * 100
BYTES = bytes(range(256)) * 40
BIG = hashlib.shake_128(b"big").digest(1 << 20)
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"
TAG = '"v1"'
BR = base64.b64decode("G+MMAARqc92SLleRFwQ3wwzLTZL6LK0s7U7XFZM4q7+8csWc3H0EAHqGAA==")
ZSTD = base64.b64decode(
    "KLUv/WDkC1UBABQCYSBsaW5lIG9mIGEgdGV4dCB0aGF0IGNvbXByZXNzZXMKAQABJvHVEw==")


def raw_deflate(content):
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    return made.compress(content) + made.flush()


GZIP = gzip.compress(TEXT, mtime=0)
CODINGS = {
    "gzip": ("gzip", GZIP), "x-gzip": ("x-gzip", GZIP), "GZip": ("GZip", GZIP), "br": ("br", BR),
    "zstd": ("zstd", ZSTD), "deflate": ("deflate", zlib.compress(TEXT)),
    "raw-deflate": ("deflate", raw_deflate(TEXT)), "identity": ("identity", TEXT),
    "twice": ("gzip, gzip", gzip.compress(GZIP, mtime=0)),
    "mixed": ("deflate, gzip", gzip.compress(zlib.compress(TEXT), mtime=0)),
    "cut-gzip": ("gzip", GZIP[:-12]), "no-gzip": ("gzip", TEXT), "unknown": ("rot13", TEXT),
    "wrong-sum": ("gzip", GZIP[:-8] + bytes(4) + GZIP[-4:]),
    "more-gzip": ("gzip", GZIP + gzip.compress(b"more\n", mtime=0)),
    "empty-gzip": ("gzip", gzip.compress(b"", mtime=0)),
    "no-content": ("gzip", b""),
}
NAMES = {
    "token": "attachment; filename=token.txt",
    "quoted": 'attachment; filename="quoted name.txt"',
    "escaped": r'attachment; filename="a\"b.txt"',
    "folder": 'attachment; filename="up/there/name.txt"',
    "escape": 'attachment; filename="../../outside.txt"',
    "inline": "inline; filename=inline.txt",
    "first": 'attachment; size=3; filename="second.txt"',
    "case": "Attachment; FileName=upper.txt",
    "none": "attachment",
    "backslash": r'attachment; filename="C:\\dir\\win.txt"',
}
DIGEST = {
    "md5": 'realm="here", nonce="n1", algorithm=MD5, qop="auth"',
    "sha256": 'realm="here", nonce="n2", algorithm=SHA-256, qop="auth"',
    "opaque": 'realm="here", nonce="n3", qop="auth,auth-int", opaque="o", algorithm=MD5',
    "old": 'realm="here", nonce="n4"',
    "sess": 'realm="here", nonce="n5", algorithm=MD5-sess, qop="auth"',
    "quote": r'realm="a \"quoted\" realm", nonce="n6", qop="auth"',
}


def made(status, content=b"", *fields, reason="Reason", length=True):
    lines = [f"HTTP/1.1 {status} {reason}", *fields]
    lines += [f"Content-Length: {len(content)}"] if length else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def chunks(content, trailers=b""):
    cut = [content[i:i + 100] for i in range(0, len(content), 100)]
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in cut) + b"0\r\n" + trailers + b"\r\n"


class Site:
    """answer() for a Recorder; forget() before each client."""

    def __init__(self):
        self.seen = collections.Counter()

    def forget(self):
        self.seen.clear()

    def answer(self, request):
        self.seen[request.path] += 1
        name, _, rest = request.path[1:].partition("/")
        page = getattr(self, "at_" + re.sub(r"\W", "_", name), None)
        pieces = page(request, rest) if page else [made(404, b"nothing there\n")]
        for piece in [pieces] if isinstance(pieces, bytes) else pieces:
            if request.method == "HEAD" and isinstance(piece, bytes):
                piece = piece.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            yield piece

    # --- entities ---

    def entity(self, request, content, tag=TAG, kind="text/plain"):
        fields = [f"Content-Type: {kind}", f"ETag: {tag}", f"Last-Modified: {DATE}",
                  "Accept-Ranges: bytes"]
        if tag in request.get("If-None-Match", "") or (
                not request.get("If-None-Match") and request.get("If-Modified-Since") == DATE):
            return made(304, b"", *fields[1:], length=False)
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.get("Range", ""))
        if not asked or request.get("If-Range", tag) not in (tag, DATE):
            return made(200, content, *fields)
        size = len(content)
        first, last = (int(n) if n else None for n in asked.groups())
        if first is None:
            first, last = max(0, size - last), size - 1
        last = size - 1 if last is None else min(last, size - 1)
        if first > last:
            return made(416, b"no such range\n", f"Content-Range: bytes */{size}")
        return made(206, content[first:last + 1], *fields,
                    f"Content-Range: bytes {first}-{last}/{size}")

    def at_text(self, request, _):
        return self.entity(request, TEXT)

    def at_bytes(self, request, _):
        return self.entity(request, BYTES, kind="application/octet-stream")

    def at_big(self, request, _):
        return self.entity(request, BIG, kind="application/octet-stream")

    def at_weak(self, request, _):
        return self.entity(request, TEXT, 'W/"w1"')

    def at_empty(self, request, _):
        return self.entity(request, b"")

    def at_no_ranges(self, *_):
        return made(200, TEXT, "Accept-Ranges: none")

    def at_wrong_range(self, *_):
        return made(206, TEXT, f"Content-Range: bytes 7-{len(TEXT) + 6}/9999")

    # --- framings ---

    def at_chunked(self, *_):
        return made(200, chunks(TEXT), "Transfer-Encoding: chunked", length=False)

    def at_trailers(self, *_):
        return made(200, chunks(TEXT, b"X-Sum: 1\r\nX-More: 2\r\n"), "Trailer: X-Sum",
                    "Transfer-Encoding: chunked", length=False)

    def at_chunk_extensions(self, *_):
        return made(200, b'5;a=b\r\nhello\r\n1 ;c="d"\r\n\n\r\n0;e\r\n\r\n',
                    "Transfer-Encoding: chunked", length=False)

    def at_until_close(self, *_):
        return [made(200, TEXT, length=False), CLOSE]

    def at_http10(self, *_):
        return [made(200, TEXT).replace(b"HTTP/1.1", b"HTTP/1.0", 1), CLOSE]

    def at_http10_keeps(self, *_):
        return made(200, TEXT, "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0", 1)

    def at_closing(self, *_):
        return [made(200, TEXT, "Connection: close"), CLOSE]

    def at_204(self, *_):
        return made(204, length=False)

    def at_205(self, *_):
        return made(205)

    def at_304(self, *_):
        return made(304, b"", "Content-Length: 99", length=False)

    def at_status(self, request, rest):
        code, _, bare = rest.partition("/")
        return made(code, b"" if bare else f"status {code}\n".encode())

    def at_no_reason(self, *_):
        return b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nok\n"

    def at_bare_lf(self, *_):
        return b"HTTP/1.1 200 OK\nContent-Length: 3\n\nok\n"

    def at_fields(self, *_):
        return made(200, b"ok\n", "X-One: first", "x-one: second", "X-Empty:", "X-Spaces:   a  b  ",
                    "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Long: " + "l" * 5000)

    def at_short(self, *_):
        return [made(200, b"", "Content-Length: 100", length=False) + b"ten bytes\n", CLOSE]

    def at_cut_chunk(self, *_):
        return [made(200, b"64\r\nten bytes\n", "Transfer-Encoding: chunked", length=False), CLOSE]

    def at_nothing(self, *_):
        return [CLOSE]

    def at_reset(self, *_):
        return [RESET]

    def at_garbage(self, *_):
        return [b"this is no HTTP at all\r\n\r\n", CLOSE]

    def at_slow(self, *_):
        return [10.0, made(200, TEXT)]

    def at_stall(self, *_):
        return [made(200, b"", "Content-Length: 100", length=False) + b"ten bytes\n", 10.0, CLOSE]

    def at_coded(self, _, rest):
        name, _, how = rest.partition("/")
        coding, content = CODINGS[name]
        if how == "chunked":
            return made(200, chunks(content), f"Content-Encoding: {coding}",
                        "Transfer-Encoding: chunked", length=False)
        return made(200, content, f"Content-Encoding: {coding}")

    # --- redirects ---

    def at_to(self, request, rest):
        code, _, path = rest.partition("/")
        return made(code, b"moved\n", f"Location: /{path}")

    def at_hop(self, _, rest):
        n = int(rest)
        return made(302, b"moved\n", f"Location: /hop/{n - 1}" if n > 1 else "Location: /seen")

    def at_loop(self, *_):
        return made(302, b"moved\n", "Location: /loop")

    def at_location(self, request, _):
        """The query is the Location, as it is; HOST, PORT are this server's."""
        target = request.target.partition("?")[2]
        port = request.get("Host", "").rpartition(":")[2]
        return made(302, b"moved\n", "Location: " + target.replace("PORT", port))

    def at_no_location(self, *_):
        return made(302, b"moved nowhere\n")

    def at_refresh(self, *_):
        return made(200, b"ok\n", "Refresh: 0; url=/text", "Location: /text")

    # --- what was asked ---

    def at_echo(self, request, _):
        return made(200, request.body, "Content-Type: application/octet-stream")

    def at_seen(self, request, _):
        fields = sorted(f"{name}: {value}" for name, value in request.fields)
        return made(200, "\n".join([request.line, *fields, ""]).encode())

    def at_upload(self, *_):
        return made(201, b"created\n")

    def at_early(self, *_):
        return [made(413, b"too much\n", "Connection: close"), CLOSE]

    def at_417(self, request, _):
        if request.get("Expect"):
            return made(417, b"not expected\n")
        return made(200, request.body)

    def at_no_100(self, request, _):
        return made(200, b"%d bytes\n" % len(request.body))

    def at_1xx(self, *_):
        return (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </style.css>\r\n\r\n" +
                made(200, b"after all\n"))

    # --- state ---

    def at_set(self, request, rest):
        query = request.target.partition("?")[2]
        return made(200, b"set\n", *(f"Set-Cookie: {c.replace('+', ' ')}" for c in query.split("&")))

    def at_login(self, request, rest):
        given = request.get("Authorization", "")
        if rest == "basic":
            wanted = ['WWW-Authenticate: Basic realm="here"'], given == basic("user:secret")
        elif rest == "bearer":
            wanted = ['WWW-Authenticate: Bearer'], given == "Bearer token.t"
        elif rest == "both":
            wanted = ['WWW-Authenticate: Basic realm="here"',
                      f'WWW-Authenticate: Digest {DIGEST["sha256"]}'], digest_right(request, "sha256")
        else:
            wanted = [f"WWW-Authenticate: Digest {DIGEST[rest]}"], digest_right(request, rest)
        return made(200, b"welcome\n" + request.body) if wanted[1] else made(401, b"who\n", *wanted[0])

    def at_name(self, _, rest):
        return made(200, b"content\n", f"Content-Disposition: {NAMES[rest]}")

    def at_once(self, request, rest):
        if self.seen[request.path] > 1:
            return self.entity(request, TEXT)
        what, _, value = rest.partition("/")
        if what == "status":
            code, _, after = value.partition("/")
            return made(code, b"not yet\n", *([f"Retry-After: {after}"] if after else []))
        return {"close": [CLOSE], "reset": [RESET], "slow": [10.0, CLOSE],
                "cut": [self.entity(request, TEXT)[:-1000], CLOSE]}[what]


def digest_right(request, kind):
    given = request.get("Authorization", "")
    if not given.startswith("Digest "):
        return False
    v = {k: q or t for k, q, t in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^ ,]+))', given)}
    realm = re.search(r'realm="((?:[^"\\]|\\.)*)"', DIGEST[kind])[1].replace("\\", "")
    made_of = hashlib.sha256 if kind == "sha256" else hashlib.md5

    def h(*parts):
        return made_of(":".join(parts).encode()).hexdigest()

    a1 = h("user", realm, "secret")
    if kind == "sess":
        a1 = h(a1, v["nonce"], v["cnonce"])
    a2 = h(request.method, v["uri"])
    middle = [v["nc"], v["cnonce"], v["qop"]] if "qop" in v else []
    return v["uri"] == request.target and v["response"] == h(a1, v["nonce"], *middle, a2)
