"""Whether a refusal ends the run, or is about one row."""

from __future__ import annotations

import re

from oumi.errors import OumiError, RequestError

_ROWS = 8
"""So many rows in a row that get the same refusal are no chance. Those before the last of them
have failed by then; a rerun asks them again."""

_MAY_HAVE_CHANGED = frozenset({401, 407})
"""The keys of an API and of a proxy: that they were good in an earlier run tells nothing."""
_OF_A_ROW = frozenset({200, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 407})
"""With these an API refuses a key or a model, and also what a single row asks for: forbidden
content, more tokens than the credit allows, images where no server takes them. With a page of HTML
(200) or a redirect to one, so does what is in between."""
_ID = re.compile(r"\b(?=\w*\d)[\w-]{8,}\b")
"""What may differ in the words of one and the same refusal, such as the number of a request."""


class Refusals:
    """Judges the errors that, by themselves, say that no row can succeed.

    `has_answers`: earlier runs under the same settings have recorded some.
    """

    def __init__(self, *, has_answers: bool = False):
        self._has_recorded = has_answers
        self._has_answered = False
        self._last: int | tuple[int, str] | None = None  # refusal, where no other row ended since
        self._count = 0
        self._pages = 0

    def row_done(self) -> None:
        """A row has its answer, so the key and the model are good."""
        self._has_answered = True
        self._count = 0

    def is_hopeless(self, error: OumiError) -> bool:
        """Whether a row need not be tried again, although its error might pass: nothing was ever
        answered, and try after try something else than the API replied.
        """
        if not (error.retryable and error.ends_run) or self._has_answers(error):
            return False
        self._pages += 1
        return self._pages >= _ROWS

    def error_of_run(self, error: Exception) -> Exception | None:
        """The error that ends the run, as far as the rows before show that no other row can
        succeed either; None where it is the row's alone.
        """
        if not isinstance(error, OumiError):
            return None
        if not error.ends_run:
            return self._same_for_all(error)
        if error.status not in _OF_A_ROW:
            return error
        if error.is_of_row and self._has_answers(error):
            return None
        is_first = not error.is_of_row and not self._has_answers(error)
        return error if self._note(error.status) >= _ROWS or is_first else None

    def _same_for_all(self, error: OumiError) -> OumiError | None:
        """The error for a request that each of the first rows is refused in the same words."""
        status = error.status or 0
        is_refusal = 400 <= status < 500 and not error.retryable
        if not is_refusal or error.is_of_row or self._has_answers(error):
            return None
        if self._note((status, _ID.sub("", str(error)))) < _ROWS:
            return None
        return RequestError(
            f"{str(error).rstrip('.')}. Each of the first {_ROWS} rows was refused so, and none "
            "was answered: correct the settings or the input",
            status=status,
            ends_run=True,
        )

    def _note(self, refusal: int | tuple[int, str] | None) -> int:
        """How many rows in a row were refused in this way, this one included."""
        self._count = self._count + 1 if refusal == self._last else 1
        self._last = refusal
        return self._count

    def _has_answers(self, error: OumiError) -> bool:
        # A key may have changed since an earlier run; the model and the content have not.
        recorded = self._has_recorded and error.status not in _MAY_HAVE_CHANGED
        return self._has_answered or recorded
