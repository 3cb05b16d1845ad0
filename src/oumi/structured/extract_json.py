"""Extraction of JSON values, or short texts, from answers with code fences or prose around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from oumi.core.json_text import parse_json

# Possessive, so that a fence that is never closed is searched for its end only once.
_FENCE = re.compile(r"```[\w+-]*+[ \t]*+\n?+(.*?)```", re.DOTALL)
_OPENING_BRACKET = re.compile(r"[{\[]")
_END_OF_THINKING = "</think>"
# Each start costs one parse, up to the end of the text: this bounds the time for hostile answers.
_MAX_STARTS = 32
_DECODER = json.JSONDecoder()


def extract_json(text: str) -> list[str]:
    """The JSON values within an answer, as texts, without repetitions.

    Values in code fences are preferred. Without any, objects and arrays within prose are found.
    What the model thought before it answered is not looked at.
    """
    answer = text.rpartition(_END_OF_THINKING)[2].strip()
    if _is_json(answer):
        return [answer]
    fenced = [part.strip() for part in _FENCE.findall(answer)]
    return list(dict.fromkeys(filter(_is_json, fenced)) or dict.fromkeys(_embedded(answer)))


def extract_text(text: str) -> list[str]:
    """The texts that an answer may mean: without thinking, code fences, quotes and bold type."""
    answer = text.rpartition(_END_OF_THINKING)[2].strip()
    fenced = [part.strip() for part in _FENCE.findall(answer)]
    bare = answer.strip("\"'`*").strip()
    return [part for part in dict.fromkeys([*fenced, answer, bare]) if part != text]


def _embedded(text: str) -> Iterator[str]:
    """The outermost JSON objects and arrays within a text."""
    position = 0
    for _ in range(_MAX_STARTS):
        opening = _OPENING_BRACKET.search(text, position)
        if opening is None:
            return
        start = opening.start()
        try:
            end = _DECODER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            position = start + 1
            continue
        if _is_json(part := text[start:end]):
            yield part
        position = end


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True
