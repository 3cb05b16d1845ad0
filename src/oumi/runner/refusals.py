"""Whether a refusal ends the run, or is about one row."""

from __future__ import annotations

from oumi.errors import OumiError

_ROWS = 8
"""So many rows in a row that get the same refusal are no chance. Those before the last of them
have failed by then; a rerun asks them again."""

_KEY_REFUSED = 401
_OF_A_ROW = frozenset({400, 401, 402, 403, 404})
"""With these an API refuses a key or a model, and also what a single row asks for: forbidden
content, more tokens than the credit allows, images where no server takes them."""


class Refusals:
    """Judges the errors that, by themselves, say that no row can succeed.

    `has_answers`: earlier runs under the same settings have recorded some.
    """

    def __init__(self, *, has_answers: bool = False):
        self._has_recorded = has_answers
        self._has_answered = False
        self._status: int | None = None  # of the last refusal, where no other row ended since
        self._count = 0

    def row_done(self) -> None:
        """A row has its answer, so the key and the model are good."""
        self._has_answered = True
        self._count = 0

    def ends_run(self, error: Exception) -> bool:
        """Whether no other row can succeed either, as far as the rows before show."""
        if not isinstance(error, OumiError) or not error.ends_run:
            return False
        if error.status not in _OF_A_ROW:
            return True
        if error.is_of_row and self._has_answers(error):
            return False
        self._count = self._count + 1 if error.status == self._status else 1
        self._status = error.status
        is_first = not error.is_of_row and not self._has_answers(error)
        return is_first or self._count >= _ROWS

    def _has_answers(self, error: OumiError) -> bool:
        # A key may have changed since an earlier run; the model and the content have not.
        return self._has_answered or (self._has_recorded and error.status != _KEY_REFUSED)
