"""Tokens of Google's application default credentials.

https://docs.cloud.google.com/docs/authentication/application-default-credentials
"""

from __future__ import annotations

from typing import Any

from oumi.backends.remote.auth.tokens import TokenAuth
from oumi.backends.remote.http.transport_errors import TransportError
from oumi.errors import AccessError

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class GoogleAuth(TokenAuth):
    """Finds credentials with google-auth, or reads those in the file of a service account."""

    def __init__(self, key_file: str | None = None) -> None:
        super().__init__()
        self._key_file = key_file
        self._credentials: Any = None

    @property
    def _token(self) -> str:
        return str(self._credentials.token)

    def _is_fresh(self) -> bool:
        from google.auth.credentials import TokenState

        return self._credentials is not None and self._credentials.token_state is TokenState.FRESH

    def _forget(self) -> None:
        self._credentials = None

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
            raise TransportError(f"Google's tokens cannot be reached: {error}") from error
        except (exceptions.GoogleAuthError, OSError, ValueError) as error:
            first_line = str(error).partition("\n")[0]
            raise AccessError(f"Google's credentials: {first_line}") from error

    def _load(self) -> Any:
        import google.auth
        from google.oauth2 import service_account

        if self._key_file is None:
            return google.auth.default(scopes=_SCOPES)[0]
        read: Any = service_account.Credentials.from_service_account_file  # which has no types
        return read(self._key_file, scopes=_SCOPES)
