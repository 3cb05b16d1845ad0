"""A journal as it is described in docs/how_it_works.md, read without the code under test."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

_CHECKSUM = re.compile(rb',"crc32":"([0-9a-f]{8})"\}$')


@dataclass
class Record:
    """What a journal holds."""

    answers: Counter[str]
    """How often each answer stands in it."""
    keys: Counter[str]
    """How often each row's key stands in it with an answer."""
    lines: list[bytes]
    """Its whole lines."""


def read_record(journal: Path) -> Record:
    """The answers whose lines check; nothing where there is no journal."""
    content = journal.read_bytes() if journal.exists() else b""
    lines = content.split(b"\n")[:-1]
    answers = [value for line in lines if (value := _answer(line)) is not None]
    texts = Counter(str(value["completion"]["message"]["content"]) for value in answers)
    return Record(texts, Counter(value["key"] for value in answers), lines)


def _answer(line: bytes) -> dict[str, Any] | None:
    """The answer in a line; None for another line, or a damaged one."""
    end = _CHECKSUM.search(line)
    if end is None or int(end[1], 16) != crc32(line[: end.start()]):
        return None
    value = json.loads(line)
    return value if "completion" in value else None
