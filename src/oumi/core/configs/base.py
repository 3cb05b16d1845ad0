"""The base class of all settings: strict names, checked values, and merging field by field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

_SECRET_FIELDS = frozenset({"api_key", "api_url", "headers"})
_UNUSED = {"unused": True}


def unused(default: Any) -> Any:
    """A field without effect on inference here, which files for training too may have.

    It is kept, is named once in a warning where it is set, and shapes no answer.
    """
    return Field(default=default, exclude=True, repr=False, json_schema_extra=dict(_UNUSED))


class Settings(BaseModel):
    """A group of settings. An unknown name is an error, which suggests the most similar one."""

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        protected_namespaces=(),
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    renamed: ClassVar[dict[str, str]] = {}
    """Other names of a field that are accepted in files: `{other name: name of the field}`."""

    @model_validator(mode="wrap")
    @classmethod
    def _check_names(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict):
            data = cls._rename(data)
            cls._warn_of_unused(data)
            cls._check_finite(data)
        try:
            return handler(data)
        except ValidationError as error:
            details = [_explain_error(detail, cls.model_fields) for detail in error.errors()]
            # A refused value may be a key under a wrong name, or a group with a key in it.
            raise ValidationError.from_exception_data(
                cls.__name__, details, hide_input=True
            ) from None

    @classmethod
    def _rename(cls, data: dict[str, Any]) -> dict[str, Any]:
        renamed: dict[str, Any] = {}
        for name, value in data.items():
            target = cls.renamed.get(name, name)
            if target in renamed and renamed[target] != value:
                raise ValueError(f"{target!r} is given twice with different values")
            renamed[target] = value
        return renamed

    @classmethod
    def _warn_of_unused(cls, data: dict[str, Any]) -> None:
        given = sorted(cls.unused_fields() & data.keys())
        if given:
            from oumi.core.logs import warn_once

            warn_once(f"{cls.__name__}: without effect on inference here: {', '.join(given)}")

    @classmethod
    def _check_finite(cls, data: dict[str, Any]) -> None:
        """Raise ValidationError for infinite numbers, in fields of any value too."""
        error = PydanticCustomError("setting", "expected a finite number")
        found = [
            InitErrorDetails(type=error, loc=place, input=value)
            for place, value in _find_infinite(data)
        ]
        if found:
            raise ValidationError.from_exception_data(cls.__name__, found)

    @classmethod
    def unused_fields(cls) -> frozenset[str]:
        """Names of the fields that are for training alone, or for another way of inference."""
        fields = cls.model_fields.items()
        return frozenset(name for name, field in fields if field.json_schema_extra == _UNUSED)

    def to_dict(self, *, only_set: bool = False) -> dict[str, Any]:
        """The fields as JSON-ready values, without API keys; with `only_set` those that were set.

        Fields that have no effect on inference are not among them.
        """
        from oumi.core.configs.loading import dump_without_secrets

        return dump_without_secrets(self, only_set=only_set)

    def finalize_and_validate(self) -> None:
        """Check all values once more, also in lists and dicts that were changed in place.

        Every field is checked when it is set, so that a config needs no such call.
        Raises ConfigError.
        """
        from oumi.core.configs.loading import check

        check(self)

    def merge(self, other: Self | None) -> Self:
        """A copy that takes over each field set explicitly in `other`. Neither is changed."""
        if other is None:
            return self.model_copy()
        changes = {name: getattr(other, name) for name in other.model_fields_set}
        return self.model_copy(update=changes)

    def changed_fields(self) -> set[str]:
        """Names of the fields that are set to a value other than their default."""
        fields = type(self).model_fields
        return {
            name
            for name in self.model_fields_set - self.unused_fields()
            if getattr(self, name) != fields[name].get_default(call_default_factory=True)
        }


def _find_infinite(data: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], float]]:
    """The numbers that JSON cannot hold, NaN among them, each with its place."""
    # A place is (the place around it, key): a whole path for each would be quadratic in the depth.
    pending: list[tuple[Any, Any]] = [(None, data)]
    seen: set[int] = set()  # one that holds itself is not looked at again
    while pending:
        place, value = pending.pop()
        if isinstance(value, float) and not math.isfinite(value):
            yield _path(place), value
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        pending += [((place, key), one) for key, one in inner]


def _path(place: Any) -> tuple[str | int, ...]:
    keys = []
    while place is not None:
        place, key = place
        keys.append(key if isinstance(key, int) else str(key))
    return tuple(reversed(keys))


def _explain_error(detail: ErrorDetails, known: Iterable[str]) -> InitErrorDetails:
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        # Imported for an error alone, as is `difflib` with it.
        from oumi.core.names import did_you_mean

        hint = did_you_mean(str(detail["loc"][0]), known)
        hint = hint or f"known are {', '.join(sorted(known))}"
        message = f"unknown setting; {hint}"
    error = PydanticCustomError("setting", "{message}", {"message": message})
    # Errors of Pydantic quote the input, and an address or a header may hold a password.
    is_secret = not _SECRET_FIELDS.isdisjoint(map(str, detail["loc"]))
    shown = "…" if is_secret else detail["input"]
    return InitErrorDetails(type=error, loc=detail["loc"], input=shown)
