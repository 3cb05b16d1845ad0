"""Which of a provider's APIs a request goes to, and the dialect that speaks with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from oumi.backends.provider import Provider, ResponsesApi
from oumi.backends.remote.dialects import Dialect, load_dialect
from oumi.backends.remote.model_families import family_of
from oumi.core.configs import Api, InferenceConfig, RemoteParams
from oumi.errors import UnsupportedError

RESPONSES = "responses"
"""The dialect of OpenAI's Responses API."""
_CHAT = "chat"
_COMPLETIONS = "completions"


def find_dialect(provider: Provider, config: InferenceConfig) -> Dialect:
    """The dialect that answers under these settings. Raises UnsupportedError."""
    return load_dialect(dialect_name(provider, config))


def dialect_name(provider: Provider, config: InferenceConfig) -> str:
    """Its name. Raises UnsupportedError for an API that the provider does not have."""
    if not config.generation.apply_chat_template:
        return _COMPLETIONS
    remote = config.remote_params or RemoteParams()
    if remote.api == Api.CHAT:
        _check_has(provider, Api.CHAT, provider.dialect == _CHAT)
        return provider.dialect
    if remote.api == Api.RESPONSES:
        _check_has(provider, Api.RESPONSES, offers_responses(provider))
        return RESPONSES
    is_needed = (
        provider.responses is ResponsesApi.IF_NEEDED
        and family_of(config.model.model_name).responses_only
    )
    is_named = offers_responses(provider) and _names_responses(remote)
    return RESPONSES if is_needed or is_named else provider.dialect


def offers_responses(provider: Provider) -> bool:
    """Whether the provider can be asked by the Responses API."""
    return provider.dialect == RESPONSES or provider.responses is not ResponsesApi.NEVER


def api_of_identity(provider: Provider, identity: Mapping[str, Any]) -> Api | None:
    """The API that answered under an identity; None where the provider has no two of them."""
    if not offers_responses(provider) or provider.dialect != _CHAT:
        return None
    return Api(identity.get("api", Api.CHAT))


def with_api(config: InferenceConfig, api: Api | None) -> InferenceConfig:
    """The settings with another API; None leaves them as they are."""
    if api is None:
        return config
    remote = (config.remote_params or RemoteParams()).model_copy(update={"api": api})
    return config.model_copy(update={"remote_params": remote})


def _names_responses(remote: RemoteParams) -> bool:
    """Whether `api_url` is the full endpoint of the Responses API."""
    urls = remote.api_url or ()
    paths = [urlsplit(url).path for url in ([urls] if isinstance(urls, str) else urls)]
    return any(path.rstrip("/").endswith("/responses") for path in paths)


def _check_has(provider: Provider, api: Api, has: bool) -> None:
    if not has:
        hint = f"it has {provider.dialect} alone, so leave the setting out"
        raise UnsupportedError(
            f"remote_params.api: {provider.name} has no API {api.value!r}; {hint}"
        )
