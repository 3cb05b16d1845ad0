"""Objects of pydantic's models made of values that are known to be valid."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

ModelT = TypeVar("ModelT", bound=BaseModel)

_set = object.__setattr__  # that of some models refuses


def make_valid(model: type[ModelT], fields: dict[str, Any], given: set[str]) -> ModelT:
    """An object with these values, one for each field, of which some were given and the others are
    defaults. It sets what `model_construct` sets, which goes through all fields for that and takes
    five times as long.
    """
    made = model.__new__(model)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", given)
    _set(made, "__pydantic_extra__", {})
    _set(made, "__pydantic_private__", None)
    return made
