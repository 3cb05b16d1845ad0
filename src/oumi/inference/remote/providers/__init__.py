"""The APIs: one frozen row each. What differs between them stands here and nowhere else."""

from oumi.core.configs import InferenceEngineType
from oumi.inference.remote.providers.clouds import CLOUDS
from oumi.inference.remote.providers.hosts import HOSTS
from oumi.inference.remote.providers.makers import MAKERS
from oumi.inference.remote.providers.row import (
    UNLISTED,
    BatchOffer,
    Constraint,
    Proof,
    Provider,
)
from oumi.inference.remote.providers.servers import SERVERS

__all__ = ["BY_ENGINE", "PROVIDERS", "UNLISTED", "BatchOffer", "Constraint", "Proof", "Provider"]

PROVIDERS: tuple[Provider, ...] = (*MAKERS, *CLOUDS, *HOSTS, *SERVERS)
BY_ENGINE: dict[InferenceEngineType, Provider] = {row.engine: row for row in PROVIDERS}
