"""From what the caller named as input to a source."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from oumi.core.configs.inference_config import STANDARD_STREAM, InferenceConfig
from oumi.core.types.conversation import Conversation
from oumi.data.conversation_like import Conversations, is_one, to_conversations
from oumi.data.jsonl import JsonlSource
from oumi.data.source import ListSource, Source
from oumi.errors import ConfigError, StorageError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def open_source(conversations: Conversations | None, config: InferenceConfig) -> Source:
    """Conversations in memory, the file of `input_path`, or a pipe.

    To be called in the caller's own thread, where a Ctrl-C ends the wait for input. What can be
    gone through only once is copied to a temporary file. Raises InputError, ConfigError.
    """
    if conversations is not None:
        return _source_of(conversations, config)
    path = config.input_path
    if path is None:
        raise ConfigError("no conversations: give a list, or set input_path")
    if path == STANDARD_STREAM:
        return _spool(lambda file: shutil.copyfileobj(sys.stdin.buffer, file), "standard input")
    if Path(path).is_fifo():
        return _spool(lambda file: _copy_pipe(path, file), path)
    return JsonlSource(Path(path))


def _source_of(conversations: Conversations, config: InferenceConfig) -> Source:
    if is_one(conversations) or hasattr(conversations, "__len__") or config.output_path is None:
        return ListSource(to_conversations(conversations))
    source = _spool(lambda file: _write(to_conversations(conversations), file), "the conversations")
    source.may_be_empty = True
    return source


def _write(conversations: Iterator[Conversation], file: BinaryIO) -> None:
    file.writelines(conversation.to_json().encode() + b"\n" for conversation in conversations)


def _copy_pipe(path: str, file: BinaryIO) -> None:
    with open(path, "rb") as pipe:
        shutil.copyfileobj(pipe, file)


def _spool(write: Callable[[BinaryIO], None], name: str) -> JsonlSource:
    """A source of what is written to a file that vanishes with it. Raises StorageError."""
    try:
        handle, path = tempfile.mkstemp(prefix="oumi-", suffix=".jsonl")
    except OSError as error:
        raise _not_kept(name, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        return JsonlSource(Path(path), name)
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
