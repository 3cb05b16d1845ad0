"""Files: inputs, settings, journals, the state of batch jobs."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from oumi.batch.api.state_file import load_state
from oumi.batch.job_folder import JobFolder
from oumi.core.configs import InferenceConfig
from oumi.core.types import Completion
from oumi.core.types.conversation import Message, Role
from oumi.data.jsonl import JsonlSink, parse_rows
from oumi.data.opening import open_source
from oumi.data.source import Source
from oumi.data.tables.table_sink import TableForm
from oumi.errors import OumiError
from oumi.runner.request import KeyMaker
from oumi.runner.storage.journal import Journal

_KEYS = KeyMaker(InferenceConfig(), {"engine": "X"})
_ANSWER = Completion(message=Message(role=Role.ASSISTANT, content="4"))
_KEY_AND_ROW = re.compile(rb'"key":"([0-9a-f]{32})","row":(\d{1,4}),')


def rows(data: bytes) -> None:
    """Lines of an input, their keys, and what is written of them with an answer."""
    lines = data.splitlines(keepends=True)
    sink = JsonlSink(BytesIO(), BytesIO())
    try:
        found = list(parse_rows(lines, "in.jsonl"))
    except OumiError:
        return
    for row in found:
        line = lines[(row.line or 1) - 1].removeprefix(b"\xef\xbb\xbf")
        _KEYS.row_key(row)
        if row.conversation is None:
            sink.add_failure(row.index, row.line, line, {"error_message": str(row.error)})
        else:
            with contextlib.suppress(ValueError):  # a row that has no form in JSON fails alone
                sink.add_answer(line, _ANSWER.to_dict())


def tables(data: bytes) -> None:
    """Tables as text in each format: their rows, and these written as a table."""
    for name in ("in.csv", "in.tsv", "in.json", "in.jsonl"):
        with _file(name, data) as path, contextlib.suppress(OumiError):
            source = open_source(None, InferenceConfig(input_path=str(path)))
            for row in source.rows():
                _KEYS.row_key(row)
                source.generation_of(row.index)
            _write_table(source)


def _write_table(source: Source) -> None:
    sink = TableForm(".csv").open(BytesIO(), BytesIO(), source)
    for index, (number, row) in enumerate(sink.rows(source)):
        if row[1].problem is None:
            sink.add_answer(row, _ANSWER.to_dict())
        else:
            sink.add_failure(index, number, row, {"error_message": row[1].problem})
    sink.finish()


def settings(data: bytes) -> None:
    """A settings file."""
    with _file("run.yaml", data) as path, contextlib.suppress(OumiError):
        InferenceConfig.from_yaml(path)


def journal(data: bytes) -> None:
    """A journal: opened, and every answer read that it gives."""
    with _file("out.jsonl.journal", data) as path, contextlib.suppress(OumiError):
        with Journal(path) as opened:
            for key, row in _KEY_AND_ROW.findall(data):
                if opened.claim(int(row), key.decode()):
                    Completion.from_dict(opened.read(int(row))["completion"])
            opened.append(0, "0" * 32, _ANSWER)
        with Journal(path) as again:  # what was written after the damage can be read
            assert again.claim(0, "0" * 32)


def job_state(data: bytes) -> None:
    """The state of a batch job."""
    with _file("state.json", data) as path, contextlib.suppress(OumiError):
        load_state(JobFolder(path.parent))


@contextlib.contextmanager
def _file(name: str, data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path
