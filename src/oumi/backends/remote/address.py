"""The address of an API, and the key for it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote, urlsplit

from oumi.backends.provider import AuthMethod, Provider
from oumi.backends.remote.location import Location, locate, without_endpoint
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.urls import mask_url
from oumi.errors import AccessError, ConfigError, UnsupportedError

_JSON = (("content-type", "application/json"), ("accept", "application/json"))
_WORD = re.compile(r"\{(\w+)\}")
_SAME_WORDS = {"project_id": "project", "location": "region"}
"""Google's own names of words in its URLs."""
_AUTHORIZATION = "authorization"


@dataclass(frozen=True)
class Address:
    """The base URLs of an API's replicas, and the headers to send."""

    bases: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    query: str = ""
    """What follows each path: empty, or a query with its question mark. It may hold a key."""
    has_key: bool = True
    key_file: str | None = None
    """A file with the credentials of a service account, given in place of a key."""
    is_endpoint: bool = False
    """Whether the bases are whole addresses, to which no path is added."""

    def __repr__(self) -> str:
        return f"Address({', '.join(map(mask_url, self.bases))})"  # the headers hold the key

    @property
    def hosts(self) -> str:
        """The hosts of the replicas, for errors and logs: a URL may hold a password."""
        return ", ".join(urlsplit(base).netloc.rpartition("@")[2] for base in self.bases)

    def url(self, base: str, path: str) -> str:
        """Where to send a request: the path below one of the bases, and the query."""
        return self.with_query(base + ("" if self.is_endpoint else path))

    def with_query(self, url: str) -> str:
        """A whole URL with the query of this address, behind one of its own."""
        if not self.query:
            return url
        return url + self.query.replace("?", "&" if "?" in url else "?", 1)

    def check_is_base(self) -> None:
        """Raise UnsupportedError for an endpoint, beside which nothing else can be asked."""
        if self.is_endpoint:
            raise UnsupportedError(
                f"remote_params.api_url is one endpoint alone ({mask_url(self.bases[0])}); for "
                "its batch jobs, give the base of the API, which ends in /v1 or /"
            )

    @property
    def models_base(self) -> str:
        """Above which models are listed: a deployment on Azure has none of its own, and Bedrock
        has another service for that.
        """
        base = self.without_deployment().bases[0]
        return base.replace("://bedrock-runtime.", "://bedrock.", 1)

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
        _locate(provider, url, config.model.model_name, is_given=bool(remote.api_url))
        for url in ([urls] if isinstance(urls, str) else urls)
    ]
    _check_alike(places)
    custom = {name.lower() for name in remote.headers}
    is_given = remote.api_key is not None or remote.api_key_env_varname
    token = None if is_given else _from_environment(provider.bearer_env)
    key = None if token else _find_key(provider, remote, custom)
    is_file = key and provider.auth_method is AuthMethod.GOOGLE and key.endswith(".json")
    key_file = key if is_file else None
    key = None if key_file else key
    return Address(
        bases=tuple(place.base for place in places),
        headers=_headers(provider, key, token),
        query=places[0].query,
        has_key=bool(key or token or custom & {provider.key_header, _AUTHORIZATION}),
        key_file=key_file,
        is_endpoint=places[0].is_endpoint,
    )


def _check_alike(places: list[Location]) -> None:
    if len({place.query for place in places}) > 1:
        raise ConfigError("remote_params.api_url: replicas need the same query")
    if len({place.is_endpoint for place in places}) > 1:
        raise ConfigError(
            "remote_params.api_url: replicas are bases, or whole endpoints, all alike"
        )


def key_hint(provider: Provider, remote: RemoteParams) -> str:
    """Where the user sets the key, for an error message."""
    names = (remote.api_key_env_varname,) if remote.api_key_env_varname else provider.key_env
    own = "remote_params.api_key"
    return f"the environment variable {' or '.join(names)} or {own}" if names else own


def _locate(provider: Provider, url: str, model: str, *, is_given: bool) -> Location:
    """Where a URL leads; one that is not given, but the provider's, is never a whole endpoint."""
    found = locate(_fill(provider, url), provider.native_paths)
    if not is_given:
        found = replace(found, is_endpoint=False)
    if urlsplit(found.base).path:
        return found
    query = _with_version(provider, found.query)
    has_version = "api-version" in parse_qs(query[1:])
    return Location(found.base + _usual_path(provider, model, has_version=has_version), query)


def _with_version(provider: Provider, query: str) -> str:
    """The query with the API version of the environment, unless it has one."""
    version = _from_environment(provider.version_env)
    if not version or "api-version" in parse_qs(query[1:]):
        return query
    return f"{query}{'&' if query else '?'}api-version={quote(version)}"


def _usual_path(provider: Provider, model: str, *, has_version: bool) -> str:
    if has_version and provider.versioned_path:
        return provider.versioned_path.format(model=quote(model, safe=""))
    return _fill(provider, urlsplit(provider.url).path) if provider.url else "/v1"


def _fill(provider: Provider, url: str) -> str:
    """The URL with its words filled from the environment. Raises ConfigError for a missing one."""

    def value(word: re.Match[str]) -> str:
        names = provider.url_parts.get(_SAME_WORDS.get(word[1], word[1]), ())
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
        if remote.revealed_api_key:
            raise ConfigError(
                f"{provider.name}: remote_params.headers has {provider.key_header}, which "
                "remote_params.api_key sets as well: leave one of them out"
            )
        return None
    given = remote.revealed_api_key
    if given is not None:
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
    root = without_endpoint(path).rstrip("/").removesuffix(provider.url_env_lacks)
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
