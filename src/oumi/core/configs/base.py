"""The base class of all settings: strict names, checked values, and merging field by field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

_SECRET_FIELDS = frozenset({"api_key", "api_url", "headers"})


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

    without_effect: ClassVar[frozenset[str]] = frozenset()
    """Names of settings for training, which files may share with oumi: accepted, with a warning."""

    @model_validator(mode="wrap")
    @classmethod
    def _check_names(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict):
            data = cls._rename(data)
            data = cls._drop_without_effect(data)
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
    def _drop_without_effect(cls, data: dict[str, Any]) -> dict[str, Any]:
        dropped = sorted(cls.without_effect & data.keys())
        if dropped:
            from oumi.core.logs import warn_once

            warn_once(f"{cls.__name__}: without effect on inference here: {', '.join(dropped)}")
        return {name: value for name, value in data.items() if name not in dropped}

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
            for name in self.model_fields_set
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
