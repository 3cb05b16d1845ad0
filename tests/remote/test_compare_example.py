"""The example that asks several providers, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fault_server import FaultServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "compare_providers.py"


def test_each_provider_answers_or_says_why_not(server: FaultServer, monkeypatch):
    for name in ("OPENAI", "GROQ", "MISTRAL"):
        monkeypatch.setenv(f"{name}_BASE_URL", server.url)
    for name in ("OPENAI", "GROQ"):
        monkeypatch.setenv(f"{name}_API_KEY", f"key-of-{name}")
    said = subprocess.run(
        [sys.executable, EXAMPLE, "gpt-4o-mini", "groq/llama", "mistral/large"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    assert len(said) == 3
    answer = "answer to What is the capital of France? (5 tokens)"
    assert f"gpt-4o-mini: {answer}" in said
    assert f"groq/llama: {answer}" in said
    assert any("mistral/large: " in line and "MISTRAL_API_KEY" in line for line in said)
    stats = server.stats()
    assert stats["authorizations"] == ["Bearer key-of-GROQ", "Bearer key-of-OPENAI"]
    assert {seen["path"] for seen in stats["last"]} == {
        "/v1/chat/completions",
        "/openai/v1/chat/completions",
    }
