"""What batch jobs need of an API, under the settings of one job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oumi.backends.remote.providers import BatchLimits
from oumi.batch.api.providers.base import BatchApi
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.runner.cost import Price
from oumi.runner.limits.retry import RetryPolicy
from oumi.structured.contract import Contract


@dataclass(frozen=True)
class Endpoint:
    """A batch API, and how its requests and replies are encoded."""

    api: BatchApi
    offer: BatchLimits
    """How much a batch may hold."""
    path: str
    """Where the API takes single requests of this kind, below its base URL."""
    window: str
    """The time in which a batch is to be done, such as `24h`."""
    policy: RetryPolicy
    encode: Callable[[Conversation], bytes]
    """The body of a request. Raises RequestError for a conversation that cannot be sent."""
    decode: Callable[[bytes], Completion]
    """The completion in the body of a reply. Raises OumiError if there is none."""
    contract: Contract | None
    """What answers have to look like; None for any."""
    price: Price | None
    """What tokens cost in a batch; None where they cost nothing."""
