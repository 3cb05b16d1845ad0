"""What is fed with bytes. Each raises only what callers are told to expect."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from oumi.backends.remote.dialects import load_dialect
from oumi.core.configs import InferenceConfig
from oumi.data.jsonl import parse_rows
from oumi.errors import OumiError
from oumi.runner.storage.journal import Journal

_CONFIG = InferenceConfig()


def rows(data: bytes) -> None:
    """Lines of an input file, and what would be written of them."""
    try:
        found = list(parse_rows(data.splitlines(keepends=True), "in.jsonl"))
    except OumiError:
        return
    for row in found:
        if row.conversation is not None:
            row.conversation.to_json()


def settings(data: bytes) -> None:
    """A settings file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_bytes(data)
        with contextlib.suppress(OumiError):
            InferenceConfig.from_yaml(path)


def journal(data: bytes) -> None:
    """A journal, opened and read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        path.write_bytes(data)
        try:
            with Journal(path) as opened:
                opened.claim(0, "0" * 32)
                opened.read(0)
        except OumiError:
            pass


def _decoder(name: str) -> Callable[[bytes], None]:
    """Whole and streamed replies of an API."""
    dialect: ModuleType = load_dialect(name)

    def decode(data: bytes) -> None:
        with contextlib.suppress(OumiError):
            dialect.decode(data, _CONFIG)
        stream = dialect.stream_decoder(_CONFIG)
        try:
            for start in range(0, len(data), 7):
                list(stream.feed(data[start : start + 7]))
            stream.last()
        except OumiError:
            pass

    return decode


TARGETS: dict[str, Callable[[bytes], None]] = {
    "rows": rows,
    "settings": settings,
    "journal": journal,
    **{name: _decoder(name) for name in ("chat", "responses", "anthropic", "bedrock")},
}
