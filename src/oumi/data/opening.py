"""From what the caller named as input to a source."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.conversation import Conversation
from oumi.data.jsonl import JsonlSource
from oumi.data.source import ListSource, Source
from oumi.errors import ConfigError

STANDARD_STREAM = "-"


@contextlib.contextmanager
def open_source(
    conversations: Sequence[Conversation] | None, config: InferenceConfig, spooled: Path | None
) -> Iterator[Source]:
    """A list, the file of `input_path`, or the pipe that `spool` has copied to a file."""
    if conversations is not None:
        yield ListSource(conversations)
    elif config.input_path is None:
        raise ConfigError("no conversations: give a list, or set input_path")
    elif spooled is not None:
        try:
            is_stdin = config.input_path == STANDARD_STREAM
            yield JsonlSource(spooled, "standard input" if is_stdin else config.input_path)
        finally:
            spooled.unlink()
    else:
        yield JsonlSource(Path(config.input_path))


def spool(conversations: Sequence[Conversation] | None, config: InferenceConfig) -> Path | None:
    """Standard input or a named pipe as a temporary file, where that is the input, because rows
    are gone through more than once; None otherwise.

    To be called in the caller's own thread, where a Ctrl-C ends the wait for input.
    """
    path = config.input_path
    if conversations is not None or path is None:
        return None
    if path == STANDARD_STREAM:
        return _spool(sys.stdin.buffer)
    if Path(path).is_fifo():
        with open(path, "rb") as pipe:
            return _spool(pipe)
    return None


def _spool(stream: BinaryIO) -> Path:
    handle, name = tempfile.mkstemp(prefix="oumi-", suffix=".jsonl")
    try:
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(stream, file)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)
