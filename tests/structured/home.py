"""A class that needs every kind of rewriting for strict mode, and a value in both shapes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Tool(StrEnum):
    HAMMER = "hammer"
    SAW = "saw"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int | None = None


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


class Home(BaseModel):
    name: str = Field(min_length=2, description="Whose it is.")
    place: tuple[float, float]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tools: dict[str, Tool] = {}
    size: int = 3
    note: str | None = None


HOME_AS_SENT = {
    "name": "Ada",
    "place": {"item_1": 1.5, "item_2": 2},
    "pet": {"kind": "dog", "tricks": None},
    "tools": [{"key": "a", "value": "saw"}, {"key": "b", "value": "hammer"}],
    "size": None,
    "note": None,
}
HOME = {
    "name": "Ada",
    "place": [1.5, 2],
    "pet": {"kind": "dog"},
    "tools": {"a": "saw", "b": "hammer"},
    "note": None,
}
