"""The groups of settings by their path, and the paths of all settings."""

from __future__ import annotations

from oumi.core.configs.base import Settings
from oumi.core.configs.cluster_params import ClusterParams
from oumi.core.configs.embedding_params import EmbeddingParams
from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.model_params import ModelParams
from oumi.core.configs.price_params import PriceParams
from oumi.core.configs.remote_params import RemoteParams

GROUPS: dict[str, type[Settings]] = {
    "": InferenceConfig,
    "model": ModelParams,
    "generation": GenerationParams,
    "generation.guided_decoding": GuidedDecodingParams,
    "embedding": EmbeddingParams,
    "remote_params": RemoteParams,
    "price": PriceParams,
    "cluster": ClusterParams,
}


def fields_of(group: str) -> dict[str, str]:
    """The names of a group's settings, each with its path. Groups in it, and fields that have no
    effect on inference here, are left out.
    """
    kind = GROUPS[group]
    before = f"{group}." if group else ""
    paths = {name: f"{before}{name}" for name in kind.model_fields}
    unused = kind.unused_fields()
    return {n: path for n, path in paths.items() if path not in GROUPS and n not in unused}


def setting_paths() -> list[str]:
    """The paths of all settings, such as `generation.top_p`."""
    return [path for group in GROUPS for path in fields_of(group).values()]
