"""What all settings have in common: strict names, checked values, and merging field by field."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

logger = logging.getLogger("oumi")


class Settings(BaseModel):
    """A group of settings. Unknown names are errors that name the nearest known one."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, protected_namespaces=())

    renamed: ClassVar[dict[str, str]] = {}
    """Other spellings of a field's name that users have in their files."""

    without_effect: ClassVar[frozenset[str]] = frozenset()
    """Names that files of this ecosystem hold for training; accepted and warned of once."""

    @model_validator(mode="wrap")
    @classmethod
    def _check_names(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict):
            data = cls._rename(data)
            _warn_once(cls.__name__, cls.without_effect & data.keys())
            data = {name: data[name] for name in data if name not in cls.without_effect}
        try:
            return handler(data)
        except ValidationError as error:
            details = [_name_nearest(detail, cls.model_fields) for detail in error.errors()]
            raise ValidationError.from_exception_data(cls.__name__, details) from None

    @classmethod
    def _rename(cls, data: dict[str, Any]) -> dict[str, Any]:
        renamed: dict[str, Any] = {}
        for name, value in data.items():
            target = cls.renamed.get(name, name)
            if target in renamed and renamed[target] != value:
                raise ValueError(f"{target!r} is given twice with different values")
            renamed[target] = value
        return renamed

    def merge(self, other: Self | None) -> Self:
        """A copy in which each field that `other` sets explicitly wins; neither is changed."""
        if other is None:
            return self.model_copy()
        changes = {name: getattr(other, name) for name in other.model_fields_set}
        return self.model_copy(update=changes)

    def changed_fields(self) -> set[str]:
        """Names of the fields that are set to something other than their default."""
        fields = type(self).model_fields
        return {
            name
            for name in self.model_fields_set
            if getattr(self, name) != fields[name].get_default(call_default_factory=True)
        }


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`, or None."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), None)


def _name_nearest(detail: ErrorDetails, known: Iterable[str]) -> InitErrorDetails:
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        guess = nearest(str(detail["loc"][0]), known)
        hint = f"did you mean {guess!r}?" if guess else f"known are {', '.join(sorted(known))}"
        message = f"unknown setting; {hint}"
    error = PydanticCustomError("setting", "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=detail["loc"], input=detail["input"])


_warned: set[tuple[str, str]] = set()


def _warn_once(group: str, names: Iterable[str]) -> None:
    fresh = sorted(name for name in names if (group, name) not in _warned)
    _warned.update((group, name) for name in fresh)
    if fresh:
        logger.warning("%s: without effect on inference here: %s", group, ", ".join(fresh))
