"""Types of fields that take more than they hold, at no cost to what has the usual form.

They are members of unions: a validator of the whole field would be called for each message, these
are called only where a value has the other form.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

Id = Annotated[str, Field(coerce_numbers_to_str=True)]
"""Takes a number as well, which becomes text."""


class JsonText(str):
    """The JSON text of an object that was given in the place of a text."""

    __slots__ = ()


def _to_text(value: dict[str, Any]) -> JsonText:
    from oumi.core.json_text import write_json  # seldom needed

    return JsonText(write_json(value).decode())


def _to_empty(value: None) -> dict[str, Any]:
    return {}


JsonObject = Annotated[dict[str, Any], AfterValidator(_to_text)]
"""Takes an object, which becomes `JsonText`."""

EmptyDict = Annotated[None, AfterValidator(_to_empty)]
"""Takes None, which becomes an empty dict."""
