"""Commands that are imported when they are called, so that `--help` is quick."""

from __future__ import annotations

import importlib
from typing import Any, cast

import click


class LazyCommand(click.Command):
    """Stands in for a command until it is called. `target` is written `module:function`."""

    def __init__(self, name: str, target: str, *, help: str):  # noqa: A002  click's own word
        super().__init__(name, help=help)
        self._target = target

    def load(self) -> click.Command:
        """Import the command itself."""
        module, _, function = self._target.partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), function))

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the command itself, which then runs in place of this one."""
        return self.load().make_context(info_name, args, parent, **extra)
