"""Which settings are secret: written to no file, and in no pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.core.configs.headers import headers_without_keys
from oumi.core.configs.remote_params import RemoteParams
from oumi.core.secret_names import may_hold_key
from oumi.core.urls import without_secrets

if TYPE_CHECKING:
    from oumi.core.configs.inference_config import InferenceConfig


def inline_secrets(remote: RemoteParams | None) -> dict[str, Any]:
    """The fields that hold something secret, with their values: a key, headers where one may be a
    key, an address with a password or a query.
    """
    if remote is None:
        return {}
    secrets: dict[str, Any] = {}
    if remote.revealed_api_key is not None:
        secrets["api_key"] = remote.revealed_api_key
    urls = [remote.api_url] if isinstance(remote.api_url, str) else remote.api_url or []
    if urls != list(map(without_secrets, urls)):
        secrets["api_url"] = remote.api_url
    if headers_without_keys(remote.headers) != remote.headers:
        secrets["headers"] = dict(remote.headers)
    return secrets


def shown_settings(config: InferenceConfig) -> dict[str, Any]:
    """The settings that were given, to be looked at by whoever gets a file of the run: without
    keys, without what is secret in addresses of files, and with `***` for texts in arguments of
    runtimes whose names say that they may be a key.
    """
    data = config.to_dict(only_set=True)
    for name in ("input_path", "output_path"):
        if data.get(name) is not None:
            data[name] = _shown_path(data[name])
    model = data.get("model") or {}
    for name in _FREE_ARGUMENTS & model.keys():
        model[name] = _mask_arguments(model[name])
    return data


_FREE_ARGUMENTS = frozenset(
    {"model_kwargs", "tokenizer_kwargs", "processor_kwargs", "chat_template_kwargs"}
)
"""Settings of the model whose names are those of other libraries."""


def _shown_path(path: Any) -> Any:
    if isinstance(path, list):
        return [_shown_path(one) for one in path]
    return without_secrets(path) if "://" in path else path


def _mask_arguments(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _mask_arguments(part, name) for name, part in value.items()}
    return "***" if isinstance(value, str) and may_hold_key(name) else value
