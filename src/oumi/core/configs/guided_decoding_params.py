"""Structured outputs: the constraint that each answer has to satisfy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from oumi.core.configs.base import Settings

if TYPE_CHECKING:
    JsonSchema = Any  # any type that Pydantic accepts, such as `list[int]`, is one
else:
    JsonSchema = dict[str, Any]

_FORMS = ("json", "regex", "choice", "grammar")

with warnings.catch_warnings():
    # The guide calls the field `json`, which pydantic's deprecated method of that name shadows.
    warnings.filterwarnings("ignore", message='Field name "json"')

    class GuidedDecodingParams(Settings):
        """The constraint that each answer has to satisfy.

        Exactly one of `json`, `regex`, `choice` and `grammar` is given.
        """

        json: JsonSchema | None = None  # type: ignore[assignment]
        """A JSON schema: a Pydantic model class, a dataclass, a TypedDict, a dict, JSON text, or
        the path of a file. Stored as a dict of draft 2020-12, which remembers a class: answers are
        validated by it, and `Conversation.parsed()` gives its objects."""

        regex: str | None = None
        """A regular expression that has to match the whole answer, as ECMAScript reads it."""

        choice: list[str] | None = Field(default=None, min_length=1)
        """The answers that are allowed, none of them given twice."""

        grammar: str | None = None
        """A grammar: on this machine in GBNF, Lark or EBNF, for an API in its own notation."""

        grammar_format: Literal["auto", "gbnf", "lark", "ebnf"] = "auto"
        """The notation of `grammar`, on this machine. `auto` tells it by its syntax."""

        strict: bool | None = None
        """Whether all of a schema has to be enforced while an answer is made. Unset, a provider's
        strict mode is used where the schema fits it, and what a sampler on this machine cannot keep
        is checked in the answer. True refuses such a schema on this machine; false leaves strict
        modes out."""

        applies_to: Literal["whole", "continuation"] = "whole"
        """With `continue_final_message`: whether the message as a whole has the form, or what is
        added to it."""

        max_repairs: int = Field(default=1, ge=0)
        """How often a model is shown an invalid answer with its errors, to answer again. With 0
        no row is asked again, not even one whose answer was cut off."""

        @property
        def form(self) -> str:
            """The name of the field that is given: json, regex, choice or grammar."""
            return next(form for form in _FORMS if getattr(self, form) is not None)

        @field_validator("json", mode="plain")  # a dict that is made anew forgets its type
        @classmethod
        def _normalise_schema(cls, value: Any) -> Any:
            if value is None:
                return None
            # Most runs have no schema, so its modules are imported when one comes.
            from oumi.core.json_schema.sources import to_json_schema

            return to_json_schema(value)

        @field_validator("regex")
        @classmethod
        def _check_regex(cls, value: str | None) -> str | None:
            if value is not None:
                from oumi.core.json_schema.regex import check_regex

                check_regex(value)
            return value

        @field_validator("choice")
        @classmethod
        def _check_choice(cls, value: list[str] | None) -> list[str] | None:
            earlier: set[str] = set()
            for text in value or ():
                if text in earlier:
                    raise ValueError(f"{text!r:.80} is given twice")
                earlier.add(text)
            return value

        @model_validator(mode="after")
        def _check_one_form(self) -> Self:
            given = [form for form in _FORMS if getattr(self, form) is not None]
            if len(given) != 1:
                wrong = ", ".join(given) or "none"
                raise ValueError(
                    f"give exactly one of json, regex, choice, grammar (given: {wrong})"
                )
            return self
