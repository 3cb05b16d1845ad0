"""Shared by all tests: a clean environment, one loaded engine, and short ways to make input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oumi.backends.remote.providers import PROVIDERS
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import Conversation, Message, Role
from oumi.inference import LlamaCppInferenceEngine
from tests.fault_server import FaultServer

_VARIABLES = {
    name
    for row in PROVIDERS
    for name in (row.url_env, row.bearer_env, *row.key_env, *sum(row.url_parts.values(), ()))
}
_PREFIXES = ("ANTHROPIC_", "AWS_", "AZURE_", "GOOGLE_", "HF_", "OPENAI_", "OUMI_", "XDG_")
"""What sets keys and addresses of APIs."""


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's settings, keys or caches."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for name in list(os.environ):
        if name in _VARIABLES or name.startswith(_PREFIXES):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def engine() -> Iterator[LlamaCppInferenceEngine]:
    with LlamaCppInferenceEngine() as loaded:
        yield loaded


@pytest.fixture(scope="session")
def _server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def server(_server: FaultServer) -> FaultServer:
    """The fault server, one process for all tests, with a fresh plan for each."""
    _server.plan()
    return _server


def ask(text: str, **fields: object) -> Conversation:
    """A conversation of one question."""
    return Conversation(messages=[Message(role=Role.USER, content=text)], **fields)


def sums(count: int) -> list[Conversation]:
    """Different small questions."""
    return [ask(f"What is {i} plus {i % 7}?", conversation_id=f"sum-{i}") for i in range(count)]


def short(**fields: object) -> InferenceConfig:
    """Settings for answers of a few tokens."""
    return InferenceConfig(generation=GenerationParams(max_new_tokens=16), **fields)


def answers(conversations: object) -> list[str]:
    """The text of each conversation's last message."""
    return [conversation.messages[-1].content for conversation in conversations]


def count_records(journal: Path) -> int:
    """How many records a journal holds by now, of which the last may be torn."""
    return journal.read_bytes().count(b'\n{"key":') if journal.exists() else 0


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Callable[..., Path]:
    def write(conversations: list[Conversation], name: str = "in.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(c.to_json() + "\n" for c in conversations))
        return path

    return write
