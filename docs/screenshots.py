"""Takes the pictures of the report that the documentation shows: `make screenshots`.

A page says under which hash of the report's sources its picture was taken; a test compares it.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
PAGE = DOCS.parent / "src" / "oumi" / "report" / "page"
_HASH = re.compile(r"(<!-- picture of page )\w+( -->)")
_SIZE = {"width": 1280, "height": 760}


def page_hash() -> str:
    """A hash of all that the report's page is made of."""
    from oumi.core.digest import new_digest

    digest = new_digest()
    for path in sorted(PAGE.rglob("*.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def pictured_hash() -> str:
    """The hash under which the picture was taken."""
    found = _HASH.search((DOCS / "report.md").read_text(encoding="utf-8"))
    return found[0].split()[-2] if found else ""


def take() -> None:
    """Take the picture, and note the hash."""
    from tests.report.browser import find_browser, open_browser
    from tests.report.runs import tickets, write_run

    from oumi.report.write import write_report

    program = find_browser()
    if program is None:
        raise SystemExit("no Chromium here: scripts/install_browser.sh installs one")
    with tempfile.TemporaryDirectory() as folder, open_browser(program) as browser:
        report = write_report([write_run(Path(folder) / "tickets.jsonl", tickets(500))])
        page = browser.new_page(viewport=_SIZE)
        page.goto(report.as_uri() + "#/rows/0/8")
        page.wait_for_selector(".detail .message.assistant")
        page.screenshot(path=DOCS / "report.png")
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    (DOCS / "report.md").write_text(_HASH.sub(rf"\g<1>{page_hash()}\2", text), encoding="utf-8")


if __name__ == "__main__":
    take()
