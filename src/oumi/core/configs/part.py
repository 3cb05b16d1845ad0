"""One part of a run that is divided among several, such as the jobs of an array of SLURM."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")


@dataclass(frozen=True, order=True, slots=True)
class Part:
    """Part `number` of `count`, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`3/16`. Raises ValueError."""
        match = _TEXT.fullmatch(text.strip())
        part = cls(int(match[1]), int(match[2])) if match else cls(0, 0)
        if not 1 <= part.number <= part.count:
            raise ValueError(f"expected a part such as 3/16, from 1/16 to 16/16; found {text!r}")
        return part

    def rows(self, total: int) -> range:
        """The rows of this part among `total`: parts follow one another, and differ by one row in
        length at most.
        """
        return range(total * (self.number - 1) // self.count, total * self.number // self.count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"
