"""`oumi infer`: answer a file of conversations, or chat."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from oumi.cli import summary
from oumi.cli.overrides import OverridableCommand, read_settings
from oumi.cli.progress import Progress
from oumi.cli.signals import exit_code_of, sigterm_interrupts
from oumi.core.configs import InferenceConfig
from oumi.core.types.result import InferenceResult
from oumi.errors import InferenceError, OumiError
from oumi.inference import build_engine

_EPILOG = """\b
Any setting is an option, named by its path:
  --input_path FILE        JSONL, one conversation a line; - is standard input
  --output_path FILE       where the answers go; - (the default) is standard output
  --overwrite              replace an output file that is not of this run
  --engine NAME            one of those that `oumi engines` lists
  --model.model_name NAME  a GGUF file or hub id; left out: the model in this package
  --generation.max_new_tokens N, --generation.temperature T, and so on

\b
A run that was interrupted goes on where it stopped when the same command is
given again.

\b
Exit codes: 0 all done; 2 wrong request or settings; 3 access; 4 unavailable;
5 engine; 6 some rows failed; 130 interrupted.
"""


@click.command(
    "infer",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG,
)
@click.option(
    "-c", "--config", "path", metavar="FILE", type=click.Path(path_type=Path), help="YAML settings."
)
@click.option("-i", "--interactive", is_flag=True, help="Chat in the terminal.")
@click.option("-q", "--quiet", is_flag=True, help="Show errors only, no progress, no summary.")
@click.pass_context
def command(ctx: click.Context, path: Path | None, interactive: bool, quiet: bool) -> int:
    """Answer a file of conversations, or chat in the terminal (-i)."""
    logging.basicConfig(format="warning: %(message)s", level=logging.WARNING)
    config = read_settings(ctx, path)
    if interactive:
        from oumi.cli import chat

        return chat.run(config)
    with sigterm_interrupts():
        return answer_file(_with_files(config, ctx), quiet=quiet)


def answer_file(config: InferenceConfig, *, quiet: bool) -> int:
    """Answer the input, show how far it is, and sum up. Returns the exit code."""
    with Progress(None if quiet else sys.stderr) as progress:
        engine = build_engine(config)
        try:
            result = engine.infer_partial(None, config, on_event=progress)
        except KeyboardInterrupt as interrupt:
            progress.end()
            _say(summary.interrupted(progress.stats, config))
            if progress.is_asking:
                _leave_at_once(exit_code_of(interrupt))
            return exit_code_of(interrupt)
        except OumiError:
            progress.end()
            _say(summary.broken_off(progress.stats, config))
            raise
        finally:
            engine.close()
    return _conclude(progress, config, result, quiet=quiet)


def _with_files(config: InferenceConfig, ctx: click.Context) -> InferenceConfig:
    if config.input_path is None:
        raise click.UsageError(
            "No conversations: give --input_path FILE (- is standard input), or -i for a chat.",
            ctx,
        )
    if config.input_path == "-" and sys.stdin.isatty():
        _say("Reading conversations from the terminal, one JSON object a line; Ctrl-D ends.")
    return config if config.output_path else config.model_copy(update={"output_path": "-"})


def _conclude(
    progress: Progress, config: InferenceConfig, result: InferenceResult, *, quiet: bool
) -> int:
    if not quiet:
        _say(summary.finished(progress.stats, config))
    if not result.has_failures:
        return 0
    _say(summary.failed(progress.stats, result))
    return InferenceError.exit_code


def _say(text: str) -> None:
    if text:
        click.echo(text, err=True)


def _leave_at_once(code: int) -> NoReturn:
    """Wait neither for requests in flight nor for threads. All that was answered is recorded."""
    sys.stderr.flush()
    os._exit(code)
