"""hail serve's page of a folder without an index: as HTML without scripts, as JSON; names that would
be markup, control characters or no text at all; many entries; what may not be read."""

import gzip
import html
import json
import os
import re
import subprocess
import threading
import urllib.parse

import pytest
import serving

HOSTILE = [b"<script>alert(1)<", b"a&amp;b", b"x\"y'z", b"new\nline", b"\x1b]0;t\x07", b"caf\xc3\xa9",
           b"\xe2\x80\xaegnp.exe", b"bad\xff\xfe", b"a:b", b"100%", b"%2e%2e", b"q?u#x", b" lead",
           b"back\\slash", b"-rf", b"javascript:alert(1)"]


class Site(serving.Server):
    """A running server; fetch() is curl."""

    def __init__(self, hail, *args):
        super().__init__(hail, "-q", *args)

    def fetch(self, target="", *args):
        return subprocess.run(["curl", "-sS", "--path-as-is", *args, self.url + target],
                              capture_output=True, check=True, timeout=60).stdout

    def status(self, target="", *args):
        return int(Site.fetch(self, target, "-o", "/dev/null", "-w", "%{http_code}", *args))

    def document(self, target=""):
        return json.loads(self.fetch(target, "-H", "Accept: application/json"))


def links(page):
    """The links of the entries, and their texts."""
    rows = re.findall(rb'<tr[^>]*><td><a href="([^"]*)">(.*?)</a>', page, re.S)
    return [(html.unescape(a.decode()), html.unescape(b.decode())) for a, b in rows]


def names(page):
    return [text for _, text in links(page)]


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "site"
    (root / "sub" / "deep").mkdir(parents=True)
    for name, size in (("b.txt", 3), ("a10", 2000), ("a9", 1 << 20)):
        (root / name).write_bytes(b"x" * size)
        os.utime(root / name, (10 ** 9 + size, 10 ** 9 + size))
    (root / ".secret").write_text("no")
    (root / "sub" / ".git").mkdir()
    return root


def test_folders_first_then_by_name_with_numbers(hail, site):
    with Site(hail, site) as server:
        page = server.fetch()
    assert names(page) == ["sub/", "a9", "a10", "b.txt"]
    assert b"1 folder, 3 files" in page and b"1.0 MiB" in page


@pytest.mark.parametrize("query, order", [
    ("?sort=size", ["sub/", "b.txt", "a10", "a9"]),
    ("?sort=size&order=desc", ["sub/", "a9", "a10", "b.txt"]),
    ("?sort=modified", ["sub/", "b.txt", "a10", "a9"]),
    ("?order=desc", ["sub/", "b.txt", "a10", "a9"]),
    ("?q=A", ["a9", "a10"]),
    ("?q=%61%31", ["a10"]),
    ("?q=a+1", []),
    ("?sort=nothing&page=99999&%zz", ["sub/", "a9", "a10", "b.txt"]),
])
def test_sorted_and_searched_without_scripts(hail, site, query, order):
    with Site(hail, site) as server:
        assert names(server.fetch(query)) == order


def test_each_link_of_a_column_turns_the_order(hail, site):
    with Site(hail, site) as server:
        page = server.fetch("?sort=size&q=a")
        heads = re.findall(rb'<th scope=col data-by=(\w+)([^>]*)><a href="([^"]*)"', page)
        assert [(by, sort) for by, sort, _ in heads] == [
            (b"name", b""), (b"size", b" aria-sort=ascending"), (b"modified", b"")]
        turned = html.unescape(heads[1][2].decode())
        assert names(server.fetch(turned)) == ["a9", "a10"]


def test_as_a_document(hail, site):
    with Site(hail, site) as server:
        for doc in (server.document(), json.loads(server.fetch("?json")),
                    json.loads(server.fetch("?json&sort=name"))):
            assert (doc["schema"], doc["path"], doc["folders"], doc["files"],
                    doc["complete"]) == ("hail.listing/1", "", 1, 3, True)
            assert [e["name"] for e in doc["entries"]] == ["sub", "a9", "a10", "b.txt"]
            assert doc["entries"][0] == {"name": "sub", "kind": "folder", "href": "./sub/",
                                         "modified": doc["entries"][0]["modified"]}
            assert doc["entries"][3] == {"name": "b.txt", "kind": "file", "href": "./b.txt",
                                         "size": 3, "modified": "2001-09-09T01:46:43Z"}
        assert server.document("sub/")["path"] == "sub/"


def test_the_response(hail, site):
    with Site(hail, site) as server:
        head = server.fetch("", "-I").decode()
        assert re.search(r"content-length: [1-9]", head, re.I)
        for line in ("Content-Type: text/html; charset=utf-8", "Cache-Control: no-cache",
                     "Vary: Accept, Accept-Encoding", "X-Content-Type-Options: nosniff"):
            assert line in head
        policy = re.search("Content-Security-Policy: (.*)", head)[1]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        packed = server.fetch("", "-H", "Accept-Encoding: gzip")
        assert names(gzip.decompress(packed)) == names(server.fetch())
        assert server.fetch("", "-H", "Accept-Encoding: gzip;q=0")[:9] == b"<!doctype"


