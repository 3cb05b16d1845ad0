"""The APIs: one frozen row each. What differs between them stands here and nowhere else."""

from oumi.backends.remote.providers.clouds import CLOUDS
from oumi.backends.remote.providers.hosts import HOSTS
from oumi.backends.remote.providers.makers import MAKERS
from oumi.backends.remote.providers.row import (
    UNLISTED,
    AuthMethod,
    BatchLimits,
    Constraint,
    Provider,
)
from oumi.backends.remote.providers.servers import SERVERS
from oumi.core.configs import InferenceEngineType

__all__ = [
    "BY_ENGINE",
    "PROVIDERS",
    "UNLISTED",
    "AuthMethod",
    "BatchLimits",
    "Constraint",
    "Provider",
]

PROVIDERS: tuple[Provider, ...] = (*MAKERS, *CLOUDS, *HOSTS, *SERVERS)
BY_ENGINE: dict[InferenceEngineType, Provider] = {row.engine: row for row in PROVIDERS}
