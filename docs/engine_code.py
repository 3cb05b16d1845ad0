"""Code that follows from the rows of the engines: the enum, the classes, the public names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import own_rows
from oumi.backends.remote.providers import PROVIDERS

_ARTICLES = ("a", "an", "any", "the")
_BASE = "RemoteInferenceEngine"
_HAND_WRITTEN = ("InferenceEngine", "build_engine")
"""Public names of `oumi.inference` that belong to no row."""


def engine_members() -> str:
    """The members of InferenceEngineType."""
    members = (f'{row.name} = "{row.name}"\n"""{_sentence(row)}"""\n' for row in own_rows())
    return _indent("\n".join(members))


def engine_aliases() -> str:
    """Other names of engines."""
    aliases = {alias: row.name for row in PROVIDERS for alias in row.aliases}
    return f"_ALIASES = {{\n{_pairs(aliases)}}}\n"


def engine_classes() -> str:
    """A class for each provider, and `__all__`."""
    names = _quoted([_BASE, *_class_names()])
    classes = (_class(row) for row in own_rows() if row.class_name in _class_names())
    return f"__all__ = [\n{names}]\n\n\n" + "\n\n".join(classes) + "\n\n"


def engine_names() -> str:
    """The public names of `oumi.inference`, as type checkers and `__getattr__` need them."""
    local = [row for row in own_rows() if row.provider is None]
    imports = [
        f"from oumi.inference.engines import (\n{_lines(sorted(_class_names(), key=str.lower))})\n",
        f"from oumi.inference.local_engines import (\n{_lines(row.class_name for row in local)})\n",
        f"from oumi.inference.remote_engine import {_BASE}\n",
    ]
    engines = {row.class_name: row.name for row in own_rows()}
    return (
        f"if TYPE_CHECKING:\n{_indent(''.join(imports))}\n"
        f"__all__ = [\n{_quoted([*_HAND_WRITTEN, *engines])}]\n\n"
        f"_ENGINES = {{\n{_pairs(engines)}}}\n"
    )


def _class_names() -> list[str]:
    return [row.class_name for row in PROVIDERS if row.class_name != _BASE]


def _class(row: EngineRow) -> str:
    return (
        f"class {row.class_name}({_BASE}):\n"
        f'    """{_sentence(row)}"""\n\n'
        f"    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.{row.name}\n"
    )


def _sentence(row: EngineRow) -> str:
    first, _, rest = row.summary.partition(" ")
    return f"{first.capitalize() if first in _ARTICLES else first} {rest}."


def _lines(items: Iterable[str]) -> str:
    return "".join(f"    {item},\n" for item in items)


def _quoted(names: Iterable[str]) -> str:
    return _lines(f'"{name}"' for name in sorted(names))


def _pairs(values: Mapping[str, str]) -> str:
    return _lines(f'"{name}": "{value}"' for name, value in sorted(values.items()))


def _indent(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(True))
