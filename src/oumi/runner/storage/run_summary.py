"""`run.json`: a run summed up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Usage
from oumi.runner.cost import PaidTokens, Price, no_price
from oumi.runner.storage.atomic import atomic_file

VERSION = 1
"""Files of oumi-infer 0.1 hold no version; they have the same fields."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All rows of a run, however many calls it took, and the figures of the last call."""

    run_id: str
    """Hashes of the settings and of the input."""
    output_hash: str
    """A hash of the output file."""
    rows: int
    done: int
    failed: int
    usage: Usage
    """Tokens of all answers that this run asked for."""
    num_samples: int = 1
    """How many of the rows are answers to the same row of the input."""
    from_cache: int = 0
    """How many answers were those of earlier runs; their tokens are not counted."""
    replaces: str | None = None
    """The hash of the output file that was replaced. A kill between writing this file and the
    output leaves that one, which still is of this run."""
    cost_usd: float | None = None
    """What all answers cost; None where they cost nothing or the price is not known."""
    cost_note: str | None = None
    """Why the cost is not known."""
    last_session: Mapping[str, Any] = field(default_factory=dict)
    """The figures of the last call (`RunStats.to_dict`)."""
    price: Price | None = None
    """What a token cost; None where tokens cost nothing."""
    engine: str | None = None
    """The engine's name; None where it was not written down."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings that were given, without keys (`InferenceConfig.to_dict`)."""

    @classmethod
    def read(cls, path: Path) -> RunSummary | None:
        """The summary in a file; None where there is none or it cannot be read."""
        try:
            data = parse_json(path.read_bytes())
            return cls(
                data["run_id"],
                data["output_hash"],
                data["rows"],
                data["done"],
                data["failed"],
                Usage.from_dict(data["usage"]),
                data.get("num_samples", 1),
                data.get("from_cache", 0),
                data.get("replaces"),
                data.get("cost_usd"),
                data.get("cost_note"),
                data.get("last_session") or {},
                None if data.get("price") is None else Price(**data["price"]),
                data.get("engine"),
                data.get("settings") or {},
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def write(self, path: Path, kept: str) -> None:
        """Write the file as a whole. Raises StorageError, in which `kept` says what is safe."""
        with atomic_file(path, kept) as file:
            file.write(write_json(self.to_dict(), indent=True) + b"\n")

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "version": VERSION,
            "run_id": self.run_id,
            "output_hash": self.output_hash,
            "rows": self.rows,
            "done": self.done,
            "failed": self.failed,
            **({"num_samples": self.num_samples} if self.num_samples > 1 else {}),
            **({"from_cache": self.from_cache} if self.from_cache else {}),
            "usage": self.usage.to_dict(),
            **self._cost(),
            "last_session": dict(self.last_session),
            "replaces": self.replaces,
            "engine": self.engine,
            "settings": dict(self.settings),
            "price": None if self.price is None else asdict(self.price),
        }

    def _cost(self) -> dict[str, Any]:
        if self.cost_note is not None:
            return {"cost_usd": None, "cost_note": self.cost_note}
        return {} if self.cost_usd is None else {"cost_usd": self.cost_usd}


def cost_fields(price: Price | None, tokens: PaidTokens) -> dict[str, Any]:
    """`price`, `cost_usd` and `cost_note` of a summary, from what a token costs."""
    if price is None:
        return {}
    cost = tokens.cost(price)
    if cost is None:
        return {"price": price, "cost_note": no_price(price)}
    return {"price": price, "cost_usd": round(cost, 6)}
