"""The fault server at the address that version 0.1 knew it by."""

from __future__ import annotations

import pytest

from tests.fault_server import FaultServer


@pytest.fixture
def api(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """The server as the proxy for all addresses, those that do not exist included."""
    for name in ("ALL_PROXY", "NO_PROXY", "all_proxy", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-of-the-test")
    return server
