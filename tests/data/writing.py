"""The same rows in all formats, shapes and packings."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

Rows = list[dict[str, Any]]


def write_rows(path: Path, rows: Rows) -> Path:
    """Write rows in the format and the packing that a name ends with."""
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    with _packed(path) as file:
        FORMATS[Path(name).suffix](file, rows)
    return path


@contextmanager
def _packed(path: Path) -> Iterator[BinaryIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "wb") as file:
            yield file
    elif path.suffix == ".zst":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            yield stream
    else:
        with path.open("wb") as file:
            yield file


def _jsonl(file: BinaryIO, rows: Rows) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _json(file: BinaryIO, rows: Rows) -> None:
    file.write(json.dumps(rows, indent=2).encode())


def _delimited(delimiter: str) -> Callable[[BinaryIO, Rows], None]:
    def write(file: BinaryIO, rows: Rows) -> None:
        texts: list[str] = []

        class Lines:
            write = staticmethod(texts.append)

        writer = csv.writer(Lines(), delimiter=delimiter)
        writer.writerow(rows[0])
        for row in rows:
            cells = [v if isinstance(v, str) else json.dumps(v) for v in row.values()]
            writer.writerow(cells)
        file.write("".join(texts).encode())

    return write


def _parquet(file: BinaryIO, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=64)


def _arrow(file: BinaryIO, rows: Rows) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=50)


def _feather(file: BinaryIO, rows: Rows) -> None:
    pyarrow.feather.write_feather(pa.Table.from_pylist(rows), file)


FORMATS: dict[str, Callable[[BinaryIO, Rows], None]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _feather,
}
PACKINGS = ("", ".gz", ".zst")


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "messages": lambda text: {"messages": user(text)},
    "ShareGPT": lambda text: {"conversations": [{"from": "human", "value": text}]},
    "Alpaca": lambda text: {"instruction": text, "input": "", "output": "?"},
    "a prompt as text": lambda text: {"prompt": text},
    "a prompt as messages": lambda text: {"prompt": user(text)},
    "a batch file": lambda text: {
        "custom_id": text,
        "body": {"model": "other", "messages": user(text)},
    },
}
