"""--trace=FILE.html in a real browser (headless Chromium): on a phone and on a desktop, light and
dark; what a hostile server says stays text; nothing is loaded from elsewhere, nothing needs a
script."""

import contextlib
import itertools
import os
import pathlib
import re
import socket
import subprocess
import threading

import browsing
import pytest

from selenium.webdriver.common.by import By  # noqa: E402

pytestmark = browsing.MARKS


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with contextlib.closing(browsing.Browsers(tmp_path_factory)) as browsers:
        yield browsers()


@pytest.fixture
def answer():
    """A server at 127.0.0.1 that answers every connection with some bytes; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    said = [b""]

    def loop():
        while True:
            try:
                s = listener.accept()[0]
            except OSError:
                return
            with s, contextlib.suppress(OSError):
                s.recv(65536)
                s.sendall(said[0])

    def start(data):
        said[0] = data
        return listener.getsockname()[1]

    threading.Thread(target=loop, daemon=True).start()
    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def trace(hail, tmp_path, *args, status=0):
    """The page of `hail get ARGS`."""
    file = tmp_path / "trace.html"
    r = subprocess.run([hail, "get", f"--trace={file}", *map(str, args)], capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert r.returncode == status, r.stderr
    return file


def texts(browser, selector):
    return [e.text for e in browser.find_elements(By.CSS_SELECTOR, selector)]


def arrows(browser):
    """Where each arrow begins and ends, which way it points, and the middles of the lanes."""
    return browser.execute_script("""
        const middle = e => { const r = e.getBoundingClientRect(); return (r.left + r.right) / 2; };
        const lanes = [...document.querySelectorAll('.lanes li')].filter(e => e.checkVisibility());
        return [[...document.querySelectorAll('.arrow')].map(e => {
                    const r = e.getBoundingClientRect();
                    return [r.left, r.right, e.classList.contains('to')]; }),
                lanes.map(middle)];""")


def test_the_sequence(hail, browser, nginx, tmp_path):
    nginx.file("page.html", b"<h1>A page</h1>\n")
    port = nginx.tls_port
    browser.get(trace(hail, tmp_path, "--cacert", nginx.ca,
                      f"https://localhost:{port}/page.html").as_uri())
    browsing.screen(browser, 1440, "light")
    assert texts(browser, "h1") == [f"GET https://localhost:{port}/page.html"]
    assert not browser.find_elements(By.CSS_SELECTOR, ".failure")
    peers = texts(browser, ".peers li")
    assert "connected" in peers[-1] and f"127.0.0.1:{port}" in peers[-1]
    said = texts(browser, ".arrow span:not(.peer)")
    assert "connect" in said and "connected" in said
    order = ["TLS handshake localhost", "TLSv1.", "GET /page.html HTTP/1.1", "HTTP/1.1 200 OK"]
    at = [next(i for i, text in enumerate(said) if text.startswith(wanted)) for wanted in order]
    assert at == sorted(at)
    assert any("<h1>A page</h1>" in text for text in texts(browser, "pre"))
    bars = texts(browser, ".fall li")
    for what in ("dial localhost", "resolve localhost", "attempt 127.0.0.1", "tls localhost",
                 "request GET"):
        assert any(what in bar for bar in bars), bars


def test_arrows_lie_between_their_lanes(hail, browser, nginx, tmp_path):
    nginx.file("page.html", b"x")
    browser.get(trace(hail, tmp_path, f"http://localhost:{nginx.port}/page.html").as_uri())
    for width in (1440, 900):
        browsing.screen(browser, width, "light")
        found, lanes = arrows(browser)
        assert len(lanes) == len(texts(browser, ".peers li")) + 1
        for left, right, _ in found:
            assert abs(left - lanes[0]) < 6 and min(abs(right - x) for x in lanes[1:]) < 6
        assert {to for _, _, to in found} == {True, False}
    browsing.screen(browser, 390, "light")
    found, lanes = arrows(browser)
    assert len(lanes) == 2
    for left, right, _ in found:
        assert left < 110 and right > 340
    assert any(f"to 127.0.0.1:{nginx.port}" in text for text in texts(browser, ".arrow .peer"))


@pytest.mark.parametrize("width, scheme", itertools.product((390, 1440), ("light", "dark")))
def test_everybody_can_read_it(hail, browser, nginx, tmp_path, width, scheme):
    nginx.file("long.txt", b"word " * 2000 + b"x" * 3000 + b"\0\x1b\xff" * 300)
    browsing.screen(browser, width, scheme)
    pages = {"fine": trace(hail, tmp_path, "--cacert", nginx.ca, "-o", tmp_path / "out",
                           f"https://localhost:{nginx.tls_port}/long.txt").rename(
                               tmp_path / "fine.html"),
             "refused": trace(hail, tmp_path, "http://localhost:1/", status=4)}
    for name, page in pages.items():
        browser.get(page.as_uri())
        for details in browser.find_elements(By.CSS_SELECTOR, "details:not([open]) summary"):
            details.click()
        assert browser.execute_script(browsing.LOOK) == []
        back = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", back)[:3])) > 380) == (scheme == "light")
        pictures = os.environ.get("HAIL_PICTURES")  # a folder, to look at them
        if pictures:
            browser.save_screenshot(str(pathlib.Path(pictures) / f"{name}-{width}-{scheme}.png"))


def test_what_failed_is_said_first(hail, browser, tmp_path):
    browser.get(trace(hail, tmp_path, "http://127.0.0.1:1/", status=4).as_uri())
    assert "connection refused" in texts(browser, ".failure")[0]
    assert "connection refused" in texts(browser, ".arrow.bad.from")[0]
    assert len(browser.find_elements(By.CSS_SELECTOR, ".fall li.bad")) == 2


HOSTILE = (b"HTTP/1.1 200 </pre><script>document.title='owned'</script>\r\n"
           b"X: <img src=//127.0.0.1:1/x onerror=\"document.title='owned'\">\r\n"
           b"Content-Length: 60\r\nConnection: close\r\n\r\n"
           b"</details></main><style>*{display:none}</style>\x1b[2J\xe2\x80\xae&lt;\r\n\0--")


def test_what_a_hostile_server_says_stays_text(hail, browser, answer, tmp_path):
    port = answer(HOSTILE)
    browser.get(trace(hail, tmp_path, f"http://127.0.0.1:{port}/?<b>\"'").as_uri())
    assert browser.title.startswith("GET http://127.0.0.1:")
    assert not browser.find_elements(By.CSS_SELECTOR, "script, img, b b, main style")
    assert browser.find_element(By.CSS_SELECTOR, ".fall").is_displayed()
    for details in browser.find_elements(By.CSS_SELECTOR, "details:not([open]) summary"):
        details.click()
    said = "".join(texts(browser, "pre"))
    assert "</pre><script>document.title='owned'</script>" in said
    assert "<style>*{display:none}</style>\\e[2J\\u{202e}&lt;" in said and "\\x00--" in said


def test_nothing_is_loaded_and_nothing_needs_a_script(hail, browser, nginx, tmp_path):
    nginx.file("a.txt", b"a")
    page = trace(hail, tmp_path, nginx.url + "/a.txt")
    browser.get_log("browser")
    browser.get(page.as_uri())
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.get_log("browser") == []
    source = page.read_text()
    assert not re.search(r"<script|<link|@import|url\(|\son\w+=", source)
    # parsed without an error that the browser had to mend: what it made of it is as long
    ended = re.findall(r"</([a-z0-9]+)>", source)
    assert all(ended.count(tag) == browser.execute_script(
        "return document.getElementsByTagName(arguments[0]).length", tag) for tag in set(ended))


def test_what_is_left_out_is_said(hail, browser, nginx, tmp_path):
    nginx.file("a.txt", b"a" * 10000)
    urls = [f"{nginx.url}/a.txt?{i}" for i in range(200)]
    page = trace(hail, tmp_path, *urls)
    assert page.stat().st_size < 4 << 20
    browser.get(page.as_uri())
    assert re.search(r"\d+ steps are left out here", texts(browser, ".sequence .left-out")[0])
    assert "bars are left out" in texts(browser, "p.left-out")[0]
    assert any("the first 4096 bytes" in text for text in texts(browser, "summary"))
    assert texts(browser, ".sequence > li:last-child .arrow")  # the end is there
