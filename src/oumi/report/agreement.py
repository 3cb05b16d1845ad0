"""How often two runs of one input give the same answer."""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.report.row import ReportRow

_NOTHING = -1


def answer_hash(row: ReportRow, value: Any) -> int | None:
    """A number by which equal answers are found, whatever the spacing of JSON in them: 48 bits,
    which a float holds exactly. `value` is what `parse_answer` gave.
    """
    if row.answer is None:
        return None
    digest = new_digest()
    content = row.answer if value is None else value
    digest.update(write_json([content, row.messages[-1].get("tool_calls")], sort_keys=True))
    return int(digest.hexdigest()[:12], 16)


class Agreement(NamedTuple):
    """Of the rows that both runs answered, how many have the same answer."""

    same: int
    both: int


class AnswerHashes:
    """The answer of each row of the input, the first one where it was sampled: 8 bytes a row."""

    def __init__(self, num_samples: int = 1):
        self._num_samples = num_samples
        self._hashes = array("q")

    def add(self, row: ReportRow, value: Any) -> None:
        """Take a row of the run; rows come in input order."""
        number, sample = divmod(row.index, self._num_samples)
        if sample:
            return
        self._hashes.extend([_NOTHING] * (number - len(self._hashes)))  # rows without a record
        found = answer_hash(row, value)
        self._hashes.append(_NOTHING if found is None else found)

    def agreement(self, other: AnswerHashes) -> Agreement:
        """How far another run of the same input agrees."""
        pairs = zip(self._hashes, other._hashes, strict=False)
        both = [one == another for one, another in pairs if _NOTHING not in (one, another)]
        return Agreement(sum(both), len(both))
