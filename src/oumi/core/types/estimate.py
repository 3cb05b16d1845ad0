"""What a run is expected to take, before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Range(NamedTuple):
    """From the least to the most that is expected."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class RunEstimate:
    """What is left of a run will take this. Rows that are answered already are not in it."""

    engine: str
    """The engine's name."""
    model: str
    """The model's name."""
    rows: int
    """All rows of the input."""
    answered: int
    """Rows that have an answer, by earlier calls or by a pilot."""
    unusable: int
    """Rows that cannot be asked, so that they fail or, unless `bad_rows` says otherwise, stop the
    run."""
    left: int
    """Rows that the run would ask: of the others as many as `max_rows` allows."""
    prompts: Sequence[str]
    """The first prompts of these: by the chat template of a model on this machine, else as they are
    given to the API."""
    prompt_tokens: Range
    completion_tokens: Range
    counted: bool
    """Whether the tokens of prompts were counted by the model's own tokenizer, not estimated."""
    sample: int
    """How many answers the range was narrowed by. 0: it goes up to `max_new_tokens` a row."""
    cost_usd: Range | None
    """Dollars; None where answers cost nothing, or no price is known."""
    cost_note: str | None = None
    """Why the cost is not known."""
    batch_cost_usd: Range | None = None
    """Dollars for the same rows as a batch job; None where the provider has none."""
    duration_s: Range | None = None
    """The least time under the limits that are set, in seconds; None where none is set."""
    duration_limit: str | None = None
    """The setting that makes it so long."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            name: value._asdict() if isinstance(value, Range) else value
            for name, value in vars(self).items()
        }
