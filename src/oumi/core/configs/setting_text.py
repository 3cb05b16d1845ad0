"""Values of settings as texts, as a command line has them: `generation.temperature=0.5`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import SecretStr

from oumi.core.configs.base import Settings
from oumi.core.printable import printable_json
from oumi.errors import ConfigError

_LAUNCHER_ARGUMENTS = "--local-rank"
"""What launchers of several processes add to the arguments of each."""


def parse_arguments(kind: type[Settings], arguments: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of name and value as YAML, of arguments such as `name=value` or `--name=value`.

    Raises ConfigError for one without a `=`.
    """
    pairs = []
    for argument in arguments:
        if argument.startswith(_LAUNCHER_ARGUMENTS):
            continue
        name, equals, value = argument.strip().removeprefix("--").partition("=")
        if not (name and equals):
            raise ConfigError(f"{argument!r}: expected name=value, such as generation.seed=1")
        pairs.append((name, as_yaml(kind, name, value)))
    return pairs


def as_yaml(kind: type[Settings], name: str, value: str) -> str:
    """The value as YAML; that of a text setting is quoted, so that `1.5` or `no` stays text."""
    types = _types(kind, name)
    if list[str] in types and not value.startswith("["):
        types -= {list[str]}  # one text
    if not types or not types <= {str, SecretStr, NoneType}:
        return value
    if NoneType in types and value in ("", "~", "null"):
        return value
    # YAML takes no control characters as they are.
    return printable_json(json.dumps(value, ensure_ascii=False))


def _types(kind: type[Settings], name: str) -> set[Any]:
    """The types of a setting; none for an unknown one."""
    group: type[Settings] | None = kind
    types: tuple[Any, ...] = ()
    for part in name.split("."):
        if types == (dict[str, str],):  # the part is a name in it
            return {str}
        field = group.model_fields.get(part) if group else None
        if field is None:
            return set()
        is_union = get_origin(field.annotation) in (Union, UnionType)
        types = get_args(field.annotation) if is_union else (field.annotation,)
        group = next((k for k in types if inspect.isclass(k) and issubclass(k, Settings)), None)
    return set(types)