def test_names_that_would_be_something_else(hail, tmp_path):
    root = tmp_path / "site"
    root.mkdir()
    for name in HOSTILE:
        with open(os.path.join(os.fsencode(root), name), "wb") as f:
            f.write(name)
    with Site(hail, root) as server:
        page, doc = server.fetch(), server.document()
        found = links(page)
        assert len(found) == len(HOSTILE) == len(doc["entries"])
        assert {server.fetch(href.removeprefix("./")) for href, _ in found} == set(HOSTILE)
        assert {server.fetch(e["href"].removeprefix("./")) for e in doc["entries"]} == set(HOSTILE)
        rows = page[page.index(b"<tbody>"):page.index(b"</tbody>")]
        assert not re.search(rb"<script|[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae|\xff", rows)
        assert all(href.startswith("./") for href, _ in found)
        assert server.fetch("?q=" + urllib.parse.quote('"><script>')).count(b"<script") == 1


def test_hidden_names_are_shown_only_when_asked_for(hail, site):
    with Site(hail, site) as server:
        assert ".secret" not in names(server.fetch("?q=."))
        assert server.status(".secret") == 404 and server.status("sub/.git/") == 404
    with Site(hail, "--hidden", site) as server:
        assert ".secret" in names(server.fetch()) and server.status("sub/.git/") == 200


def test_no_listing(hail, site):
    with Site(hail, "--no-listing", site) as server:
        assert server.status() == 403 and server.status("a9") == 200
        assert server.status("?json") == 403


def test_links_and_what_is_neither_file_nor_folder(hail, site, tmp_path):
    (tmp_path / "outside").write_text("no")
    os.symlink("a9", site / "inside")
    os.symlink("../outside", site / "outside")
    os.symlink("nothing", site / "broken")
    os.symlink("sub", site / "folder")
    os.mkfifo(site / "fifo")
    with Site(hail, site) as server:
        entries = {e["name"]: e for e in server.document()["entries"]}
    assert set(entries) == {"sub", "folder", "a9", "a10", "b.txt", "inside"}
    assert entries["folder"]["kind"] == "folder" and entries["inside"]["size"] == 1 << 20


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_what_cannot_be_read_is_not_listed(hail, tmp_path):
    root = tmp_path / "site"
    (root / "closed").mkdir(parents=True)
    for name in ("open", "shut"):
        (root / name).write_text(name)
    (root / "shut").chmod(0o600)
    (root / "closed").chmod(0o700)
    for folder in [root, *root.parents]:
        if folder.owner() == "root" and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o055)
    with serving.Server(hail, "-q", root,
                        prefix=("setpriv", "--reuid=65534", "--clear-groups")) as server:
        page = Site.fetch(server)
        code = Site.status(server, "closed/")
    assert names(page) == ["open"] and code == 403


def test_readme_in_markdown_is_harmless(hail, site):
    (site / "README.md").write_text("# Title\n\nA <script>alert(1)</script> [x](javascript:alert(1)) "
                                    "*soft* <img src=x onerror=alert(1)>\n")
    (site / "README").write_text("plain")
    with Site(hail, site) as server:
        page = server.fetch()
    shown = page[page.index(b"<article"):page.index(b"</article>")]
    assert b"<h1>Title</h1>" in shown and b"<em>soft</em>" in shown
    assert b"script" not in shown and b"onerror" not in shown


def test_readme_in_plain_text(hail, site):
    (site / "readme.txt").write_text("a < b\n\tand\x1b[31m more\n")
    with Site(hail, site) as server:
        page = server.fetch("?q=a9")
    assert b"<pre tabindex=0>a &lt; b\n\tand\\e[31m more\n</pre>" in page


def test_readme_that_is_no_text_is_left_out(hail, site):
    (site / "README.md").write_bytes(b"a\0b")
    with Site(hail, site) as server:
        assert b"<article" not in server.fetch()


def test_many_entries(hail, tmp_path):
    root = tmp_path / "many"
    root.mkdir()
    for i in range(10_001):
        (root / f"file{i}").touch()
    with Site(hail, root) as server:
        first, second = names(server.fetch()), names(server.fetch("?page=1"))
        assert first[-1] == "file9999" and len(first) == 10_000 and second == ["file10000"]
        assert b"Page 1 of 2" in server.fetch()
        assert len(server.document()["entries"]) == 10_001
        assert names(server.fetch("?q=10000")) == ["file10000"]


def test_a_folder_changes_while_it_is_listed(hail, site):
    done = threading.Event()

    def churn():
        i = 0
        while not done.is_set():
            (site / f"new{i % 50}").write_text("x")
            (site / f"new{(i + 25) % 50}").unlink(missing_ok=True)
            i += 1

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        with Site(hail, site) as server:
            for _ in range(30):
                assert {"sub/", "a9", "a10", "b.txt"} <= set(names(server.fetch()))
    finally:
        done.set()
        worker.join()


def test_clients_that_go_away_meanwhile(hail, tmp_path):
    root = tmp_path / "many"
    root.mkdir()
    for i in range(2000):
        (root / f"file{i}").touch()
    with Site(hail, root) as server:
        for _ in range(20):
            subprocess.run(["curl", "-s", "-m", "0.005", "-o", "/dev/null", server.url], check=False)
        assert len(names(server.fetch())) == 2000
