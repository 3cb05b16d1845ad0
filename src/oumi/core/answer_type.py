"""The type that answers are of: a class given as the schema, by which they are validated too."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self

from pydantic import TypeAdapter


class AnswerType:
    """A Pydantic model, a dataclass, a TypedDict, or any other type that Pydantic knows.

    Its validators refuse what no schema can say. Pickled by its name; one that has none in its
    module, such as a class within a function, is left out, as are its validators then.
    """

    def __init__(self, form: Any):
        self.form = form

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.form)

    @property
    def name(self) -> str:
        """What messages call it."""
        return getattr(self.form, "__name__", None) or str(self.form)

    def parse(self, text: str) -> Any:
        """The value that a JSON text says. Raises pydantic.ValidationError, and whatever else the
        type's own validators raise.
        """
        return self._adapter.validate_json(text)

    def accepts(self, text: str) -> bool:
        """Whether the text says a value of the type."""
        try:
            self._adapter.validate_json(text)
        except Exception:  # validators are code of the user
            return False
        return True

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (AnswerType, (self.form,)) if _can_be_pickled(self.form) else (type(None), ())


class TypedSchema(dict[str, Any]):
    """The JSON schema of a type, which it remembers."""

    def __init__(self, schema: dict[str, Any], answer_type: AnswerType | None):
        super().__init__(schema)
        self.answer_type = answer_type

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return TypedSchema, (dict(self), self.answer_type)


def type_of_schema(schema: dict[str, Any] | None) -> AnswerType | None:
    """The type that a schema was made of; None for a schema that was given as one."""
    return schema.answer_type if isinstance(schema, TypedSchema) else None


def _can_be_pickled(form: Any) -> bool:
    try:
        pickle.dumps(form)
    except Exception:  # of many kinds, for a class within a function or a lambda in a validator
        return False
    return True
