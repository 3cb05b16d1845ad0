"""What is fed with bytes. Each raises only what callers are not told to expect."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.answers import answer
from tests.fuzz.files import job_state, journal, rows, settings, tables
from tests.fuzz.replies import anthropic, batches, bedrock, chat, errors, headers, responses

TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(rows, tables, settings, journal, job_state),
        *(chat, responses, anthropic, bedrock, errors, headers, batches),
        answer,
    )
}
