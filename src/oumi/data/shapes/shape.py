"""How the rows of a source become conversations, found out from its first row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.names import did_you_mean
from oumi.core.types.conversation import Conversation
from oumi.data.conversation_like import describe
from oumi.data.records.values import is_empty
from oumi.data.shapes.beside import add_beside, add_system, find_beside
from oumi.data.shapes.known import KnownShape, find_shape, text_shape
from oumi.data.shapes.row_settings import RowSettings
from oumi.data.shapes.template import (
    ROW,
    RowTemplate,
    UnknownColumnError,
    read_template_file,
)
from oumi.errors import ConfigError, InputError

_MOST_COLUMNS = 30
_SHAPE_COLUMNS = ("messages", "conversations", "instruction", "prompt")


class ShapedRow(NamedTuple):
    """A row as it is asked."""

    conversation: Conversation
    generation: GenerationParams | None = None
    """Its own settings, over those of the run."""


class Shape:
    """Makes conversations of rows, by the names of all columns and the first few rows.

    Raises InputError where the rows are of no known shape, and ConfigError for a template that
    does not fit the first row.
    """

    def __init__(
        self,
        config: InferenceConfig,
        columns: Sequence[str],
        samples: Sequence[Mapping[str, Any]],
    ):
        first = samples[0]
        self._config = config
        self._prompt = _prompt_template(config)
        self._system = None if config.system is None else RowTemplate(config.system, "system")
        self._known = None if self._prompt else _known_shape(config, columns, samples)
        if self._prompt is None and self._known is None:
            raise InputError(_unknown(columns, first))
        written = self._written(first)
        for setting in ("image_column", "id_column"):
            _check_column(setting, getattr(config, setting), columns)
        # A column of texts is all that is read, unless settings name others.
        is_text = config.text_column is not None
        beside = find_beside({} if is_text else dict.fromkeys(columns), config.image_column)
        self._beside = {k: v for k, v in beside.items() if k not in written or v == "image"}
        by_name = "" if is_text else None
        settings_column = by_name if config.settings_column is None else config.settings_column
        self._settings = RowSettings(settings_column, columns, written)

    @property
    def description(self) -> str | None:
        """What was recognised, to be said once; None where the settings say it all."""
        parts = [self._known.description] if self._known else []
        parts += [f"{kind} from `{name}`" for name, kind in self._beside.items()]
        if columns := self._settings.columns:
            parts.append("settings from " + ", ".join(f"`{name}`" for name in columns))
        return ", ".join(parts) or None

    @property
    def has_settings(self) -> bool:
        """Whether rows may bring settings of their own."""
        known = self._known is not None and self._known.to_settings is not None
        return known or bool(self._settings.columns)

    @property
    def has_schemas(self) -> bool:
        """Whether a schema of the answer may be among these settings."""
        columns = self._settings.columns
        by_name_alone = columns == self._settings.names
        return self.has_settings and not (by_name_alone and columns and "schema" not in columns)

    def digest(self) -> str:
        """A hash of what rows are made into."""
        digest, config = new_digest(), self._config
        prompt = self._prompt.text if self._prompt else self._known and self._known.description
        names = [config.image_column, config.id_column, *self._settings.columns]
        digest.update(write_json([prompt, config.system, names, sorted(self._beside)]))
        return digest.hexdigest()

    def apply(self, row: Mapping[str, Any]) -> ShapedRow:
        """A row as it is asked. Raises ValueError, which says what is wrong with it."""
        conversation = _validated(self._fields(row))
        return ShapedRow(conversation, self.settings(row))

    def settings(self, row: Mapping[str, Any]) -> GenerationParams | None:
        """The settings that a row brings along. Raises ValueError."""
        read = self._known and self._known.to_settings
        return self._settings.read(row, read(row) if read else {})

    def to_json(self, row: Mapping[str, Any]) -> bytes:
        """A row's conversation as JSON text, unchecked, with its fields in the order in which they
        were given, so that the same row gives the same text from any format. Raises ValueError.
        """
        fields = self._fields(row)
        try:
            return orjson.dumps(fields)
        except TypeError:  # it holds bytes, numbers beyond 64 bits, or objects
            return _validated(fields).to_json().encode()

    def _fields(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a row's conversation."""
        fields = self._asked(row)
        if self._system is not None:
            add_system(fields, self._system.render(row))
        if self._beside:
            add_beside(fields, row, self._beside)
        for name in self._settings.columns:
            fields.pop(name, None)
        if self._config.id_column is not None:
            fields["conversation_id"] = _id_of(row, self._config.id_column)
        return fields

    def _asked(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if self._prompt is not None:
            return {"messages": [{"role": "user", "content": self._prompt.render(row)}]}
        assert self._known is not None  # noqa: S101  for the type checker
        return self._known.to_fields(row)

    def _written(self, first: Mapping[str, Any]) -> frozenset[str]:
        """The columns that templates write out. Each is tried on the first row."""
        templates = [one for one in (self._prompt, self._system) if one is not None]
        for template in templates:
            try:
                template.render(first)
            except UnknownColumnError as error:
                raise ConfigError(str(error)) from None
            except ValueError:  # of this row, which others need not share
                continue
        return frozenset().union(*(template.names - {ROW} for template in templates))


def _validated(fields: dict[str, Any]) -> Conversation:
    try:
        return Conversation.model_validate(fields)
    except ValidationError as error:
        raise ValueError(describe(error)) from None


def _known_shape(
    config: InferenceConfig, columns: Sequence[str], samples: Sequence[Mapping[str, Any]]
) -> KnownShape | None:
    """The shape of the first row that has any: single cells may be empty."""
    if config.text_column is not None:
        _check_column("text_column", config.text_column, columns)
        return text_shape(config.text_column)
    return next(filter(None, map(find_shape, samples)), None)


def _prompt_template(config: InferenceConfig) -> RowTemplate | None:
    if config.prompt_file is not None:
        return RowTemplate(read_template_file(config.prompt_file), "prompt_file")
    return None if config.prompt is None else RowTemplate(config.prompt, "prompt")


def _check_column(setting: str, name: str | None, columns: Sequence[str]) -> None:
    if name is not None and name not in columns:
        hint = did_you_mean(name, columns, before="; ")
        raise ConfigError(f"{setting}: {name!r} is no column of the input{hint}")


def _id_of(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if is_empty(value):
        raise ValueError(f"{column}: no id in it")
    return str(value)


def _unknown(columns: Sequence[str], first: Mapping[str, Any]) -> str:
    names = ", ".join(columns[:_MOST_COLUMNS]) + (", …" if len(columns) > _MOST_COLUMNS else "")
    texts = [name for name in columns if isinstance(first.get(name), str)]
    name = max(texts, key=lambda name: len(first[name]), default=columns[0] if columns else "text")
    written = f"{{{{ {name} }}}}" if name.isidentifier() else f'{{{{ row["{name}"] }}}}'
    hints = (did_you_mean(name, _SHAPE_COLUMNS, before=f" {name}: ") for name in columns)
    return (
        f"no conversations are recognised in the columns {names}."
        + next(filter(None, hints), "")
        + f" Say what each row asks, such as --prompt '{written}' (the setting `prompt`); or have "
        "a column `messages`, `conversations`, `instruction` or `prompt`"
    )
