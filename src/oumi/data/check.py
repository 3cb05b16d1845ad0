"""The check of an input, in the same pass over its rows in which they are handed out."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from oumi.core.types.conversation import Conversation
from oumi.data.duplicate_ids import IdHashes, find_duplicates
from oumi.data.source import Row, Source
from oumi.errors import InputError

_FIRST_S = 0.5
"""What is checked before the first row is asked, of an input that takes long to check: mistakes
that all rows have are found by then, and the start still feels immediate."""

_ERRORS_S = 1.5
"""How long others are looked for where there is a mistake among these."""

_MOST_KEPT = 1_000
"""So many rows are checked before the first is asked, and so many are held until they are: 2 MB of
short ones. Of more, the garbage collector takes longer than to read them again does."""

_MOST_KEPT_CHARACTERS = 16_000_000
"""The same for long ones, by their texts and bytes."""

_AT_ONCE, _AT_ONCE_S = 32, 0.002
"""So many rows are read together, once none is held: one by one, between all that is done about
requests, each would take twice as long, and of more the garbage collector takes notice. Long ones
are fewer, so that no reply waits for them."""

_MAX_ERRORS_SHOWN = 10  # as many as fit on a screen

_LATER = (
    "This was found when the run had begun. What was answered until then is kept: run again once "
    "the input is corrected"
)


def check_rows(source: Source, *, bad_rows_fail: bool = False) -> int:
    """Read all rows once and count them.

    Raises InputError for an input without rows, for ids that stand twice, and for rows that
    cannot be read, unless those are to fail alone.
    """
    rows = CheckedRows(source, bad_rows_fail=bad_rows_fail, most_kept=0)
    rows.check()
    rows.finish()
    return rows.checked


class CheckedRows(Iterator[Row]):
    """The rows of a source in order, each checked before it is handed out.

    The check may run ahead of whoever takes the rows. Those that are next are kept, others are read
    again when their turn comes. Where the check is not ahead, some rows are read together.
    """

    def __init__(self, source: Source, *, bad_rows_fail: bool = False, most_kept: int = _MOST_KEPT):
        self._source = source
        self._bad_rows_fail = bad_rows_fail
        self._most_kept = most_kept
        self._unchecked = source.rows()
        self._kept: deque[Row] = deque()  # the rows that are to be taken next
        self._kept_characters = 0  # of all that were kept since there was none
        self._again: Iterator[Row] | None = None  # rows that are checked, and were not kept
        self._taken = 0
        self._ids = IdHashes()
        self._errors: list[str] = []
        self._has_begun = False
        self.checked = 0
        """How many rows are checked."""
        self.is_complete = False
        """Whether these are all."""

    @property
    def estimated_total(self) -> int | None:
        """How many rows there are: known once all are checked, before that an estimate or None."""
        if self.is_complete or self._estimate is None:
            return self.checked if self.is_complete else None
        return max(self._estimate, self.checked)

    @property
    def kept(self) -> Iterator[Row]:
        """The rows that are to be taken next, as far as they are in memory."""
        return iter(self._kept)

    def check_first(self) -> None:
        """Check what has to be checked before any row is asked: as many rows as are kept, for
        `_FIRST_S` at most. Raises InputError, which lists the first errors.
        """
        self._check_ahead(_FIRST_S, self._most_kept)
        if 0 < len(self._errors) <= _MAX_ERRORS_SHOWN:
            self._check_ahead(_ERRORS_S)
        self._raise_errors()
        if self.is_complete:
            self.finish()
        self._has_begun = True

    def check(self, most_s: float = math.inf) -> None:
        """Check more rows, for some time at most. Raises InputError."""
        self._check_ahead(most_s)
        self._raise_errors()

    def finish(self) -> None:
        """To be called once all rows are checked; takes 0.1 s a million.

        Raises InputError for an input without rows, and for ids that stand twice.
        """
        if self.checked == 0 and not self._source.may_be_empty:
            raise InputError(f"{self._source.name}: no conversations in it")
        if hashes := self._ids.duplicates():
            found = find_duplicates(self._source, hashes)
            self._errors = list(islice(found, _MAX_ERRORS_SHOWN + 1))
            self._raise_errors()

    def __next__(self) -> Row:
        """The next row. Raises InputError where it, or one that was checked before, is not as it
        has to be.
        """
        if self._kept or self._read_on():
            row = self._kept.popleft()
        else:
            self._again = self._again or self._source.rows(self._taken)
            row = next(self._again)
        self._taken += 1
        return row

    def _read_on(self) -> bool:
        """Check the next rows and hold them, once all that are checked are taken; whether that is
        so. Raises StopIteration where there are no more.
        """
        if self._taken < self.checked:
            return False
        self._again, self._kept_characters = None, 0
        self._kept.extend(self._check(_AT_ONCE_S, _AT_ONCE))
        self._raise_errors()
        if not self._kept:
            raise StopIteration
        return True

    def _check_ahead(self, most_s: float, most_rows: float = math.inf) -> None:
        """Check rows, and hold those that are the next to be taken as long as there is room."""
        is_next = self._taken + len(self._kept) == self.checked
        for row in self._check(most_s, most_rows):
            is_next = is_next and self._keep(row)

    def _keep(self, row: Row) -> bool:
        """Hold a row that is the next to be taken; whether there was room for it."""
        is_room = self._kept_characters < _MOST_KEPT_CHARACTERS
        if is_room := is_room and len(self._kept) < self._most_kept:
            self._again = None  # which would go on with rows before this one
            self._kept.append(row)
            self._kept_characters += _characters(row.conversation)
        return is_room

    def _check(self, most_s: float, most_rows: float) -> Iterator[Row]:
        """Check rows, one at least, and hand out each. It ends early where there are errors
        enough.
        """
        end_s, last = time.monotonic() + most_s, self.checked + most_rows
        for row in self._unchecked:
            self.checked += 1
            if row.sample:  # its row was looked at with the first sample
                pass
            elif row.conversation is not None:
                if (name := row.conversation.conversation_id) is not None:
                    self._ids.add(name)
            elif not self._bad_rows_fail:
                self._errors.append(str(row.error))
                if len(self._errors) > _MAX_ERRORS_SHOWN:
                    return
            yield row
            if self.checked >= last or time.monotonic() >= end_s:
                return
        self.is_complete = True

    @cached_property
    def _estimate(self) -> int | None:
        return self._source.estimated_rows

    def _raise_errors(self) -> None:
        if not self._errors:
            return
        errors, self._errors = self._errors, []
        lines = errors[:_MAX_ERRORS_SHOWN]
        lines += ["… and more"] * (len(errors) > _MAX_ERRORS_SHOWN)
        lines += [_LATER] * self._has_begun
        raise InputError("\n".join(lines))


def _characters(conversation: Conversation | None) -> int:
    """About how much memory a conversation takes."""
    total = 0
    for message in conversation.messages if conversation is not None else ():
        content = message.content
        if isinstance(content, str):
            total += len(content)
        else:
            total += sum(len(item.content or item.binary or "") for item in content or ())
    return total
