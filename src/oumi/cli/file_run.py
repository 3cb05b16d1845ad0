"""A run over a file: its progress, its summary, and how it goes on after an interruption."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn, TypeAlias

import click

from oumi.cli import summary
from oumi.cli.signals import exit_code_of
from oumi.core.configs import InferenceConfig
from oumi.core.printable import printable
from oumi.core.types.embedding_result import EmbeddingResult
from oumi.core.types.result import InferenceResult, RowOutcomes
from oumi.errors import InferenceError, OumiError
from oumi.inference import InferenceEngine, build_engine
from oumi.progress.progress import Progress

Ask: TypeAlias = Callable[[InferenceEngine, InferenceConfig, Progress], RowOutcomes]
"""Asks an engine for all rows, and tells how far it is."""

EXIT_CODES = """\b
Exit codes: 0 all done; 2 wrong request or settings; 3 access; 4 unavailable;
5 engine; 6 some rows failed; 7 a budget is used up; 130 interrupted.
"""
"""For the help of commands that run a file."""


def answer_file(config: InferenceConfig, *, quiet: bool, sums_up: bool = True) -> int:
    """Answer the input file, showing progress and a summary. Returns the exit code."""
    return _run_file(_infer, config, quiet=quiet, sums_up=sums_up)


def embed_file(config: InferenceConfig, *, quiet: bool) -> int:
    """The same for a file whose texts are embedded."""
    return _run_file(_embed, config, quiet=quiet)


def _run_file(ask: Ask, config: InferenceConfig, *, quiet: bool, sums_up: bool = True) -> int:
    with Progress(None if quiet else sys.stderr) as progress:
        engine = build_engine(config)
        try:
            result = ask(engine, config, progress)
        except KeyboardInterrupt as interrupt:
            progress.close()
            _print(summary.interrupted(progress.stats, config))
            if progress.is_running:
                _exit_at_once(exit_code_of(interrupt))
            return exit_code_of(interrupt)
        except OumiError as error:
            progress.close()
            _print(summary.aborted(progress.stats, config, error))
            raise
        finally:
            engine.close()
    if sums_up and not quiet:
        _print(summary.finished(progress.stats, config))
    if not result.has_failures:
        return 0
    _print(summary.failed(progress.stats, result))
    return InferenceError.exit_code


def _infer(engine: InferenceEngine, config: InferenceConfig, progress: Progress) -> RowOutcomes:
    """All rows. Raises what ends the whole run, for the exit code that belongs to it."""
    try:
        return InferenceResult(engine.infer(None, config, on_event=progress, progress=False))
    except InferenceError as error:
        result: InferenceResult = error.result
        return result


def _embed(engine: InferenceEngine, config: InferenceConfig, progress: Progress) -> RowOutcomes:
    try:
        return engine.embed(None, config, on_event=progress, progress=False)
    except InferenceError as error:
        result: EmbeddingResult = error.result
        return result


def _print(text: str) -> None:
    if text:
        click.echo(printable(text), err=True)


def _exit_at_once(code: int) -> NoReturn:
    """Exit without waiting for requests in flight or for threads. All answers are recorded."""
    sys.stderr.flush()
    os._exit(code)
