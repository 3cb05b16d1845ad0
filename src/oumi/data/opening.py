"""From what the caller named as input to a source."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

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
    """A list, the file of `input_path`, or standard input, which `spool` has copied to a file."""
    if conversations is not None:
        yield ListSource(conversations)
    elif config.input_path is None:
        raise ConfigError("no conversations: give a list, or set input_path")
    elif spooled is not None:
        try:
            yield JsonlSource(spooled, "standard input")
        finally:
            spooled.unlink()
    else:
        yield JsonlSource(Path(config.input_path))


def spool(conversations: Sequence[Conversation] | None, config: InferenceConfig) -> Path | None:
    """Standard input as a temporary file, where that is the input; None otherwise.

    To be called in the caller's own thread, where a Ctrl-C ends the wait for input.
    """
    if conversations is None and config.input_path == STANDARD_STREAM:
        return _spool_stdin()
    return None


def _spool_stdin() -> Path:
    handle, name = tempfile.mkstemp(prefix="oumi-", suffix=".jsonl")
    try:
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)
