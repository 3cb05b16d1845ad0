"""The kinds of rounds, by name."""

from __future__ import annotations

from collections.abc import Callable

from tests.campaign.kinds.api_batch import api_batch
from tests.campaign.kinds.contention import contention
from tests.campaign.kinds.llama_cpp import llama_cpp
from tests.campaign.kinds.local_batch import local_batch
from tests.campaign.kinds.remote import remote
from tests.campaign.round import Round

KINDS: dict[str, Callable[[Round], None]] = {
    "REMOTE": remote,
    "LLAMACPP": llama_cpp,
    "API_BATCH": api_batch,
    "LOCAL_BATCH": local_batch,
    "CONTENTION": contention,
}
