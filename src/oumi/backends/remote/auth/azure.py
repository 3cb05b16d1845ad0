"""Tokens of Microsoft Entra ID.

https://learn.microsoft.com/azure/ai-services/openai/how-to/managed-identity
"""

from __future__ import annotations

import time
from typing import Any

from oumi.backends.remote.auth.tokens import TokenAuth
from oumi.errors import AccessError, UnavailableError

_SCOPE = "https://cognitiveservices.azure.com/.default"
_RENEW_BEFORE_S = 300
_HINT = "Set AZURE_OPENAI_API_KEY, or sign in with `az login`"


class AzureAuth(TokenAuth):
    """By azure-identity, which finds the credentials: of the environment, of the machine, or of
    `az login`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._credentials: Any = None
        self._held: Any = None

    @property
    def _token(self) -> str:
        return str(self._held.token)

    def _is_fresh(self) -> bool:
        return self._held is not None and time.time() < self._held.expires_on - _RENEW_BEFORE_S

    def _renew(self) -> None:
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import DefaultAzureCredential

        try:
            self._credentials = self._credentials or DefaultAzureCredential()
            self._held = self._credentials.get_token(_SCOPE)
        except (ClientAuthenticationError, ValueError) as error:
            first_line = str(error).partition("\n")[0]
            raise AccessError(f"{first_line} {_HINT}") from error
        except AzureError as error:
            raise UnavailableError(f"Azure's tokens cannot be reached: {error}") from error
