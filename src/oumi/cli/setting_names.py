"""The settings by name: what one that nobody knows may have meant, and the list for `--help`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

import click

from oumi.core.configs.groups import GROUPS, fields_of, setting_paths
from oumi.core.names import nearest

_TITLES = {
    "": "Settings of the run",
    "model": "Settings of the model",
    "generation": "Settings of answers",
    "generation.guided_decoding": "What an answer has to be (one of json, regex, choice, grammar)",
    "embedding": "Settings of embeddings",
    "remote_params": "Settings of an API",
    "price": "What tokens cost",
    "cluster": "Settings of a Ray cluster",
}
_MOST_SUGGESTED = 3
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def suggestions(flag: str, own: Iterable[str]) -> list[str]:
    """The options that `flag` may have meant: a setting of that name in a group, or what resembles
    it. `own` are the options of the command besides settings.
    """
    name = flag.removeprefix("--").replace("-", "_")
    by_name: dict[str, list[str]] = {}
    for option in sorted(option for option in own if option.startswith("--")):
        by_name.setdefault(option.removeprefix("--").replace("-", "_"), []).append(option)
    for path in setting_paths():
        by_name.setdefault(path.rpartition(".")[2], []).append(f"--{path}")
    if name in by_name:
        return by_name[name]
    similar = nearest(name, by_name, most=_MOST_SUGGESTED)
    return [option for one in similar for option in by_name[one]][:_MOST_SUGGESTED]


class ListsSettings(click.Command):
    """A command whose help lists all settings after the options of its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both."""
        super().format_options(ctx, formatter)
        _write_settings(formatter, {name for param in self.get_params(ctx) for name in param.opts})


def _write_settings(formatter: click.HelpFormatter, own: Container[str]) -> None:
    """The settings by group, each with the first sentence about it, without the `own` options of
    the command.
    """
    for group, title in _TITLES.items():
        with formatter.section(title):
            formatter.write_dl([entry for entry in _entries(group) if entry[0] not in own])


def _entries(group: str) -> Iterator[tuple[str, str]]:
    # Reads the source of the class, so it is imported for help alone.
    from oumi.core.configs.docstrings import attribute_docstrings

    docstrings = attribute_docstrings(GROUPS[group])
    for name, path in fields_of(group).items():
        yield f"--{path}", _first_sentence(docstrings[name])


def _first_sentence(text: str) -> str:
    """The sentence as plain text: links, which are for pages, are their words alone."""
    return _LINK.sub(r"\1", text.partition(". ")[0].rstrip("."))
