"""What answers of an API have to look like, once they are turned back from the API's form."""

from __future__ import annotations

from oumi.backends.provider import Provider
from oumi.backends.remote.api_choice import find_dialect
from oumi.core.configs.inference_config import InferenceConfig
from oumi.structured.contract import Contract, make_contract


def contract_for(provider: Provider | None, config: InferenceConfig) -> Contract | None:
    """What the settings ask of an answer; without a provider, of an engine on this machine."""
    if provider is None:
        return make_contract(config.generation)
    adapted = find_dialect(provider, config).adapted(config, provider)
    return make_contract(config.generation, adapted.restore if adapted else None)
