"""What stands in for a key: a proof that is made for each call. A file for each kind of proof."""

from __future__ import annotations

import importlib.util
from typing import Protocol

from oumi.errors import MissingDependencyError
from oumi.inference.remote.providers import Proof, Provider
from oumi.inference.remote.signing.aws import AwsSigner
from oumi.inference.remote.signing.azure import AzureSigner
from oumi.inference.remote.signing.google import GoogleSigner
from oumi.inference.remote.transport import Call

__all__ = ["Signer", "open_signer"]

# The module that reads credentials, and the extra of this package that brings it.
_READERS = {
    Proof.GOOGLE: ("google.auth", "google"),
    Proof.AZURE: ("azure.identity", "azure"),
    Proof.AWS: ("botocore", "bedrock"),
}


class Signer(Protocol):
    """Makes the proof. One for each engine, used from one event loop."""

    async def sign(self, call: Call) -> Call:
        """The call with its proof among the headers. Raises AccessError where there are no
        credentials or they are refused, UnavailableError where they cannot be renewed just now.
        """
        ...


def open_signer(provider: Provider, key_file: str | None = None) -> Signer | None:
    """What signs calls of this provider, if anything does. Google's takes the credentials of a
    file, if one is named. Raises MissingDependencyError.
    """
    if provider.proof is None:
        return None
    _require(*_READERS[provider.proof], provider)
    match provider.proof:
        case Proof.GOOGLE:
            return GoogleSigner(key_file)
        case Proof.AZURE:
            return AzureSigner()
        case Proof.AWS:
            return AwsSigner()


def _require(module: str, extra: str, provider: Provider) -> None:
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of the package above it
        found = None
    if found is None:
        keys = f"set {' or '.join(provider.key_env)}, or use" if provider.key_env else "it uses"
        raise MissingDependencyError(
            f"{provider.engine}: no key; {keys} {provider.proof} credentials, which needs: "
            f"pip install 'oumi-infer[{extra}]'"
        )
