"""A real Chromium without windows. `python -m tests.report.browser` prints where it is."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chromium-browser")


def find_browser() -> str | None:
    """The program: what `CHROMIUM` names, that of the system, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    if found := next(filter(None, map(shutil.which, _NAMES)), None):
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else _own_shell()


def _own_shell() -> str | None:
    """Playwright's browser without windows, which it keeps under another name."""
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "~/.cache/ms-playwright")).expanduser()
    found = folder.glob("chromium_headless_shell-*/*/*headless*shell*")
    return next((str(path) for path in found if os.access(path, os.X_OK) and path.is_file()), None)


@contextmanager
def open_browser(program: str) -> Iterator[Browser]:
    """The browser, without its sandbox, which no container's root user has."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    found = find_browser()
    print(found or "no Chromium")
    sys.exit(found is None)
