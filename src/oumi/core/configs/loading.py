"""Reads and writes settings as YAML, with environment variables and dotted overrides."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from oumi.core.configs import yaml_text
from oumi.core.configs.headers import headers_without_keys
from oumi.core.regular_file import read_regular_file
from oumi.core.urls import without_secrets
from oumi.errors import ConfigError

SettingsT = TypeVar("SettingsT", bound=BaseModel)

# `${NAME}`, `${NAME:-default}`, and OmegaConf's `${oc.env:NAME,default}`:
# https://omegaconf.readthedocs.io/en/latest/custom_resolvers.html#oc-env
_VARIABLE = re.compile(r"\$\{(?:oc\.env:)?(\w+)(?:(?::-|,)([^}]*))?\}")


def load(
    kind: type[SettingsT],
    path: Path | None,
    overrides: Iterable[tuple[str, str]],
    *,
    substitute: bool = True,
) -> SettingsT:
    """Settings of a class, from a YAML file, if any, and overrides. Raises ConfigError.

    Without `substitute`, `${NAME}` is left as it is.
    """
    return _validate(
        kind, _compose(_read(path), path) if path else None, path, overrides, substitute
    )


def has_group(path: Path, name: str) -> bool:
    """Whether a YAML file has a setting of that name at its top. Raises ConfigError."""
    return name in _construct(_compose(_read(path), path), path)


def load_text(kind: type[SettingsT], text: str) -> SettingsT:
    """Settings of a class from a YAML text. Raises ConfigError."""
    return _validate(kind, _compose(text, None), None, (), True)


def save(settings: BaseModel, path: Path) -> None:
    """Write the fields that were set as YAML, without API keys and passwords."""
    path.write_text(to_text(dump_without_secrets(settings, only_set=True)), encoding="utf-8")


def to_text(data: dict[str, Any]) -> str:
    """Values as YAML."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def check(settings: BaseModel) -> None:
    """Raise ConfigError unless all values are still valid."""
    fields = {name: getattr(settings, name) for name in settings.model_fields_set}
    try:
        type(settings).model_validate(_as_dicts(fields))
    except ValidationError as error:
        raise ConfigError(_describe(error, None, None, [])) from None


def dump_without_secrets(settings: BaseModel, *, only_set: bool) -> dict[str, Any]:
    """The fields, or those that were set, as JSON-ready values: without the key, without headers
    that may hold one, and without what is secret in an address.
    """
    # Values that were laid over by `model_copy` are not checked, and are written as they are.
    data = settings.model_dump(mode="json", exclude_unset=only_set, warnings=False)
    for group in (data, data.get("remote_params") or {}):
        group.pop("api_key", None)
        if url := group.get("api_url"):
            is_single = isinstance(url, str)
            group["api_url"] = (
                without_secrets(url) if is_single else list(map(without_secrets, url))
            )
        if headers := group.get("headers"):
            group["headers"] = headers_without_keys(headers)
    return data


def _as_dicts(value: Any) -> Any:
    """Settings as dicts, so that their values are checked anew."""
    if isinstance(value, BaseModel):
        return {name: _as_dicts(getattr(value, name)) for name in value.model_fields_set}
    return {name: _as_dicts(one) for name, one in value.items()} if type(value) is dict else value


def _validate(
    kind: type[SettingsT],
    node: yaml.Node | None,
    path: Path | None,
    overrides: Iterable[tuple[str, str]],
    substitute: bool,
) -> SettingsT:
    data = _construct(node, path)
    names = []
    for name, text in overrides:
        names.append(name)
        _override(data, name, text)
    try:
        return kind.model_validate(_substitute(data, ()) if substitute else data)
    except ValidationError as error:
        raise ConfigError(_describe(error, node, path, names)) from None


def _read(path: Path) -> str:
    try:
        return read_regular_file(path, yaml_text.MAX_BYTES).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _compose(text: str, path: Path | None) -> yaml.Node | None:
    try:
        return yaml_text.compose(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_named(path)}not YAML: {error}") from error


def _construct(node: yaml.Node | None, path: Path | None) -> dict[str, Any]:
    if node is None:
        return {}
    try:
        data = yaml_text.construct(node)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_named(path)}not plain YAML: {error}") from error
    if not isinstance(data, dict):
        expected = "settings are expected as `name: value`"
        raise ConfigError(f"{_named(path)}{expected}, found {data!r:.80}")
    return data


def _named(path: Path | None) -> str:
    return f"{path}: " if path else ""


def _override(data: dict[str, Any], name: str, text: str) -> None:
    *groups, field = name.split(".")
    for group in groups:
        data = data.setdefault(group, {})
        if not isinstance(data, dict):
            raise ConfigError(f"--{name}: {group!r} is a value and has no fields")
    data[field] = yaml_text.parse_value(text)


def _substitute(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return {key: _substitute(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, (*path, str(i))) for i, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    def variable(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = os.environ.get(name, default)
        if found is None:
            raise ConfigError(f"{'.'.join(path)}: the environment variable {name} is not set")
        return found

    return _VARIABLE.sub(variable, value)


def _describe(
    error: ValidationError, node: yaml.Node | None, path: Path | None, overridden: list[str]
) -> str:
    lines = []
    for detail in error.errors():
        field = ".".join(str(part) for part in detail["loc"])
        place = _place(field, _line_of(node, detail["loc"]), path, overridden)
        given = f" (given: {detail['input']!r:.80})" if _may_be_shown(detail) else ""
        lines.append(f"{place}{field + ': ' if field else ''}{detail['msg']}{given}")
    return "\n".join(lines)


def _place(field: str, line: int | None, path: Path | None, overridden: list[str]) -> str:
    inside = any(f"{field}.".startswith(f"{name}.") for name in overridden)
    above = line is None and any(name.startswith(f"{field}.") for name in overridden)
    if field and (inside or above):
        return "--"
    return f"{path}:{line}: " if path and line else f"line {line}: " if line else _named(path)


def _may_be_shown(detail: ErrorDetails) -> bool:
    """Whether an error may show the refused value: a group is too long, a key is
    secret, and an address or a header may hold a password.
    """
    name = ".".join(map(str, detail["loc"]))
    unknown = "unknown setting" in detail["msg"]
    is_secret = any(word in name for word in ("key", "api_url", "headers"))
    return not (unknown or is_secret or isinstance(detail["input"], dict))


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int | None:
    """The line of a field, from 1; of the innermost group around it if the file lacks the field."""
    line = None
    for part in location:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == part]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
