"""From what the caller named as input to a source."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.data.conversation_like import Conversations, is_one, to_conversations
from oumi.data.needs_shape import check_has_columns, needs_shape
from oumi.data.samples import sampled
from oumi.data.source import ListSource, Source
from oumi.errors import ConfigError, StorageError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def open_source(conversations: Conversations | None, config: InferenceConfig) -> Source:
    """Conversations or a table in memory, the files of `input_path`, or a pipe; each row as often
    as samples of it are asked for.

    To be called in the caller's own thread, where a Ctrl-C ends the wait for input. What can be
    gone through only once is copied to a temporary file. Raises InputError, ConfigError.
    """
    return sampled(_open_source(conversations, config), config)


def _open_source(conversations: Conversations | None, config: InferenceConfig) -> Source:
    if conversations is not None:
        return _source_of(conversations, config)
    paths = config.input_paths
    if not paths:
        raise ConfigError("no conversations: give a list, or set input_path")
    if len(paths) == 1 and (paths[0] == STANDARD_STREAM or Path(paths[0]).is_fifo()):
        return _source_of_pipe(paths[0], config)
    if STANDARD_STREAM in paths:
        raise ConfigError("input_path: standard input (-) cannot be read beside files")
    from oumi.data.opening_files import open_files

    return open_files(paths, config)


def _source_of(given: Any, config: InferenceConfig) -> Source:
    if hasattr(given, "__arrow_c_stream__"):
        from oumi.data.record_source import RecordSource
        from oumi.data.records.arrow import ArrowTable

        table = ArrowTable(given)
        whole = RecordSource([table], config, in_memory=True)
        whole.table = table.table
        return whole
    first, rows = _first_of([given] if is_one(given) else given)
    is_held = hasattr(rows, "__len__") or config.output_path is None
    if isinstance(first, Mapping) and needs_shape(first, config):
        return _source_of_records(rows, config, is_held=is_held)
    check_has_columns(config, first)
    if is_held:
        return ListSource(to_conversations(rows))
    lines = (conversation.to_json().encode() for conversation in to_conversations(rows))
    source = _spool(lambda file: _write(lines, file), "the conversations", config)
    source.may_be_empty = True
    return source


def _first_of(rows: Any) -> tuple[Any, Any]:
    """The first row, and all of them."""
    if not hasattr(rows, "__iter__"):
        return None, rows
    if hasattr(rows, "__len__"):
        return next(iter(rows), None), rows
    iterator = iter(rows)
    for first in iterator:
        return first, chain([first], iterator)
    return None, iterator


def _source_of_records(
    rows: Iterable[Mapping[str, Any]], config: InferenceConfig, *, is_held: bool
) -> Source:
    from oumi.data.record_source import RecordSource, columns_text
    from oumi.data.records.listed import ListedRecords

    if is_held:
        return RecordSource([ListedRecords(rows)], config, in_memory=True)
    return _spool(lambda file: _write(map(columns_text, rows), file), "the rows", config)


def _source_of_pipe(path: str, config: InferenceConfig) -> Source:
    if path == STANDARD_STREAM:
        name, stream = "standard input", sys.stdin.buffer
        return _spool(lambda file: shutil.copyfileobj(stream, file), name, config)
    return _spool(lambda file: _copy_pipe(path, file), path, config)


def _write(lines: Iterable[bytes], file: BinaryIO) -> None:
    file.writelines(line + b"\n" for line in lines)


def _copy_pipe(path: str, file: BinaryIO) -> None:
    with open(path, "rb") as pipe:
        shutil.copyfileobj(pipe, file)


def _spool(write: Callable[[BinaryIO], None], name: str, config: InferenceConfig) -> Source:
    """A source of what is written to a file that vanishes with it. Raises StorageError."""
    from oumi.data.opening_files import open_file

    try:
        handle, path = tempfile.mkstemp(prefix="oumi-", suffix=".jsonl")
    except OSError as error:
        raise _not_kept(name, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        return open_file(Path(path), name, config)
    except OSError as error:
        if error.errno not in _NO_ROOM:  # of what is read, which may be the caller's own code
            raise
        raise _not_kept(name, error) from error
    finally:
        os.unlink(path)


def _not_kept(name: str, error: OSError) -> StorageError:
    return StorageError(
        f"{name}: cannot be kept in a temporary file: {error.strerror or error}. TMPDIR names the "
        "folder of such files; or give a file as input_path"
    )
