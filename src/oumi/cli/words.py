"""The words of `oumi infer` that are no options: a question, files to answer, or both."""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from oumi.core.configs import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.printable import printable_line
from oumi.data.input_file import is_table

_MOST_READ = 10_000_000
"""Bytes of standard input that are part of one question; no model's context takes more."""


class Words(NamedTuple):
    """What the words say."""

    question: str | None
    files: list[str]


def read_words(words: Sequence[str]) -> Words:
    """Tell files from the question. Raises UsageError for several questions, or another file."""
    files = [word for word in words if is_input(word)]
    questions = [word for word in words if word not in files]
    if len(questions) > 1:
        whole = printable_line(" ".join(questions))
        raise click.UsageError(f'Put a question in quotes: oumi infer "{whole}"')
    for word in questions:
        _check_is_question(word)
    return Words(questions[0] if questions else None, files)


def is_input(word: str) -> bool:
    """Whether a word names input: a table or conversations, a folder, a pattern, an address."""
    # Those of `os.path` take a question that is too long for a name to be none.
    if word == STANDARD_STREAM:
        return True
    if any(letter.isspace() for letter in word):
        return is_table(word) and os.path.isfile(word)
    if "://" in word or is_table(word):
        return True
    return os.path.isdir(word) or (glob.has_magic(word) and bool(glob.glob(word)))


def with_files(
    config: InferenceConfig, files: Sequence[str], prompt: str | None
) -> InferenceConfig:
    """The settings for rows of these files, each of which asks what the template says, if any."""
    config = config.merge(InferenceConfig(input_path=files[0] if len(files) == 1 else [*files]))
    return config if prompt is None else config.merge(InferenceConfig(prompt=prompt))


def with_standard_input(question: str | None) -> str | None:
    """The question with what standard input holds before it, or that alone; None for neither.

    Raises UsageError for rows of a file, which would all be one question.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return question
    piped = _read_piped().strip()
    if question is None and _is_row(piped):
        raise click.UsageError(
            "Standard input holds rows: give --input_path - to answer each of them."
        )
    parts = [part for part in (piped, question) if part]
    return "\n\n".join(parts) or None


def _check_is_question(word: str) -> None:
    if Path(word).suffix and os.path.isfile(word):
        shown = printable_line(word)
        raise click.UsageError(
            f"{shown} holds no conversations or table by its ending (.jsonl, .csv, .parquet, …). "
            f'To send its text with a question: oumi infer "…" < {shown}. '
            f"An image or a PDF: --image {shown}. To answer its rows all the same: "
            f"--input_path {shown}"
        )


def _read_piped() -> str:
    data = sys.stdin.buffer.read(_MOST_READ + 1)
    if len(data) > _MOST_READ:
        raise click.UsageError(
            f"Standard input holds more than {_MOST_READ:,} bytes, too much for one question; "
            "rows of it are answered with --input_path -"
        )
    return data.decode("utf-8", "replace")


def _is_row(text: str) -> bool:
    first = text.partition("\n")[0]
    if not first.startswith("{"):
        return False
    try:
        row = json.loads(first)
    except ValueError:
        return False
    return isinstance(row, dict) and not {"messages", "prompt", "conversations"}.isdisjoint(row)
