"""The format of a file, by its first bytes and by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from oumi.core.json_text import parse_json
from oumi.data.other_formats import other_format
from oumi.data.records.compression import Content
from oumi.data.records.delimited import Delimited
from oumi.data.records.json_array import JsonArray
from oumi.data.records.json_lines import JsonLines
from oumi.data.records.record import Records
from oumi.errors import InputError

SUFFIXES = frozenset(
    {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather"}
)
"""The endings by which a folder's files are taken to be tables, also with .gz or .zst behind."""


def open_records(path: Path, name: str | None = None) -> Records:
    """The rows of a file. Raises InputError for one that is none, MissingDependencyError."""
    content = Content(path, name)
    start = content.start()
    if start.removeprefix(_BOM).lstrip().startswith(b"["):
        return JsonArray(content)
    for magic, opener in _MAGIC.items():
        if start.startswith(magic):
            return opener(content)
    if what := other_format(start):
        raise InputError(f"{content.name}: {what}")
    if content.suffix in SUFFIXES:
        return _TEXTS.get(content.suffix, JsonLines)(content)
    return _guess(content)


def _guess(content: Content) -> Records:
    """What has no ending to go by, such as standard input: JSON begins with a bracket, and the
    names in the first line of a CSV or TSV file have delimiters between them.
    """
    first = _first_line(content)
    is_text = not first.lstrip().startswith(b"{") and not _CONTROLS.search(first)
    delimiter = "\t" if b"\t" in first else ","
    if is_text and delimiter.encode() in first:
        return Delimited(content, delimiter)
    return JsonLines(content)


_BOM = b"\xef\xbb\xbf"
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def _arrow(kind: str, content: Content) -> Records:
    from oumi.data.records import arrow

    opened: Records = getattr(arrow, kind)(content)
    return opened


def _csv(content: Content) -> Records:
    """Where a comma stands in numbers, spreadsheets put semicolons between values."""
    first = _first_line(content)
    return Delimited(content, ";" if b";" in first and b"," not in first else ",")


def _json(content: Content) -> Records:
    """JSON that is no array is an object a line. Raises InputError for one object over lines."""
    try:
        parse_json(_first_line(content) or b"{}")
    except ValueError:
        raise InputError(
            f"{content.name}: a JSON file of rows is one array of objects, or an object a line"
        ) from None
    return JsonLines(content)


def _first_line(content: Content) -> bytes:
    return next(content.lines(), b"").removeprefix(_BOM)


_MAGIC: dict[bytes, Callable[[Content], Records]] = {
    b"PAR1": partial(_arrow, "ParquetRecords"),
    b"ARROW1": partial(_arrow, "IpcFileRecords"),
    b"\xff\xff\xff\xff": partial(_arrow, "IpcStreamRecords"),
}
_TEXTS: dict[str, Callable[[Content], Records]] = {
    ".csv": _csv,
    ".json": _json,
    ".tsv": partial(Delimited, delimiter="\t"),
    ".parquet": partial(_arrow, "ParquetRecords"),  # which says what is wrong with it
    ".arrow": partial(_arrow, "IpcFileRecords"),
    ".feather": partial(_arrow, "IpcFileRecords"),
}
