"""Short options for the settings that most people set: `-m`, `-s`, `-t` and the like."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from oumi.cli.overrides import CommandT, add_override
from oumi.cli.setting_completion import complete_engine, complete_model

_SHORTCUTS: dict[str, dict[str, Any]] = {
    "model.model_name": {
        "names": ("-m", "--model"),
        "metavar": "NAME",
        "help": "The model: a name such as gpt-4o-mini or groq/llama-3.3-70b-versatile, a GGUF "
        "file, a hub id. Left out: the model in this package.",
        "shell_complete": complete_model,
    },
    "engine": {
        "names": ("--engine",),
        "metavar": "NAME",
        "help": "Who answers, where the model's name does not say it: see `oumi engines`.",
        "shell_complete": complete_engine,
    },
    "system": {
        "names": ("-s", "--system", "--system-prompt"),
        "metavar": "TEXT",
        "help": "The system prompt.",
    },
    "generation.temperature": {
        "names": ("-t", "--temperature"),
        "metavar": "NUMBER",
        "help": "Randomness: 0, the default, always takes the likeliest token.",
    },
    "generation.max_new_tokens": {
        "names": ("--max_tokens", "--max-tokens"),
        "metavar": "NUMBER",
        "help": "Most tokens of an answer.",
    },
    "generation.num_samples": {
        "names": ("-n",),
        "metavar": "NUMBER",
        "help": "How many answers to give; more than one takes a temperature above 0.",
    },
    "generation.guided_decoding.json": {
        "names": ("--schema",),
        "metavar": "FILE|FIELDS",
        "help": "Answer in JSON of this schema: a file, JSON text, or fields: 'name, age int'.",
    },
}


def shortcut_options(command: CommandT) -> CommandT:
    """The options, each of which stands for the setting of its path."""
    return _add_options(command, multiple=False)


def model_options(command: CommandT) -> CommandT:
    """Those that say which model answers."""
    return _add_options(command, multiple=False, paths=("model.model_name", "engine"))


def repeatable_shortcut_options(command: CommandT) -> CommandT:
    """The same options, each of which may be given several times."""
    return _add_options(command, multiple=True)


def _add_options(
    command: CommandT, *, multiple: bool, paths: Sequence[str] = tuple(_SHORTCUTS)
) -> CommandT:
    for path in reversed(paths):
        shortcut = _SHORTCUTS[path]
        names, further = shortcut["names"], {k: v for k, v in shortcut.items() if k != "names"}
        option = click.option(
            *names, expose_value=False, callback=_set(path), multiple=multiple, **further
        )
        command = option(command)
    return command


def _set(path: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(
        ctx: click.Context, _: click.Parameter, given: str | tuple[str, ...] | None
    ) -> None:
        values = (given,) if isinstance(given, str) else given or ()
        for value in values:
            # A schema stays one text, whatever YAML would make of its commas and colons.
            text = json.dumps(value) if path.endswith(".json") else value
            add_override(ctx, path, text)

    return callback
