"""`oumi infer`: answer a file of conversations, or chat."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from oumi.cli import summary
from oumi.cli.config_list import list_option
from oumi.cli.log_options import log_options, show_settings
from oumi.cli.overrides import OverridableCommand, config_option, read_settings
from oumi.cli.signals import exit_code_of, sigterm_interrupts
from oumi.core.configs import InferenceConfig
from oumi.core.printable import printable
from oumi.core.types.result import InferenceResult
from oumi.errors import InferenceError, OumiError
from oumi.inference import InferenceEngine, build_engine
from oumi.progress.progress import Progress

_EPILOG = """\b
Any setting is an option, named by its path:
  --input_path FILE        conversations or a table: JSONL, JSON, CSV, Parquet, …;
                           a folder, a pattern, a URL; - is standard input
  --prompt TEMPLATE        what each row of a table asks: "Sum up: {{ text }}"
  --output_path FILE       where the answers go, as conversations or as a table
                           (.parquet, .csv); - (the default) is standard output
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
@config_option()
@list_option
@click.option("-i", "--interactive", is_flag=True, help="Chat in the terminal.")
@click.option(
    "--image",
    "images",
    metavar="FILE",
    multiple=True,
    help="An image or a PDF that a chat begins with: a file or an address. May be given again.",
)
@click.option("--system-prompt", metavar="TEXT", help="What a chat tells the model at first.")
@click.option("-q", "--quiet", is_flag=True, help="Show errors only, no progress, no summary.")
@log_options
@click.pass_context
def command(
    ctx: click.Context,
    path: Path | None,
    interactive: bool,
    images: tuple[str, ...],
    system_prompt: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Answer a file of conversations, or chat in the terminal (-i)."""
    config = read_settings(ctx, path)
    if verbose:
        show_settings(config)
    if interactive or _starts_chat(config):
        return _chat(config, images, system_prompt)
    if images or system_prompt is not None:
        raise click.UsageError(
            "--image and --system-prompt are for a chat (-i); rows of a file have their own.", ctx
        )
    with sigterm_interrupts():
        return answer_file(_with_paths(config, ctx), quiet=quiet)


def _starts_chat(config: InferenceConfig) -> bool:
    """Whether nobody named an input, and somebody sits at the keyboard."""
    return config.input_path is None and sys.stdin.isatty()


def _chat(config: InferenceConfig, images: tuple[str, ...], system_prompt: str | None) -> int:
    from oumi.cli import chat
    from oumi.cli.image_option import as_taken, to_item

    if config.input_path is not None:
        _print(f"warning: a chat reads no file: {config.input_path} is left as it is")
    items = [item for image in images for item in as_taken(to_item(image), config)]
    return chat.run(config, system_prompt, items)


def answer_file(config: InferenceConfig, *, quiet: bool) -> int:
    """Answer the input file, showing progress and a summary. Returns the exit code."""
    with Progress(None if quiet else sys.stderr) as progress:
        engine = build_engine(config)
        try:
            result = _infer(engine, config, progress)
        except KeyboardInterrupt as interrupt:
            progress.close()
            _print(summary.interrupted(progress.stats, config))
            if progress.is_running:
                _exit_at_once(exit_code_of(interrupt))
            return exit_code_of(interrupt)
        except OumiError:
            progress.close()
            _print(summary.aborted(progress.stats, config))
            raise
        finally:
            engine.close()
    return _summarize(progress, config, result, quiet=quiet)


def _infer(engine: InferenceEngine, config: InferenceConfig, progress: Progress) -> InferenceResult:
    """All rows. Raises what ends the whole run, for the exit code that belongs to it."""
    try:
        return InferenceResult(engine.infer(None, config, on_event=progress, progress=False))
    except InferenceError as error:
        result: InferenceResult = error.result
        return result


def _with_paths(config: InferenceConfig, ctx: click.Context) -> InferenceConfig:
    if config.input_path is None:
        raise click.UsageError(
            "No conversations: give --input_path FILE (- is standard input), or -i for a chat.",
            ctx,
        )
    if config.input_path == "-" and sys.stdin.isatty():
        _print("Reading conversations from the terminal, one JSON object a line; Ctrl-D ends.")
    return config if config.output_path else config.model_copy(update={"output_path": "-"})


def _summarize(
    progress: Progress, config: InferenceConfig, result: InferenceResult, *, quiet: bool
) -> int:
    if not quiet:
        _print(summary.finished(progress.stats, config))
    if not result.has_failures:
        return 0
    _print(summary.failed(progress.stats, result))
    return InferenceError.exit_code


def _print(text: str) -> None:
    if text:
        click.echo(printable(text), err=True)


def _exit_at_once(code: int) -> NoReturn:
    """Exit without waiting for requests in flight or for threads. All answers are recorded."""
    sys.stderr.flush()
    os._exit(code)
