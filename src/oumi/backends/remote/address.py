"""The address of an API, and the key for it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote, urlsplit

from oumi.backends.provider import AuthMethod, Provider
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.urls import check_url, mask_url
from oumi.errors import AccessError, ConfigError

_ENDPOINT = re.compile(
    r"/(?:(?:chat/)?completions|responses|messages|model/[^/]+/converse(?:-stream)?)/?$"
)
_LOCAL = re.compile(r"^(?:localhost|[\d.]+|\[[0-9a-f:]+\])(?::|/|$)")
_JSON = (("content-type", "application/json"), ("accept", "application/json"))
_WORD = re.compile(r"\{(\w+)\}")
_AUTHORIZATION = "authorization"


@dataclass(frozen=True)
class Address:
    """The base URLs of an API's replicas, and the headers to send."""

    bases: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    query: str = ""
    """What follows each path: empty, or with its question mark. It may hold a key."""
    has_key: bool = True
    key_file: str | None = None
    """A file with the credentials of a service account, given in place of a key."""

    def __repr__(self) -> str:
        return f"Address({', '.join(map(mask_url, self.bases))})"  # the headers hold the key

    @property
    def hosts(self) -> str:
        """The hosts of the replicas, for errors and logs: a URL may hold a password."""
        return ", ".join(urlsplit(base).netloc.rpartition("@")[2] for base in self.bases)

    @property
    def models_base(self) -> str:
        """Above which models are listed: a deployment on Azure has none of its own, and Bedrock
        has another service for that.
        """
        base = self.without_deployment().bases[0]
        return base.replace("://bedrock-runtime.", "://bedrock.", 1)

    def with_query(self, url: str) -> str:
        """A whole URL with the query of this address, behind one of its own."""
        return url + self.query.replace("?", "&" if "?" in url else "?", 1)

    def without_deployment(self) -> Address:
        """The address above a deployment on Azure, where the model stands in the request."""
        bases = tuple(base.partition("/deployments/")[0] for base in self.bases)
        return replace(self, bases=bases)


def find_address(provider: Provider, config: InferenceConfig) -> Address:
    """Where to send requests. Raises ConfigError without a URL, AccessError without a key."""
    remote = config.remote_params or RemoteParams()
    urls = remote.api_url or _url_in_environment(provider) or provider.url
    if not urls:
        hint = f" or the environment variable {provider.url_env}" if provider.url_env else ""
        raise ConfigError(f"{provider.name}: set remote_params.api_url{hint}")
    places = [
        _locate(provider, url, config.model.model_name)
        for url in ([urls] if isinstance(urls, str) else urls)
    ]
    queries = {query for _, query in places}
    if len(queries) > 1:
        raise ConfigError("remote_params.api_url: replicas need the same query")
    custom = {name.lower() for name in remote.headers}
    is_given = remote.api_key is not None or remote.api_key_env_varname
    token = None if is_given else _from_environment(provider.bearer_env)
    key = None if token else _find_key(provider, remote, custom)
    is_file = key and provider.auth_method is AuthMethod.GOOGLE and key.endswith(".json")
    key_file = key if is_file else None
    key = None if key_file else key
    bases = tuple(base for base, _ in places)
    headers = _headers(provider, key, token)
    has_key = bool(key or token or custom & {provider.key_header, _AUTHORIZATION})
    return Address(bases, headers, queries.pop(), has_key, key_file)


def to_base(url: str, usual_path: str = "/v1") -> str:
    """The base URL of an API from a host, a base, or a full endpoint. Raises ConfigError.

    A host alone gets the usual path.
    """
    text = url.strip()
    try:
        check_url(text)
    except ValueError as error:
        raise ConfigError(f"the address of the API: {error}") from None
    if "://" not in text:
        text = f"{'http' if _LOCAL.match(text) else 'https'}://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"remote_params.api_url: not the address of an API: {mask_url(url)!r}")
    if parts.query or parts.fragment:
        raise ConfigError(f"remote_params.api_url: expected no query in it: {mask_url(url)!r}")
    path = _ENDPOINT.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or usual_path}"


