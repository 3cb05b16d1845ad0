"""Reading the bodies of requests: once, straight into our types, with errors that name a field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from oumi.core.names import did_you_mean
from oumi.data.shapes.openai_fields import SETTING_FIELDS, read_settings
from oumi.server.http.errors import HttpError, wrong_field

BodyT = TypeVar("BodyT", bound="Body")


class Body(BaseModel):
    """The fields of a body that are no settings. Those are in `model_extra`, as they came."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, protected_namespaces=())


def read_body(kind: type[BodyT], body: bytes) -> BodyT:
    """The body as one of that kind. Raises HttpError."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise wrong_place(error) from None


def read_fields(
    given: Mapping[str, Any], without_effect: Collection[str], kind: type[Body]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings among the fields of a body, and the field that each is from.

    Fields without effect here may be there; any other that is not null raises HttpError.
    `kind` is that of the body, whose own fields a hint may name.
    """
    for name, value in given.items():
        if name not in SETTING_FIELDS and name not in without_effect and value is not None:
            hint = did_you_mean(name, [*SETTING_FIELDS, *kind.model_fields], before="; ")
            raise wrong_field(name, f"it is not supported here{hint}")
    try:
        return read_settings({k: v for k, v in given.items() if k not in without_effect})
    except ValueError as error:
        field, _, text = str(error).partition(": ")
        raise wrong_field(field, text) from None


def wrong_place(error: ValidationError, before: str = "") -> HttpError:
    """The first thing that is wrong, with its place, which lies within `before`."""
    detail = error.errors(include_url=False)[0]
    if detail["type"] == "json_invalid":
        return HttpError(400, f"the body is not JSON: {detail['msg']}")
    # Of a union, the place names the member that was tried last as well.
    parts = [str(part) for part in detail["loc"] if "[" not in str(part)]
    place = ".".join([*filter(None, [before]), *parts])
    text = detail["msg"].removeprefix("Value error, ")
    return wrong_field(place, text) if place else HttpError(400, f"the body: {text}")
