"""The endpoints whose requests a batch may hold."""

from __future__ import annotations

from typing import Literal

from oumi.server.completions import CompletionsApi
from oumi.server.openai_chat import ChatApi
from oumi.server.query import Api

Endpoint = Literal["/v1/chat/completions", "/v1/completions"]

APIS: dict[str, Api] = {"/v1/chat/completions": ChatApi(), "/v1/completions": CompletionsApi()}
"""The forms of their requests and replies."""
