"""What batch jobs need of an engine behind an API, under the settings of one job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oumi.backends.remote.provider import BatchLimits
from oumi.batch.api.providers import BatchApi
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.runner.cost import Price
from oumi.runner.limits.retry import RetryPolicy
from oumi.structured.contract import Contract


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, and how they and their answers are written."""

    api: BatchApi
    offer: BatchLimits
    path: str
    """Where the API takes the same requests one by one, below its base."""
    window: str
    """The time in which a batch is to be done."""
    policy: RetryPolicy
    encode: Callable[[Conversation], bytes]
    """The body of a request. Raises RequestError for what cannot be sent."""
    decode: Callable[[bytes], Completion]
    """The completion in the body of a reply. Raises OumiError for what is none."""
    contract: Contract | None
    """What answers have to look like."""
    price: Price | None
    """What tokens cost in a batch; None where they cost nothing."""
