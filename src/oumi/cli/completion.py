"""`oumi completion`: the script that makes a shell complete commands, settings and values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_OUMI_COMPLETE"
"""By which the script asks this command what to offer."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the script for SHELL. It is to be run when the shell starts:

    \b
    bash  echo 'eval "$(oumi completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(oumi completion zsh)"' >> ~/.zshrc
    fish  oumi completion fish > ~/.config/fish/completions/oumi.fish
    """
    from oumi.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"No completion for {shell}.")
    click.echo(kind(cli, {}, "oumi", _VARIABLE).source())
    return 0
