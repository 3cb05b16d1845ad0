"""Python types of every kind, each with a value as JSON and as OpenAI's strict mode is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import BaseModel, Field, HttpUrl, Json, SecretStr
from typing_extensions import TypedDict

ItemT = TypeVar("ItemT")


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(max_length=10)


class Money(BaseModel):
    amount: Decimal
    rate: Decimal | None = None


class Event(BaseModel):
    day: date
    at: datetime


class Aliased(BaseModel):
    name: str = Field(alias="full name", max_length=10)


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT] = Field(max_length=3)


class Node(BaseModel):
    value: int
    children: list[Node] = Field(max_length=2)


class Movie(TypedDict):
    title: Annotated[str, Field(max_length=10)]
    year: NotRequired[int]


@dataclass
class Point:
    x: float
    y: float = 0


class Formats(BaseModel):
    path: Path
    address: IPv4Address
    secret: SecretStr = Field(max_length=10)
    data: bytes = Field(max_length=10)


class Counted(BaseModel):
    numbers: set[Annotated[int, Field(ge=0, le=99)]] = Field(max_length=3)


class Beyond(BaseModel):
    """More than a schema says: a model has to know it, or to be asked again."""

    url: HttpUrl
    lasts: timedelta
    inner: Json[list[int]]


@dataclass(frozen=True)
class Sample:
    """A type, and a value of it."""

    type: Any
    text: str
    as_sent: str
    """The same in the form that OpenAI takes."""


def _same(form: Any, text: str) -> Sample:
    return Sample(form, text, text)


def _in_value(form: Any, text: str, inner: str | None = None) -> Sample:
    return Sample(form, text, f'{{"value": {inner or text}}}')


BEYOND = "beyond its schema"
_KEYS = '[{"key": "%s", "value": %s}]'
SAMPLES = {
    "discriminated union": _in_value(
        Annotated[Cat | Dog, Field(discriminator="kind")], '{"kind": "dog", "name": "Rex"}'
    ),
    "Decimal": Sample(Money, '{"amount": "12.50"}', '{"amount": "12.50", "rate": null}'),
    "dates": _same(Event, '{"day": "2026-02-28", "at": "2026-02-28T12:30:00Z"}'),
    "tuple": Sample(tuple[int, bool], "[3, true]", '{"item_1": 3, "item_2": true}'),
    "dict": _in_value(dict[str, int], '{"a": 1}', _KEYS % ("a", 1)),
    "enum keys": _in_value(dict[Color, int], '{"red": 1}', _KEYS % ("red", 1)),
    "integer keys": _in_value(dict[int, bool], '{"7": true}', _KEYS % ("7", "true")),
    "Literal": _in_value(Literal[1, "a", None, True], "true"),
    "alias": _same(Aliased, '{"full name": "Ada"}'),
    "generic": _same(Page[int], '{"items": [1, 2]}'),
    "recursive": _same(Node, '{"value": 1, "children": [{"value": 2, "children": []}]}'),
    "TypedDict": Sample(Movie, '{"title": "Alien"}', '{"title": "Alien", "year": null}'),
    "dataclass": Sample(Point, '{"x": 1.5}', '{"x": 1.5, "y": null}'),
    "formats": _same(
        Formats,
        '{"path": "a/b", "address": "127.0.0.1", "secret": "s", "data": "d"}',
    ),
    "set": _same(Counted, '{"numbers": [1, 2]}'),
    BEYOND: _same(Beyond, '{"url": "https://a.test/", "lasts": "PT3H", "inner": "[1, 2]"}'),
}
