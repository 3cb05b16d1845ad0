"""Templates of prompts: Jinja in a sandbox, over the columns of a row.

https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from oumi.core.names import did_you_mean
from oumi.data.records.values import to_plain
from oumi.errors import ConfigError

ROW = "row"
"""The whole row, for columns whose names are no names of Jinja: `{{ row["my column"] }}`."""

_MOST_COLUMNS = 20
_MOST_BYTES = 1_000_000


class UnknownColumnError(ValueError):
    """A template names what is no column."""


class RowTemplate:
    """A template that a setting holds. Raises ConfigError for wrong syntax."""

    def __init__(self, text: str, setting: str):
        self.text = text
        self._setting = setting
        environment = _environment()
        try:
            tree = environment.parse(text)
            self._template = environment.from_string(tree)
        except TemplateSyntaxError as error:
            lines = text.splitlines()[error.lineno - 1 :]
            line = f": {lines[0].strip()[:100]}" if lines else ""
            raise ConfigError(
                f"{setting}: wrong syntax in line {error.lineno}: {error.message}{line}"
            ) from error
        # A plain dict: Jinja's own chain of dicts takes as long as all the rest of a rendering.
        self._template.globals = dict(self._template.globals)
        self.names = frozenset(meta.find_undeclared_variables(tree))
        """The names that it takes from the row."""

    def render(self, row: Mapping[str, Any]) -> str:
        """The text for a row. Raises UnknownColumnError, and ValueError for what else in the row is
        not as it should be.
        """
        values = {name: row[name] for name in self.names if name in row}
        if ROW in self.names:
            values.setdefault(ROW, _Row(row))
        try:
            return self._template.render(values)
        except UndefinedError as error:
            raise self._unknown(error, row) from None
        except SecurityError as error:
            raise ValueError(f"{self._setting}: not allowed in a template: {error}") from None
        except TemplateError as error:
            raise ValueError(f"{self._setting}: {error}") from None
        except Exception as error:  # a template computes with values of any kind
            reason = f"{type(error).__name__}: {error}"
            raise ValueError(f"{self._setting}: cannot be rendered: {reason}") from None

    def _unknown(self, error: UndefinedError, row: Mapping[str, Any]) -> ValueError:
        match = _UNDEFINED.fullmatch(str(error))
        if match is None:  # of a value in a column
            return ValueError(f"{self._setting}: {error}")
        name, names = match[1] or match[2], list(row)
        hint = did_you_mean(name, names, before="; ") or "."
        more = ", …" if len(names) > _MOST_COLUMNS else ""
        known = ", ".join(names[:_MOST_COLUMNS]) + more
        return UnknownColumnError(
            f"{self._setting}: {name!r} is no column{hint} The columns are: {known}"
        )


class _Row(dict[str, Any]):
    """The row, under a name by which messages of Jinja tell it from other dicts."""


# Messages of Jinja about names that a row lacks.
_UNDEFINED = re.compile(rf"'([^']+)' is undefined|'{__name__}._Row object' has no attribute '(.+)'")


def read_template_file(path: str) -> str:
    """The text of `prompt_file`. Raises ConfigError."""
    file = Path(path).expanduser()
    try:
        data = file.read_bytes()
        if len(data) > _MOST_BYTES:
            raise ConfigError(f"prompt_file: {path}: {len(data):,} bytes are no template")
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the path
        raise ConfigError(f"prompt_file: {path}: cannot be read: {error}") from error


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # a prompt is no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_refuse_null,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.filters["tojson"] = _to_json
    return environment


def _refuse_null(value: Any) -> Any:
    """A null would be written out as `None`, and be asked for."""
    if value is None:
        raise ValueError('a value is null: write {{ name or "" }} where it may be')
    return value


def _to_json(value: Any, indent: int | None = None) -> str:
    """Jinja's own filter would write `<` as `\\u003c`."""
    return json.dumps(to_plain(value), ensure_ascii=False, indent=indent)
