"""Which certificates are trusted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.errors import ConfigError

if TYPE_CHECKING:
    import wreq

_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_FOLDERS = "SSL_CERT_DIR"
_BEGINNING = b"-----BEGIN CERTIFICATE-----"


def trusted_certificates() -> wreq.CertStore | bool:
    """The user's certificates, or True for those of the HTTP stack.

    As OpenSSL has it, a bundle in SSL_CERT_FILE and folders in SSL_CERT_DIR go together
    (https://docs.openssl.org/master/man7/openssl-env/). REQUESTS_CA_BUNDLE, of another client, may
    be a bundle or a folder. Raises ConfigError, which names the variable and what is wrong with it.
    """
    texts = [text for place in _places() for text in _read(*place)]
    if not texts:
        return True
    import wreq

    return wreq.CertStore.from_pem_stack(b"\n".join(texts))


def _places() -> list[tuple[str, str]]:
    """Pairs of a variable and a bundle or folder that it names."""
    files = [(name, path) for name in _VARIABLES if (path := os.environ.get(name))]
    folders = os.environ.get(_FOLDERS, "").split(os.pathsep)
    return files[:1] + [(_FOLDERS, folder) for folder in folders if folder]


def _read(name: str, place: str) -> list[bytes]:
    """The certificates in a bundle or a folder. Raises ConfigError where there are none."""
    path = Path(place)
    if path.is_dir() and name != _VARIABLES[0]:
        files = [file for file in sorted(path.iterdir()) if file.is_file()]
    elif path.is_file() and name != _FOLDERS:
        files = [path]
    else:
        kind = {_VARIABLES[0]: "file", _FOLDERS: "folder"}.get(name, "file and no folder")
        raise ConfigError(f"{name} names {path}, which is no {kind}")
    try:
        texts = {file: file.read_bytes() for file in files}
    except OSError as error:
        raise ConfigError(f"{name} names {path}, which cannot be read: {error}") from error
    found = {file: text for file, text in texts.items() if _BEGINNING in text}
    if not found:
        raise ConfigError(f"{name} names {path}, which holds no certificate in the form PEM")
    for file, text in found.items():
        _check(text, f"{name} names {path}: the certificate in {file} is damaged")
    return list(found.values())


def _check(text: bytes, message: str) -> None:
    import wreq

    try:
        wreq.CertStore.from_pem_stack(text)
    except wreq.TlsError as error:
        raise ConfigError(message) from error
