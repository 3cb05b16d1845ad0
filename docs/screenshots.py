"""Takes the pictures that the documentation shows of our own pages: `make screenshots`.

A page of the documentation says under which hash of its sources a picture was taken; a test
compares it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

DOCS = Path(__file__).parent
SOURCES = DOCS.parent / "src" / "oumi"
_MARK = re.compile(r"(<!-- picture of page )(\w+)( -->)")
_WIDTH = 1280


@dataclass(frozen=True)
class Picture:
    """A picture on a page of the documentation. `name` is that of both, without their endings."""

    name: str
    sources: Callable[[], Iterable[Path]]
    """The files that what is shown is made of."""
    show: Callable[[Page], None]
    """Brings a page of a browser to what is shown."""
    height: int = 760

    @property
    def path(self) -> Path:
        """The picture."""
        return DOCS / f"{self.name}.png"

    @property
    def hash(self) -> str:
        """A hash of the sources."""
        from oumi.core.digest import new_digest

        digest = new_digest()
        for path in sorted(self.sources()):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    @property
    def noted_hash(self) -> str:
        """The hash under which the picture was taken."""
        found = _MARK.search(self._page.read_text(encoding="utf-8"))
        return found[2] if found else ""

    def take(self, page: Page) -> None:
        """Take the picture, and note the hash."""
        page.set_viewport_size({"width": _WIDTH, "height": self.height})
        self.show(page)
        page.screenshot(path=self.path)
        text = self._page.read_text(encoding="utf-8")
        marked = _MARK.sub(rf"\g<1>{self.hash}\3", text)
        self._page.write_text(marked, encoding="utf-8")

    @property
    def _page(self) -> Path:
        return DOCS / f"{self.name}.md"


def _show_report(page: Page) -> None:
    from tests.report.runs import tickets, write_run

    from oumi.report.write import write_report

    with tempfile.TemporaryDirectory() as folder:
        report = write_report([write_run(Path(folder) / "tickets.jsonl", tickets(500))])
        page.goto(report.as_uri() + "#/rows/0/8")
        page.wait_for_selector(".detail .message.assistant")


def _show_server(page: Page) -> None:
    from tests.server.process import Serve

    with Serve() as server:
        page.goto(f"{server.url}/docs")
        page.get_by_text(server.url).first.wait_for()
        # Its port is another one each time.
        page.evaluate(
            "url => { document.body.innerHTML ="
            " document.body.innerHTML.replaceAll(url, 'http://127.0.0.1:8000') }",
            server.url,
        )


PICTURES = (
    Picture("report", lambda: (SOURCES / "report" / "page").rglob("*.*"), _show_report),
    Picture("serve", lambda: [SOURCES / "server" / "docs_page.py"], _show_server, height=820),
)


def take(names: Iterable[str]) -> None:
    """Take the pictures of these names."""
    from tests.report.browser import find_browser, open_browser

    program = find_browser()
    if program is None:
        raise SystemExit("no Chromium here: scripts/install_browser.sh installs one")
    with open_browser(program) as browser:
        for picture in PICTURES:
            if picture.name in names:
                picture.take(browser.new_page())


if __name__ == "__main__":
    take(sys.argv[1:] or [picture.name for picture in PICTURES])
