"""Authentication of each call where no key is given: a file for each method."""

from __future__ import annotations

import importlib.util
from typing import Protocol

from oumi.backends.provider import AuthMethod, Provider
from oumi.backends.remote.auth.aws import AwsAuth
from oumi.backends.remote.auth.azure import AzureAuth
from oumi.backends.remote.auth.google import GoogleAuth
from oumi.backends.remote.http.call import Call
from oumi.errors import MissingDependencyError

__all__ = ["Auth", "open_auth", "open_bucket_auth"]

# The package that reads the credentials of a method, and our extra that installs it.
_PACKAGES = {
    AuthMethod.GOOGLE: ("google.auth", "google"),
    AuthMethod.AZURE: ("azure.identity", "azure"),
    AuthMethod.AWS: ("botocore", "bedrock"),
}


class Auth(Protocol):
    """Authenticates calls. An engine has one, and uses it from one event loop."""

    async def apply(self, call: Call) -> Call:
        """The call with a token or a signature among its headers.

        Raises AccessError where there are no credentials or they are refused, UnavailableError
        where they cannot be renewed just now.
        """
        ...


def open_auth(provider: Provider, key_file: str | None = None) -> Auth | None:
    """How calls of this provider are authenticated without a key; None where they are not.

    `key_file` holds the credentials of a Google service account. Raises MissingDependencyError.
    """
    if provider.auth_method is None:
        return None
    _require(*_PACKAGES[provider.auth_method], provider)
    match provider.auth_method:
        case AuthMethod.GOOGLE:
            return GoogleAuth(key_file)
        case AuthMethod.AZURE:
            return AzureAuth()
        case AuthMethod.AWS:
            return AwsAuth()


def open_bucket_auth(provider: Provider, region: str) -> Auth:
    """How calls to S3 are authenticated. Raises MissingDependencyError."""
    _require(*_PACKAGES[AuthMethod.AWS], provider)
    return AwsAuth("s3", region)


def _require(module: str, extra: str, provider: Provider) -> None:
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of the package above it
        found = None
    if found is None:
        keys = f"set {' or '.join(provider.key_env)}, or use" if provider.key_env else "it uses"
        raise MissingDependencyError(
            f"{provider.name}: no key; {keys} {provider.auth_method} credentials, which needs: "
            f"pip install 'oumi-infer[{extra}]'"
        )
