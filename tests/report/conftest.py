"""Reports in a browser that writes down what they ask of anybody."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.report.browser import find_browser, open_browser
from tests.report.served import served

OpenReport = Callable[..., Page]
OpenServed = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: while it runs, no other event loop can run in this thread."""
    program = find_browser()
    if program is None:
        reason = "no Chromium here: scripts/install_browser.sh installs one"
        pytest.fail(reason) if os.environ.get("REQUIRE_BROWSER") else pytest.skip(reason)
    with open_browser(program) as opened:
        yield opened


@pytest.fixture
def open_report(browser: Browser) -> Iterator[OpenReport]:
    """Open a report at a place of it. At the end nothing must have been fetched, blocked by the
    page's policy, or gone wrong in a script.
    """
    with _watched(browser) as open_it:

        def open_report(path: Path, place: str = "", **options: object) -> Page:
            url = path.resolve().as_uri()
            return open_it(url + place, re.escape(url), **options)

        yield open_report


@pytest.fixture
def open_served(browser: Browser) -> Iterator[OpenServed]:
    """Serve the run of an output file, and open a place of its page, which must have asked nobody
    else for anything.
    """
    with ExitStack() as servers, _watched(browser) as open_it:

        def open_served(output: Path, place: str = "", **options: object) -> Page:
            url = servers.enter_context(served(output))
            asked = re.escape(url) + r"/((state|rows|place|select)\?.*)?"
            return open_it(f"{url}/{place}", asked, **options)

        yield open_served


@contextmanager
def _watched(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address that may ask for those of a pattern."""
    contexts, wrong = [], []

    def open_it(address: str, allowed: str, **options: object) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: re.fullmatch(allowed, request.url) or wrong.append(request.url),
        )
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not wrong
