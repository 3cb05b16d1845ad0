"""`oumi compare`: one input under several models or settings, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from oumi.cli.compare.table import print_comparison
from oumi.cli.compare.variants import Variant, read_variants
from oumi.cli.config_list import list_option
from oumi.cli.errors import print_error
from oumi.cli.file_run import answer_file
from oumi.cli.log_options import log_options, show_settings
from oumi.cli.overrides import OverridableCommand, given_overrides
from oumi.cli.question import with_named_engine
from oumi.cli.shortcuts import repeatable_shortcut_options
from oumi.cli.signals import sigterm_interrupts
from oumi.cli.words import Words, read_words, with_files
from oumi.core.configs import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.configs.run_choices import OutputFormat, SampleLayout
from oumi.core.configs.yaml_text import parse_value
from oumi.core.logs import logger
from oumi.core.printable import printable, printable_line
from oumi.data.input_file import is_table
from oumi.errors import InputError, OumiError
from oumi.report.comparison import compare_runs
from oumi.report.output_rows import has_run, open_run
from oumi.report.write import check_replaceable, write_report

_FOLDER = "compare"
_REPORT = "report.html"
_INTERRUPTED = 128
"""Exit codes from here on are those of signals."""
_EPILOG = """\b
oumi compare questions.jsonl -c small.yaml -c large.yaml
oumi compare rows.csv "Translate: {{ text }}" -m gpt-4o-mini -m gpt-4o -t 0 -t 1

\b
Each combination is a run of its own: compare/NAME.jsonl, where NAME says what
differs. What was interrupted or has failed goes on where it stopped when the
same command is given again. `oumi infer --help` lists all settings.
"""


@click.command(
    "compare",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG,
)
@click.argument("given", metavar="[FILE]... [PROMPT]", nargs=-1, required=False)
@repeatable_shortcut_options
@click.option(
    "-c",
    "--config",
    "configs",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="YAML settings: a path, or a name that --list shows.",
)
@list_option
@click.option("-q", "--quiet", is_flag=True, help="Show errors and the table only, no progress.")
@log_options
@click.pass_context
def command(
    ctx: click.Context,
    given: tuple[str, ...],
    configs: tuple[Path, ...],
    quiet: bool,
    verbose: bool,
) -> int:
    """Run one input under several models or settings, and compare what comes out.

    Whatever is given several times is compared, in all combinations: -m, -c, -t or any
    other setting. The answers of each run and a report of all of them go to the folder
    that --output_path names (left out: compare).
    """
    overrides, words = given_overrides(ctx), read_words(given)
    folder = _folder([text for name, text in overrides if name == "output_path"])
    variants = _prepare(read_variants(configs, overrides), words, folder, quiet=quiet)
    _check_input([variant.config for variant in variants])
    if verbose:
        for variant in variants:
            show_settings(variant.config)
    check_replaceable(folder / _REPORT)
    with sigterm_interrupts():
        codes = _run_all(variants, quiet=quiet)
    if codes[-1] > _INTERRUPTED:
        return codes[-1]
    _show(variants, folder)
    return next(filter(None, codes), 0)


def _folder(given: Sequence[str]) -> Path:
    """Where the answers go. Raises UsageError for what is the name of a file."""
    if not given:
        return Path(_FOLDER)
    path = str(parse_value(given[0]))
    if path == STANDARD_STREAM or is_table(path) or Path(path).is_file():
        raise click.UsageError(
            f"--output_path {printable_line(path)}: the runs have a file each; name a folder."
        )
    return Path(path)


def _prepare(
    variants: Sequence[Variant], words: Words, folder: Path, *, quiet: bool
) -> list[Variant]:
    """The runs with their input, their output and their engine. Raises UsageError, ConfigError."""
    prepared, models = [], set()
    for name, config in variants:
        model = config.model.model_name
        config = with_named_engine(config, quiet=quiet or model in models)
        models.add(model)
        if config.output_path is not None and Path(config.output_path) != folder:
            logger.warning("%s: output_path is not used: all answers go to %s", name, folder)
        ending = ".csv" if config.output_format == OutputFormat.TABLE else ".jsonl"
        path = str(folder / f"{name}{ending}")
        given = _with_input(config, words).model_copy(update={"output_path": path})
        prepared.append(Variant(name, given))
    return prepared


def _with_input(config: InferenceConfig, words: Words) -> InferenceConfig:
    if words.files:
        return with_files(config, words.files, words.question)
    if words.question is not None:
        raise click.UsageError(
            "A question is the template of what each row of a file asks: name the file before it."
        )
    return config


def _check_input(configs: Sequence[InferenceConfig]) -> None:
    """Raise UsageError unless all runs have the same input, and it can be read several times."""
    inputs = [config.input_path for config in configs]
    if inputs[0] is None:
        raise click.UsageError("Nothing to answer: give a file, FILE or --input_path FILE.")
    if any(path != inputs[0] for path in inputs):
        raise click.UsageError(
            f"The runs have different inputs, {printable_line(str(inputs[0]))} and others: name "
            "one with --input_path."
        )
    if inputs[0] == STANDARD_STREAM:
        raise click.UsageError("Standard input is read once, and each run needs it: name a file.")


def _run_all(variants: Sequence[Variant], *, quiet: bool) -> list[int]:
    """The exit code of each run, up to one that was interrupted. One that an error ends leaves the
    others as they are. Raises InputError, which would end each of them.
    """
    codes: list[int] = []
    for number, (name, config) in enumerate(variants, 1):
        if not quiet:
            click.echo(printable_line(f"{number}/{len(variants)} {name}"), err=True)
        try:
            codes.append(answer_file(config, quiet=quiet, sums_up=False))
        except InputError:
            raise
        except OumiError as error:
            print_error(f"{name}: {error}")
            codes.append(error.exit_code)
        if codes[-1] > _INTERRUPTED:
            break
    return codes


def _show(variants: Sequence[Variant], folder: Path) -> None:
    """Print the table, write the report, and say where it is."""
    outputs = {name: Path(str(config.output_path)) for name, config in variants}
    begun = [variant for variant in variants if has_run(outputs[variant.name])]
    if not begun:
        return
    runs = compare_runs((open_run(outputs[name]), _samples(config)) for name, config in begun)
    found = dict(zip([name for name, _ in begun], runs, strict=True))
    finished = [path for path in outputs.values() if path.exists()]
    names = [f"{name}{_state(path)}" for name, path in outputs.items()]
    print_comparison(names, [found.get(name) for name in outputs])
    if finished:
        click.echo(printable(f"\nRow by row: {write_report(finished, folder / _REPORT)}"))


def _state(output: Path) -> str:
    """What is said of a run that has not reached its end."""
    if output.exists():
        return ""
    return " (unfinished)" if has_run(output) else " (not begun)"


def _samples(config: InferenceConfig) -> int:
    """How many rows of the output belong to a row of the input."""
    return 1 if config.samples == SampleLayout.LIST else config.generation.num_samples
