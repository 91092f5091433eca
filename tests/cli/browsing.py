"""A real browser (headless Chromium) for the tests of pages, and whether everybody can read one."""

import os

import pytest

selenium = pytest.importorskip("selenium", reason="python3-selenium is not installed")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

DRIVER = "/usr/bin/chromedriver"
MARKS = [pytest.mark.peers,
         pytest.mark.skipif(not os.path.exists(DRIVER), reason="chromium-driver is not installed")]


class Browsers:
    """Starts browsers, each with a home of its own; close() ends them all."""

    def __init__(self, tmp_path_factory):
        self.homes, self.opened = tmp_path_factory, []

    def __call__(self, *args, home=None):
        options = webdriver.ChromeOptions()
        home = home or self.homes.mktemp("home")
        for arg in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--disable-background-networking",
                    f"--user-data-dir={home / 'profile'}", *args):
            options.add_argument(arg)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(DRIVER, env={**os.environ, "HOME": str(home)})
        self.opened.append(webdriver.Chrome(options=options, service=service))
        return self.opened[-1]

    def close(self):
        for browser in self.opened:
            browser.quit()


def screen(browser, width, scheme):
    """What the browser shows from now on is that wide, "light" or "dark"."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})


# What is wrong with a page, for execute_script(); an empty list: nothing.
LOOK = """
const rgb = text => { const n = text.match(/[\\d.]+/g).map(Number);
                      return {c: n.slice(0, 3), a: n.length > 3 ? n[3] : 1}; };
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92
                         : ((v + .055) / 1.055) ** 2.4);
                     return .2126 * r + .7152 * g + .0722 * b; };
const back = e => { for (; e; e = e.parentElement) {
    const b = rgb(getComputedStyle(e).backgroundColor); if (b.a === 1) return b.c; }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255]; };
const wrong = [];
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  if (e.closest('script, style, .apart') || !e.checkVisibility()) continue;
  const a = light(rgb(getComputedStyle(e).color).c), b = light(back(e));
  const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${e.outerHTML.slice(0, 80)}`);
}
for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
  if (!e.labels.length && !e.getAttribute('aria-label')) wrong.push(`no label: ${e.outerHTML}`);
for (const e of document.querySelectorAll('a, button'))
  if (!e.textContent.trim() && !e.getAttribute('aria-label')) wrong.push(`no name: ${e.outerHTML}`);
for (const e of document.querySelectorAll('img'))
  if (!e.hasAttribute('alt')) wrong.push(`no alt: ${e.outerHTML}`);
if (!document.documentElement.lang) wrong.push('no language');
if (!document.title) wrong.push('no title');
if (!document.querySelector('main, body > h1')) wrong.push('no main part');
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
if (new Set(ids).size !== ids.length) wrong.push('an id twice');
if (document.documentElement.scrollWidth > innerWidth) wrong.push('wider than the screen');
for (const e of document.querySelectorAll('a, button, input:not([type=hidden])')) {
  if (!e.checkVisibility()) continue;
  e.focus({focusVisible: true});
  const s = getComputedStyle(e);
  if (document.activeElement !== e || s.outlineStyle === 'none')
    wrong.push(`focus is not seen: ${e.outerHTML.slice(0, 80)}`);
}
return wrong;
"""
