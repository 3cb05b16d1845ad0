"""Tokens of Microsoft Entra ID.

https://learn.microsoft.com/azure/ai-services/openai/how-to/managed-identity
"""

from __future__ import annotations

import time
from typing import Any

from oumi.backends.remote.auth.tokens import TokenAuth
from oumi.backends.remote.http.transport_errors import TransportError
from oumi.errors import AccessError

_SCOPE = "https://cognitiveservices.azure.com/.default"
# Long enough for a request that waits for a free place and is then retried.
_RENEW_BEFORE_S = 300
_HINT = "Set AZURE_OPENAI_API_KEY, or sign in with `az login`"


class AzureAuth(TokenAuth):
    """Finds credentials with azure-identity: of the environment, the machine, or `az login`."""

    def __init__(self) -> None:
        super().__init__()
        self._credentials: Any = None
        self._current: Any = None

    @property
    def _token(self) -> str:
        return str(self._current.token)

    def _is_fresh(self) -> bool:
        return (
            self._current is not None and time.time() < self._current.expires_on - _RENEW_BEFORE_S
        )

    def _forget(self) -> None:
        self._credentials = self._current = None

    def _renew(self) -> None:
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import DefaultAzureCredential

        try:
            self._credentials = self._credentials or DefaultAzureCredential()
            self._current = self._credentials.get_token(_SCOPE)
        except (ClientAuthenticationError, ValueError) as error:
            first_line = str(error).partition("\n")[0]
            raise AccessError(f"{first_line} {_HINT}") from error
        except AzureError as error:
            raise TransportError(f"Azure's tokens cannot be reached: {error}") from error
