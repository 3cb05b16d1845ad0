"""Reading JSON that is not strict, as servers send it."""

import pytest

from oumi.core.json_text import read_json_leniently


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": [1, "\xc3\xa9"]}', {"a": [1, "\u00e9"]}),
        (b'{"a": NaN, "b": [Infinity, -Infinity]}', {"a": None, "b": [None, None]}),
        (b'{"a": "x\\ud83d y"}', {"a": "x\ufffd y"}),
        (b'{"\\udc00": 1}', {"\ufffd": 1}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": "\\ud83d\\ude00", "b": "\\ude00"}', {"a": "\U0001f600", "b": "\ufffd"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "x\x00\n\ty"}', {"a": "x\x00\n\ty"}),
        (b'{"a": "caf\xe9"}', {"a": "caf\ufffd"}),
        (b'{"a": "\xed\xa0\x80"}', {"a": "\ufffd\ufffd\ufffd"}),
        (
            b'{"a": NaN, "b": 123456789012345678901234567890}',
            {"a": None, "b": int("1234567890" * 3)},
        ),
        (b' {"a": 1, "a": 2} ', {"a": 2}),
    ],
)
def test_it_reads_what_is_not_strict(text: bytes, value: object) -> None:
    assert read_json_leniently(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b'{"a": "torn',
        b'{"a": 1} {"b": 2}',
        b"<html>",
        b"{'a': 1}",
        b"\xff\xfe",
        b"[" * 300 + b"NaN" + b"]" * 300,
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b"9" * 5_000,
    ],
)
def test_what_is_not_json_even_so_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each parser has its own words
        read_json_leniently(text)
