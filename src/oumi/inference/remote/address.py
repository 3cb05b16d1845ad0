"""Where an API is and which key opens it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from oumi.core.configs import RemoteParams
from oumi.errors import AccessError, ConfigError
from oumi.inference.remote.providers import Provider

_ENDPOINT = re.compile(r"/(?:(?:chat/)?completions|messages|model/[^/]+/converse(?:-stream)?)/?$")
_JSON = (("content-type", "application/json"), ("accept", "application/json"))
_LOCAL = re.compile(r"^(?:localhost|[\d.]+|\[[0-9a-f:]+\])(?::|/|$)")


@dataclass(frozen=True)
class Address:
    """The bases of an API's replicas, each ending in its version, and the headers to send."""

    bases: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return f"Address({', '.join(self.bases)})"  # the headers hold the key


def find_address(provider: Provider, remote: RemoteParams) -> Address:
    """Where to send requests. Raises ConfigError without a URL, AccessError without a key."""
    urls = remote.api_url or _from_environment(provider.url_env) or provider.url
    if not urls:
        hint = f" or the environment variable {provider.url_env}" if provider.url_env else ""
        raise ConfigError(f"{provider.engine}: set remote_params.api_url{hint}")
    path = urlsplit(provider.url).path if provider.url else "/v1"
    bases = tuple(to_base(url, path) for url in ([urls] if isinstance(urls, str) else urls))
    return Address(bases, _headers(provider, _find_key(provider, remote)))


def to_base(url: str, usual_path: str = "/v1") -> str:
    """The base of an API from a host, which has the usual path, a base, or a full endpoint.
    Raises ConfigError.
    """
    text = url.strip()
    if "://" not in text:
        text = f"{'http' if _LOCAL.match(text) else 'https'}://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"remote_params.api_url: not the address of an API: {url!r}")
    if parts.query or parts.fragment:
        raise ConfigError(f"remote_params.api_url: expected no query in it: {url!r}")
    path = _ENDPOINT.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or usual_path}"


def key_hint(provider: Provider, remote: RemoteParams) -> str:
    """Where the user sets the key."""
    variable = remote.api_key_env_varname or provider.key_env
    own = "remote_params.api_key"
    return f"the environment variable {variable} or {own}" if variable else own


def _find_key(provider: Provider, remote: RemoteParams) -> str | None:
    if remote.api_key is not None:
        given = remote.api_key.get_secret_value()
        if provider.needs_key and not given:
            raise AccessError(f"{provider.engine}: remote_params.api_key is empty")
        return given
    named = _from_environment(remote.api_key_env_varname)
    if remote.api_key_env_varname and not named:
        raise AccessError(
            f"{provider.engine}: remote_params.api_key_env_varname names "
            f"{remote.api_key_env_varname}, which is not set"
        )
    key = named or _from_environment(provider.key_env)
    if provider.needs_key and not key:
        raise AccessError(f"{provider.engine}: no key; set {key_hint(provider, remote)}")
    return key


def _from_environment(variable: str | None) -> str | None:
    return os.environ.get(variable) if variable else None


def _headers(provider: Provider, key: str | None) -> tuple[tuple[str, str], ...]:
    headers = (*_JSON, *provider.headers)
    if not key:
        return headers
    if not key.isascii() or not key.isprintable():
        raise AccessError("the key holds characters that no key has; was it copied whole?")
    value = f"Bearer {key}" if provider.key_header == "authorization" else key
    return (*headers, (provider.key_header, value))
