"""What a URL of an API is: a host, a base, or a whole endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from oumi.core.urls import check_url, mask_url
from oumi.errors import ConfigError

# Endpoints of the APIs that dialects speak: what is above them is their base.
_ENDPOINT = re.compile(
    r"/(?:chat/completions|responses|messages|embeddings|model/[^/]+/converse(?:-stream)?)/?$"
)
# The last part of a base: a version, or what known bases end in, such as Google's `/v1beta/openai`,
# Azure's `/openai/deployments/NAME` and `/models`, and GitHub's `/inference`.
_BASE_END = re.compile(
    r"/(?:v\d+\w*|api|beta|inference|models|openai|openapi|deployments/[^/]+|)$", re.I
)
_LOCAL = re.compile(r"^(?:localhost|[\d.]+|\[[0-9a-f:]+\])(?::|/|$)")


@dataclass(frozen=True)
class Location:
    """Where a URL leads."""

    base: str
    query: str = ""
    """What follows each path: empty, or a query with its question mark."""
    is_endpoint: bool = False
    """Whether requests go to this very address, and not to a path below it."""


def locate(url: str, native_paths: tuple[str, ...] = ()) -> Location:
    """What a URL is. Raises ConfigError for what is no address.

    One of the `native_paths` stands for the server. A path that ends neither as an endpoint nor as
    a base does, nor in `/`, is an endpoint of another kind: it is used as it is.
    """
    parts = urlsplit(_with_scheme(url))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"remote_params.api_url: not the address of an API: {mask_url(url)!r}")
    if parts.fragment:
        raise ConfigError(f"remote_params.api_url: expected no fragment in it: {mask_url(url)!r}")
    query = f"?{parts.query}" if parts.query else ""
    root = f"{parts.scheme}://{parts.netloc}"
    path = "" if parts.path.rstrip("/") in native_paths else parts.path
    above = without_endpoint(path)
    is_base = not path or above != path or _BASE_END.search(path) is not None
    return Location(root + above.rstrip("/"), query, not is_base)


def without_endpoint(url: str) -> str:
    """The URL, or its path, without the endpoint at its end."""
    return _ENDPOINT.sub("", url)


def _with_scheme(url: str) -> str:
    text = url.strip()
    try:
        check_url(text)
    except ValueError as error:
        raise ConfigError(f"the address of the API: {error}") from None
    if "://" in text:
        return text
    return f"{'http' if _LOCAL.match(text) else 'https'}://{text}"
