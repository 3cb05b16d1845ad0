"""The JSON values inside a text: within code fences, or with words around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from oumi.core.json_text import parse_json

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(.*?)```", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_END_OF_THOUGHT = "</think>"
_MOST_STARTS = 32
_DECODER = json.JSONDecoder()


def extract_json(text: str) -> list[str]:
    """The texts of the JSON values within an answer that is no JSON itself, each one once.

    What a model thought before it answered does not count. Fences win over words around a value;
    without fences only objects and arrays are found.
    """
    answer = text.rpartition(_END_OF_THOUGHT)[2].strip()
    if _is_json(answer):
        return [answer]
    fenced = [part.strip() for part in _FENCE.findall(answer)]
    return list(dict.fromkeys(filter(_is_json, fenced)) or dict.fromkeys(_embedded(answer)))


def extract_text(text: str) -> list[str]:
    """What may be meant by an answer that is to be one of a few texts: it, without its dress."""
    answer = text.rpartition(_END_OF_THOUGHT)[2].strip()
    fenced = [part.strip() for part in _FENCE.findall(answer)]
    bare = answer.strip("\"'`*").strip()
    return [part for part in dict.fromkeys([*fenced, answer, bare]) if part != text]


def _embedded(text: str) -> Iterator[str]:
    """The objects and arrays that stand in a text, outermost ones only."""
    at = 0
    for _ in range(_MOST_STARTS):
        opening = _OPENING.search(text, at)
        if opening is None:
            return
        at = opening.start()
        try:
            end = _DECODER.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            at += 1
            continue
        if _is_json(part := text[at:end]):
            yield part
        at = end


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True
