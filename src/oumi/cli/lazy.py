"""Commands that are imported when they are called, so that `--help` is quick."""

from __future__ import annotations

import importlib
from typing import Any, cast

import click


class LazyCommand(click.Command):
    """Stands in for the `command` of a module until it is called."""

    def __init__(self, name: str, *, help: str, module: str):  # noqa: A002  click's own word
        super().__init__(name, help=help)
        self._module = module

    def load(self) -> click.Command:
        """The command itself."""
        return cast(click.Command, importlib.import_module(self._module).command)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the command itself, which then runs in place of this one."""
        return self.load().make_context(info_name, args, parent, **extra)
