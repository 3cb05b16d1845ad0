"""The pictures in the documentation are those of our pages as they are."""

from __future__ import annotations

import pytest
import screenshots
from screenshots import Picture

pictures = pytest.mark.parametrize("picture", screenshots.PICTURES, ids=lambda one: one.name)


@pictures
def test_a_picture_is_as_new_as_what_it_shows(picture: Picture) -> None:
    assert picture.noted_hash == picture.hash, "run `make screenshots`"


@pictures
def test_a_picture_is_small(picture: Picture) -> None:
    assert picture.path.stat().st_size < 200_000
