"""Chromium for tests, driven by Playwright."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60_000
"""Milliseconds that anything may take, on a busy machine."""
NAMES = "--host-resolver-rules=MAP *.example 127.0.0.1"
"""Names of foreign pages lead to this machine, as after DNS rebinding."""
ABORTED = "net::ERR_ABORTED"
BROWSER = [
    pytest.mark.full("a real browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]
"""Marks of a module whose tests use it."""


SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
"""Options by which Chromium draws WebGL without a GPU."""


@contextmanager
def browser_page(options: Sequence[str] = ()) -> Iterator[Any]:
    """Yield a page; its ``failed`` lists the requests and scripts that failed.

    Requests that the browser itself gave up do not count: it does so with those of a page that it leaves.

    Parameters
    ----------
    options : sequence of str
        Further options of Chromium.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", NAMES, *options])
        page = browser.new_page(viewport={"width": 1480, "height": 1000})
        page.set_default_timeout(SECONDS)
        page.failed = []
        page.on("requestfailed", lambda request: request.failure != ABORTED and page.failed.append(request.url))
        page.on("pageerror", lambda error: page.failed.append(str(error)))
        yield page
        browser.close()
