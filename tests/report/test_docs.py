"""The picture in the documentation is that of the page as it is."""

from __future__ import annotations

import screenshots


def test_the_picture_is_as_new_as_the_page() -> None:
    assert screenshots.pictured_hash() == screenshots.page_hash(), "run `make screenshots`"


def test_the_picture_is_small() -> None:
    assert (screenshots.DOCS / "report.png").stat().st_size < 200_000
