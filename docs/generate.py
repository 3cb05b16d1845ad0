"""Writes what follows from the code elsewhere: tables and help on pages, names of engines in code.

A page marks such a part with `<!-- generated: NAME -->` and `<!-- end -->`, a module of Python with
`# generated: NAME` and `# end`. `python docs/generate.py` brings all of them up to date; with
`--check` it only says which are not.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import engine_code
import engine_tables
from page_text import table
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from oumi import errors
from oumi.core.configs.base import Settings
from oumi.core.configs.docstrings import attribute_docstrings, sentence
from oumi.core.configs.groups import GROUPS

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "oumi"
MODULES = (
    SOURCE / "core" / "configs" / "engine_type.py",
    SOURCE / "inference" / "engines.py",
    SOURCE / "inference" / "__init__.py",
)
"""Modules that have generated parts."""

_PAGE_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CODE_PART = re.compile(r"( *# generated: (\S+)\n).*?( *# end\n)", re.DOTALL)
_ALIASES = {"ApiKey": "str", "JsonSchema": "dict[str, Any]"}
"""Names that types have for type checkers, and what a file holds."""
_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
_OTHER_EXITS = {
    0: "Everything is done.",
    70: "A bug in this program; the message names a log file.",
    130: "Ctrl-C. The same command goes on where it stopped.",
    141: "The reader of standard output went away.",
    143: "SIGTERM. The same command goes on where it stopped.",
}


def settings() -> str:
    """A table of fields for each group of settings."""
    return "\n".join(_group(name, kind) for name, kind in GROUPS.items())


def _group(name: str, kind: type[Settings]) -> str:
    title = f"### `{name}`: {kind.__name__}" if name else f"### {kind.__name__}"
    meanings = attribute_docstrings(kind)
    rows = [
        [f"`{field}`", _type(kind, field, info), _default(info), meanings[field]]
        for field, info in kind.model_fields.items()
        if field not in kind.unused_fields()
    ]
    fields = table(["Setting", "Type", "Default", "Meaning"], rows)
    return "\n".join([title, "", sentence(kind.__doc__), "", fields, *_accepted(kind)])


def _type(kind: type[BaseModel], field: str, info: FieldInfo) -> str:
    written = inspect.get_annotations(kind)[field]
    for alias, meant in _ALIASES.items():
        written = written.replace(alias, meant)
    kinds = [f"`{part}`" for part in re.split(r" \| (?![^\[]*\])", written) if part != "None"]
    limits = [
        f"{word} {getattr(limit, name):g}"
        for limit in info.metadata
        for name, word in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    return ", ".join([" or ".join(kinds), *limits])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "has to be given"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, bool | dict | list):
        return f"`{str(value).lower()}`"
    return "none" if value is None else f"`{value}`"


def _accepted(kind: type[Settings]) -> Iterator[str]:
    if kind.unused_fields():
        names = ", ".join(f"`{name}`" for name in sorted(kind.unused_fields()))
        yield f"Accepted in a file, without effect here, and named once in a warning: {names}.\n"


def error_tree() -> str:
    """The tree at the top of the errors' module."""
    tree = (errors.__doc__ or "").partition("\n\n")[2].strip()
    return f"```text\n{tree}\n```\n"


def exit_codes() -> str:
    """What the command line ends with."""
    codes = dict(_OTHER_EXITS)
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    for kind in kinds:
        if issubclass(kind, errors.OumiError) and "exit_code" in vars(kind):
            codes[kind.exit_code] = f"`{kind.__name__}`: {sentence(kind.__doc__)}"
    codes[errors.OumiError.exit_code] = "Any other error of this tree."
    rows = [[f"`{code}`", codes[code]] for code in sorted(codes)]
    return table(["Exit code", "Meaning"], rows)


def command_help() -> str:
    """`--help` of each command."""
    from oumi.cli.main import cli

    return "\n".join(_help(words) for words in _commands(cli, []))


def _commands(command: Any, words: list[str]) -> Iterator[list[str]]:
    """The words of a command, and of those below it."""
    yield words
    loaded = command.load() if hasattr(command, "load") else command
    for name, below in getattr(loaded, "commands", {}).items():
        yield from _commands(below, [*words, name])


def _help(command: list[str]) -> str:
    from click.testing import CliRunner

    from oumi.cli.main import cli

    words = [*command, "--help"]
    shown = CliRunner().invoke(cli, words, prog_name="oumi", terminal_width=80)
    return f"### `{' '.join(['oumi', *command])}`\n\n```text\n{shown.output.rstrip()}\n```\n"


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "engine-table": engine_tables.engine_table,
    "embedding-engines": engine_tables.embedding_engines,
    "engine-settings": engine_tables.engine_settings,
    "remote-engines": engine_tables.remote_engines,
    "remote-common": engine_tables.common_settings,
    "remote-capabilities": engine_tables.remote_capabilities,
    "responses-engines": engine_tables.responses_engines,
    "structured-forms": engine_tables.structured_forms,
    "schema-rules": engine_tables.schema_rules,
    "error-tree": error_tree,
    "exit-codes": exit_codes,
    "command-help": command_help,
}


CODE_PARTS: dict[str, Callable[[], str]] = {
    "engine-members": engine_code.engine_members,
    "engine-aliases": engine_code.engine_aliases,
    "engine-classes": engine_code.engine_classes,
    "engine-names": engine_code.engine_names,
}


def renew(text: str) -> str:
    """A page with its generated parts made anew."""
    return _PAGE_PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def renew_code(text: str) -> str:
    """The text of a module with its generated parts made anew."""
    return _CODE_PART.sub(lambda part: f"{part[1]}{CODE_PARTS[part[2]]()}{part[3]}", text)


def stale_files() -> dict[Path, str]:
    """Each page and module that is not up to date, with what it should be."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    modules = {path: path.read_text(encoding="utf-8") for path in MODULES}
    renewed = {path: renew(text) for path, text in pages.items()}
    renewed |= {path: renew_code(text) for path, text in modules.items()}
    return {path: text for path, text in renewed.items() if text != {**pages, **modules}[path]}


def main() -> int:
    """Bring everything up to date, or say what is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    check = parser.parse_args().check
    stale = stale_files()
    for path, text in stale.items():
        print(f"{path.name}: {'out of date' if check else 'brought up to date'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
