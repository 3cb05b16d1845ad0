"""What stands in for a key: a proof that is made for each call.

https://docs.cloud.google.com/docs/authentication/application-default-credentials
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from oumi.errors import AccessError, ConfigError, MissingDependencyError, UnavailableError
from oumi.inference.remote.providers import Proof
from oumi.inference.remote.transport import Call

_GOOGLE_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_AWS_SERVICE = "bedrock"
_AWS_REGION_IN_HOST = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
_AWS_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class Signer(Protocol):
    """Makes the proof. One for each engine, used from one event loop."""

    async def sign(self, call: Call) -> Call:
        """The call with its proof among the headers. Raises AccessError where there are no
        credentials or they are refused, UnavailableError where they cannot be renewed just now.
        """
        ...


def open_signer(proof: Proof, key_file: str | None = None) -> Signer:
    """The signer for a kind of proof. Google's takes the credentials of a file, if one is named.
    Raises MissingDependencyError.
    """
    return GoogleSigner(key_file) if proof is Proof.GOOGLE else AwsSigner()


class GoogleSigner:
    """A token of Google's, kept until shortly before it expires."""

    def __init__(self, key_file: str | None = None) -> None:
        _require("google.auth", "google", Proof.GOOGLE)
        self._key_file = key_file
        self._credentials: Any = None
        self._renewing = asyncio.Lock()

    async def sign(self, call: Call) -> Call:
        """With the token as `authorization`."""
        if not self._is_fresh():
            async with self._renewing:  # one asks, all others wait for it
                if not self._is_fresh():
                    await asyncio.to_thread(self._renew)
        return _with_headers(call, {"authorization": f"Bearer {self._credentials.token}"})

    def _is_fresh(self) -> bool:
        from google.auth.credentials import TokenState

        return self._credentials is not None and self._credentials.token_state is TokenState.FRESH

    def _renew(self) -> None:
        import requests
        from google.auth import exceptions
        from google.auth.transport.requests import Request

        try:
            if self._credentials is None:
                self._credentials = self._load()
            with requests.Session() as session:
                self._credentials.refresh(Request(session))
        except exceptions.TransportError as error:
            raise UnavailableError(f"Google's tokens cannot be reached: {error}") from error
        except (exceptions.GoogleAuthError, OSError, ValueError) as error:
            raise AccessError(f"Google's credentials: {_first_line(error)}") from error

    def _load(self) -> Any:
        import google.auth
        from google.oauth2 import service_account

        if self._key_file is None:
            return google.auth.default(scopes=_GOOGLE_SCOPES)[0]
        read: Any = service_account.Credentials.from_service_account_file  # which has no types
        return read(self._key_file, scopes=_GOOGLE_SCOPES)


class AwsSigner:
    """A signature of AWS over each call."""

    def __init__(self) -> None:
        _require("botocore", "bedrock", Proof.AWS)
        self._credentials: Any = None

    async def sign(self, call: Call) -> Call:
        """With a signature over method, URL, body, and the time of day."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        if self._is_stale():
            await asyncio.to_thread(self._renew)
        request = AWSRequest(
            call.method, call.url, {"content-type": call.headers["content-type"]}, call.body
        )
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, _AWS_SERVICE, _aws_region(call.url)).add_auth(request)
        return _with_headers(call, {name.lower(): value for name, value in request.headers.items()})

    def _is_stale(self) -> bool:
        if self._credentials is None:
            return True
        ask = getattr(self._credentials, "refresh_needed", None)  # of those that expire
        return ask is not None and ask()

    def _renew(self) -> None:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        try:
            if self._credentials is None:
                self._credentials = Session().get_credentials()
            if self._credentials is not None:
                self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise AccessError(f"AWS credentials: {_first_line(error)}") from error
        if self._credentials is None:
            raise AccessError(
                "no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, "
                "or AWS_BEARER_TOKEN_BEDROCK"
            )


def _aws_region(url: str) -> str:
    """The region that a host of AWS names, or the environment."""
    found = _AWS_REGION_IN_HOST.search(url.split("/")[2])
    region = (
        found[1] if found else next(filter(None, map(os.environ.get, _AWS_REGION_VARIABLES)), "")
    )
    if not region:
        raise ConfigError(f"no AWS region; set {' or '.join(_AWS_REGION_VARIABLES)}")
    return region


def _with_headers(call: Call, headers: Mapping[str, str]) -> Call:
    return replace(call, headers={**call.headers, **headers})


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _require(module: str, extra: str, proof: Proof) -> None:
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of the package above it
        found = None
    if found is None:
        raise MissingDependencyError(
            f"without a key, {proof} credentials are needed, and {module} to read them: "
            f"pip install 'oumi-infer[{extra}]'"
        )
