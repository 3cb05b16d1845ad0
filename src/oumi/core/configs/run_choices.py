"""What a run does with its rows: the values of settings, and which of these go together."""

from __future__ import annotations

from enum import StrEnum


class BadRows(StrEnum):
    """What happens when a row of the input file cannot be read."""

    STOP = "stop"
    """The run does not start."""

    FAIL = "fail"
    """The row fails alone."""


class OutputFormat(StrEnum):
    """What the rows of an output are."""

    CONVERSATIONS = "conversations"
    """Conversations with their answers, one a line."""

    TABLE = "table"
    """The columns of the input, and those of the answers."""


class SampleLayout(StrEnum):
    """How the samples of a row (`generation.num_samples`) stand in a table."""

    ROWS = "rows"
    """Each in a row of its own, numbered by a column `sample`."""

    LIST = "list"
    """In one row, whose columns of the answer hold lists."""


PROMPT_SETTINGS = (
    "prompt",
    "prompt_file",
    "text_column",
    "system",
    "image_column",
    "id_column",
    "settings_column",
)
"""Settings that say what is made of the rows of a table."""
