"""`oumi config`: the user's defaults."""

from __future__ import annotations

import click

from oumi.cli import user_defaults
from oumi.core.configs.loading import to_text
from oumi.core.printable import printable


@click.group("config", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Show the defaults of `oumi infer`, `oumi chat` and `oumi batch submit`, or change them.

    \b
    oumi config set model gpt-4o-mini
    oumi config set system "Answer in one line."
    oumi config set generation.temperature 0.7
    oumi config unset model

    A YAML file (-c) and options win over them. Keys are not kept here: each API has an
    environment variable for its own.
    """
    if ctx.invoked_subcommand is None:
        _show()
    return 0


@command.command("set")
@click.argument("name")
@click.argument("value")
def set_(name: str, value: str) -> int:
    """Save VALUE as the default of the setting NAME."""
    user_defaults.set_default(name, value)
    return 0


@command.command("unset")
@click.argument("name")
def unset(name: str) -> int:
    """Remove the default of the setting NAME."""
    if not user_defaults.unset_default(name):
        raise click.UsageError(f"There is no default of {printable(name)}.")
    return 0


@command.command("path")
def path() -> int:
    """Print where the file with the defaults is."""
    click.echo(str(user_defaults.path()))
    return 0


def _show() -> None:
    defaults = user_defaults.load().to_dict(only_set=True)
    click.echo(f"# {user_defaults.path()}", err=True)
    if defaults:
        click.echo(printable(to_text(defaults)), nl=False)
    else:
        click.echo("no defaults yet, such as: oumi config set model gpt-4o-mini", err=True)