def key_hint(provider: Provider, remote: RemoteParams) -> str:
    """Where the user sets the key, for an error message."""
    names = (remote.api_key_env_varname,) if remote.api_key_env_varname else provider.key_env
    own = "remote_params.api_key"
    return f"the environment variable {' or '.join(names)} or {own}" if names else own


def _locate(provider: Provider, url: str, model: str) -> tuple[str, str]:
    """The base URL, and the query that follows each path."""
    head, _, query = _fill(provider, url.strip()).partition("?")
    base = to_base(head, "")
    if "#" in query:
        raise ConfigError(f"remote_params.api_url: expected no fragment in it: {mask_url(url)!r}")
    has_version = "api-version" in parse_qs(query)
    if not urlsplit(base).path:
        version = None if has_version else _from_environment(provider.version_env)
        if version:
            query = "&".join(filter(None, (query, f"api-version={quote(version)}")))
        has_version = has_version or bool(version)
        base += _usual_path(provider, model, has_version=has_version)
    return base, f"?{query}" if query else ""


def _usual_path(provider: Provider, model: str, *, has_version: bool) -> str:
    if has_version and provider.versioned_path:
        return provider.versioned_path.format(model=quote(model, safe=""))
    return _fill(provider, urlsplit(provider.url).path) if provider.url else "/v1"


def _fill(provider: Provider, url: str) -> str:
    """The URL with its words filled from the environment. Raises ConfigError for a missing one."""

    def value(word: re.Match[str]) -> str:
        names = provider.url_parts.get(word[1], ())
        found = _first_set(names)
        if found is None:
            where = ", ".join(filter(None, (*names, provider.url_env)))
            raise ConfigError(
                f"{provider.name}: address not known; set one of {where}, or remote_params.api_url "
                f"({word[1]} is missing in {mask_url(url)})"
            )
        return found

    # Google's one region without a name in front of the host is called `global`.
    return _WORD.sub(value, url).replace("://global-", "://")


def _find_key(provider: Provider, remote: RemoteParams, custom: Collection[str]) -> str | None:
    """The key, unless one of the user's `custom` headers takes its place. Raises AccessError where
    there is none, ConfigError where there are two.
    """
    if provider.key_header in custom:
        if remote.api_key is not None and remote.api_key.get_secret_value():
            raise ConfigError(
                f"{provider.name}: remote_params.headers has {provider.key_header}, which "
                "remote_params.api_key sets as well: leave one of them out"
            )
        return None
    if remote.api_key is not None:
        given = remote.api_key.get_secret_value()
        if provider.needs_key and not given:
            raise AccessError(f"{provider.name}: remote_params.api_key is empty")
        return given
    named = _from_environment(remote.api_key_env_varname)
    if remote.api_key_env_varname and not named:
        raise AccessError(
            f"{provider.name}: remote_params.api_key_env_varname names "
            f"{remote.api_key_env_varname}, which is not set"
        )
    key = named or _first_set(provider.key_env)
    if provider.needs_key and not key and _AUTHORIZATION not in custom:
        raise AccessError(f"{provider.name}: no key; set {key_hint(provider, remote)}")
    return key


def _url_in_environment(provider: Provider) -> str | None:
    url = _from_environment(provider.url_env)
    if not (url and provider.url_env_lacks):
        return url
    path, mark, query = url.partition("?")
    root = _ENDPOINT.sub("", path).rstrip("/").removesuffix(provider.url_env_lacks)
    return f"{root}{provider.url_env_lacks}{mark}{query}"


def _from_environment(variable: str | None) -> str | None:
    return os.environ.get(variable) if variable else None


def _first_set(variables: Iterable[str]) -> str | None:
    return next(filter(None, map(os.environ.get, variables)), None)


def _headers(provider: Provider, key: str | None, token: str | None) -> tuple[tuple[str, str], ...]:
    headers, secret = (*_JSON, *provider.headers), token or key
    if not secret:
        return headers
    if not secret.isascii() or not secret.isprintable():
        raise AccessError("the key holds characters that no key has; was it copied whole?")
    if token or provider.key_header == _AUTHORIZATION:
        return (*headers, (_AUTHORIZATION, f"Bearer {secret}"))
    return (*headers, (provider.key_header, secret))
