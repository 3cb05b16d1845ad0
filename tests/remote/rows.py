"""The rows of all providers, and those that are asked by another of their APIs besides."""

from __future__ import annotations

from dataclasses import replace

from oumi.backends.provider import Provider
from oumi.backends.remote.api_choice import offers_responses
from oumi.backends.remote.dialects import responses
from oumi.backends.remote.providers import PROVIDERS

RESPONSES_ROWS = tuple(
    replace(row, dialect="responses", supports=row.supports & responses.settings)
    for row in PROVIDERS
    if offers_responses(row)
)
"""The providers that have OpenAI's Responses API, as they are asked by it."""
ROWS = (*PROVIDERS, *RESPONSES_ROWS)


def row_id(row: Provider) -> str:
    """The name of a row in the name of a test."""
    return f"{row.name}-responses" if row.dialect == "responses" else row.name


def api_of(row: Provider) -> dict[str, str]:
    """The field of `remote_params` by which its provider is asked as the row says."""
    return {"api": "responses"} if row.dialect == "responses" else {}
