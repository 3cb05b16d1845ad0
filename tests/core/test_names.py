"""Hints for mistyped names, and warnings that come once."""

import logging

import pytest

from oumi.core.logs import warn_once
from oumi.core.names import did_you_mean, nearest

KNOWN = ("temperature", "top_p", "top_k")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("temprature", "did you mean 'temperature'?"), ("top_q", "did you mean 'top_p'?"), ("x", "")],
)
def test_hint(name: str, hint: str) -> None:
    assert did_you_mean(name, KNOWN) == hint


def test_hint_in_a_sentence() -> None:
    assert did_you_mean("temperatur", KNOWN, before="; ", show=str) == "; did you mean temperature?"
    assert did_you_mean("x", KNOWN, before="; ") == ""


def test_nearest_gives_the_most_similar_first() -> None:
    assert nearest("top_kk", KNOWN, most=3) == ["top_k", "top_p"]
    assert nearest("top_kk", KNOWN) == ["top_k"]


def test_each_warning_comes_once(caplog) -> None:
    with caplog.at_level(logging.WARNING, logger="oumi"):
        for text in ("first text of this test", "second one, 100 %", "first text of this test"):
            warn_once(text)
    assert [record.message for record in caplog.records] == [
        "first text of this test",
        "second one, 100 %",
    ]
