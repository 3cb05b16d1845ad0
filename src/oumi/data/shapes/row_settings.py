"""Settings that a row brings along: each row can be asked in its own way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from oumi.core.configs.generation_params import GenerationParams
from oumi.data.records.values import is_empty, to_plain
from oumi.data.shapes.known import json_value
from oumi.errors import ConfigError

SETTING_COLUMNS = ("temperature", "max_new_tokens", "seed", "schema", "adapter")
"""Columns that are settings by their name, unless a template writes them out."""


class RowSettings:
    """Reads the settings of rows: from one column that holds them all, or from columns by name.

    `settings_column` is the name of the one; empty, no column is a setting; None: those by name.
    """

    def __init__(
        self, settings_column: str | None, columns: Collection[str], used: Collection[str]
    ):
        self._column = settings_column or None
        if self._column is not None and columns and self._column not in columns:
            raise ConfigError(f"settings_column: {self._column!r} is no column of the input")
        by_name = SETTING_COLUMNS if settings_column is None else ()
        self.names = tuple(name for name in by_name if name in columns and name not in used)
        """The columns that are settings by their name."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that hold settings."""
        return (*self.names, *([self._column] if self._column else []))

    def read(self, row: Mapping[str, Any], given: Mapping[str, Any]) -> GenerationParams | None:
        """The settings of a row, over those `given` by its shape. Raises ValueError."""
        settings = {**given, **self._from_column(row)}
        for name in self.names:
            if not is_empty(value := row.get(name)):
                settings[name] = value
        if "schema" in settings:
            settings["guided_decoding"] = {"json": json_value(settings.pop("schema"))}
        return _checked(settings) if settings else None

    def _from_column(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if self._column is None or is_empty(row.get(self._column)):
            return {}
        found = to_plain(json_value(row[self._column]))
        if not isinstance(found, dict):
            raise ValueError(f"{self._column}: expected an object of settings")
        return {name: value for name, value in found.items() if value is not None}


def _checked(settings: dict[str, Any]) -> GenerationParams:
    try:
        return GenerationParams(**settings)
    except ValidationError as error:
        detail = error.errors()[0]
        field = ".".join(str(part) for part in detail["loc"])
        raise ValueError(f"{field}: {detail['msg'].removeprefix('Value error, ')}") from None
