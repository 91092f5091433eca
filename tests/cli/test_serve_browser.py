"""hail serve's pages in a real browser (headless Chromium): the folder's page on a phone and on a
desktop, light and dark, by keyboard; whether everybody can read it."""

import contextlib
import itertools
import os
import pathlib
import re
import subprocess
import time

import browsing
import pytest
import serving

selenium = browsing.selenium

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

pytestmark = browsing.MARKS


@pytest.fixture(scope="module")
def open_browser(tmp_path_factory):
    """Starts a browser with a home of its own; all are ended at the end."""
    with contextlib.closing(browsing.Browsers(tmp_path_factory)) as browsers:
        yield browsers


@pytest.fixture(scope="module")
def browser(open_browser):
    return open_browser()


@pytest.fixture
def serve(hail):
    """Starts servers; each one's URL."""
    with contextlib.ExitStack() as servers:
        yield lambda *args: servers.enter_context(serving.Server(hail, "-q", *args)).url


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "site"
    (root / "pictures" / "summer").mkdir(parents=True)
    for i, name in enumerate(["report-2.pdf", "report-10.pdf", "notes.txt", "<b>bold.html"]):
        (root / name).write_bytes(b"x" * 10 ** i)
        os.utime(root / name, (10 ** 9 + i * 10 ** 6,) * 2)
    (root / "README.md").write_text("# About\n\nSome *text* with a [link](notes.txt).\n\n"
                                    "    code that is long " + "x" * 200 + "\n")
    return root


def shown(browser):
    return [row.find_element(By.TAG_NAME, "a").text
            for row in browser.find_elements(By.CSS_SELECTOR, "tbody tr") if row.is_displayed()]


def wait_until(true):
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def focused(browser):
    return browser.switch_to.active_element.text


def test_search_sort_and_keyboard(browser, serve, site):
    browser.get(serve(site))
    search = browser.find_element(By.ID, "q")
    search.send_keys("REPORT")
    assert shown(browser) == ["report-2.pdf", "report-10.pdf"]
    assert browser.find_element(By.ID, "count").text == "2 of 6 found"
    search.send_keys(Keys.ESCAPE)
    assert len(shown(browser)) == 6
    size = browser.find_element(By.CSS_SELECTOR, "th[data-by=size] a")
    size.click()
    assert shown(browser)[0].endswith("pictures/") and shown(browser)[1] == "report-2.pdf"
    size.click()
    assert shown(browser)[1] == "<b>bold.html"
    assert browser.find_element(By.CSS_SELECTOR, "th[aria-sort]").get_attribute(
        "aria-sort") == "descending"
    assert browser.current_url.endswith("/")  # nothing was asked of the server
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "q"
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    body.send_keys("j")
    assert focused(browser).endswith("pictures/")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until(lambda: browser.current_url.endswith("/pictures/"))
    browser.find_element(By.TAG_NAME, "body").send_keys("u")
    wait_until(lambda: browser.current_url.count("/") == 3)
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"
                and "favicon" not in entry["message"]]


def test_without_scripts_links_do_it(open_browser, serve, site):
    plain = open_browser("--blink-settings=scriptEnabled=false")
    plain.get(serve(site))
    plain.find_element(By.CSS_SELECTOR, "th[data-by=size] a").click()
    assert shown(plain)[1] == "report-2.pdf" and "sort=size" in plain.current_url
    search = plain.find_element(By.ID, "q")
    search.send_keys("notes\n")
    wait_until(lambda: "q=notes" in plain.current_url)
    assert shown(plain) == ["notes.txt"]


@pytest.mark.parametrize("width, scheme", itertools.product((390, 1440), ("light", "dark")))
def test_everybody_can_read_it(browser, serve, site, width, scheme):
    browsing.screen(browser, width, scheme)
    url = serve(site)
    for target in ("", "nothing"):
        browser.get(url + target)
        assert browser.execute_script(browsing.LOOK) == []
        pictures = os.environ.get("HAIL_PICTURES")  # a folder, to look at them
        if pictures:
            name = f"{'error' if target else 'listing'}-{width}-{scheme}.png"
            browser.save_screenshot(str(pathlib.Path(pictures) / name))


def test_pages_are_loaded_again(browser, serve, site):
    (site / "live.html").write_text("<link rel=stylesheet href=style.css><p id=p>one")
    (site / "style.css").write_text("p { color: rgb(1, 2, 3) }")
    browser.get(serve("--dev", site) + "live.html")

    def said():
        return browser.execute_script("return document.getElementById('p')?.textContent")

    def colour():
        return browser.execute_script("return getComputedStyle(document.getElementById('p')).color")

    # the script listens once its connection is open
    wait_until(lambda: browser.execute_script(
        "return performance.getEntriesByName(location.origin + '/.hail/reload.js').length") == 1)
    time.sleep(0.5)
    browser.execute_script("window.same = true")
    (site / "style.css").write_text("p { color: rgb(9, 8, 7) }")
    wait_until(lambda: colour() == "rgb(9, 8, 7)")
    assert browser.execute_script("return window.same") is True  # exchanged where it is
    (site / "live.html").write_text("<p id=p>two")
    wait_until(lambda: (said() or "").startswith("two"))


def test_https_is_green_with_the_local_authority(hail, open_browser, site, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    with serving.Server(hail, "-q", "--tls", site, env=env) as server:
        url = f"https://localhost:{server.port}/"
        how = subprocess.run([hail, "serve", "--tls-ca"], env=env, check=True, text=True,
                             capture_output=True).stdout
        subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
        line = re.search(r"^Chromium \(Linux\)\s+(.*)$", how, re.M)[1]
        subprocess.run(line, shell=True, env=env, check=True)
        trusting = open_browser(home=home)
        trusting.get(url)
        assert "notes.txt" in shown(trusting)
        assert trusting.execute_script("return window.isSecureContext && location.protocol"
                                       ) == "https:"
        doubting = open_browser()
        with contextlib.suppress(selenium.common.exceptions.WebDriverException):
            doubting.get(url)
        assert not doubting.find_elements(By.ID, "entries")  # but the browser's warning
