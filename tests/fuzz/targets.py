"""What is fed with bytes. Each raises only what callers are not told to expect."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.answers import answer
from tests.fuzz.files import job_state, journal, rows, settings
from tests.fuzz.replies import anthropic, batches, bedrock, chat, errors, headers

TARGETS: dict[str, Callable[[bytes], None]] = {
<<<<<<< HEAD
    target.__name__: target
    for target in (
        *(rows, settings, journal, job_state),
        *(chat, anthropic, bedrock, errors, headers, batches),
        answer,
    )
=======
    "rows": rows,
    "settings": settings,
    "journal": journal,
    **{name: _decoder(name) for name in ("chat", "responses", "anthropic", "bedrock")},
>>>>>>> responses
}
