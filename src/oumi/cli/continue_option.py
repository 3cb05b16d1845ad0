"""`-c`: alone it continues the last conversation, before a name it names settings."""

from __future__ import annotations

import os

import click

from oumi.cli.overrides import CommandT, OverridableCommand


class ContinuableCommand(OverridableCommand):
    """A command that tells the two meanings of `-c` apart.

    Users of `llm` and the like know `-c` as `--continue`, those of this command as `--config FILE`.
    What follows tells which is meant: a config's name has no spaces, unless it is that of a file.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write `-c` out, and go on as other commands do."""
        return super().parse_args(ctx, spell_out(args))


def continue_option(command: CommandT) -> CommandT:
    """The option, which gives a command the argument `continues`."""
    return click.option(
        "--continue",
        "continues",
        is_flag=True,
        help="Go on with the last conversation; -c for short, where no name of a config follows.",
    )(command)


def spell_out(args: list[str]) -> list[str]:
    """The arguments with `--continue` or `--config` for each `-c`."""
    spelt = list(args)
    for at, word in enumerate(args):
        if word == "--":
            break
        if word == "-c":
            following = args[at + 1] if at + 1 < len(args) else None
            spelt[at] = "--config" if following and _may_be_config(following) else "--continue"
    return spelt


def _may_be_config(word: str) -> bool:
    if word.startswith("-"):
        return False
    return not any(letter.isspace() for letter in word) or os.path.isfile(word)
