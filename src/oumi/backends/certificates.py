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
_BEGINNINGS = (b"-----BEGIN CERTIFICATE-----", b"-----BEGIN TRUSTED CERTIFICATE-----")


def trusted_certificates() -> wreq.CertStore | bool:
    """The user's certificates, or True for those of the HTTP stack.

    As OpenSSL has it, a bundle in SSL_CERT_FILE and folders in SSL_CERT_DIR go together
    (https://docs.openssl.org/master/man7/openssl-env/). REQUESTS_CA_BUNDLE, of another client, may
    be a bundle or a folder. Raises ConfigError, which names the variable and what is wrong with it.
    """
    sources = [f"{name}: {path}" for name, path in _places()]
    if not sources:
        return True
    import wreq

    found = [_read(name, Path(path)) for name, path in _places()]
    try:
        return wreq.CertStore.from_pem_stack(b"\n".join(found))
    except wreq.TlsError as error:
        raise ConfigError(f"{' and '.join(sources)}: a certificate is damaged") from error


def _places() -> list[tuple[str, str]]:
    """Pairs of a variable and a bundle or folder that it names."""
    files = [(name, path) for name in _VARIABLES if (path := os.environ.get(name))]
    folders = os.environ.get(_FOLDERS, "").split(os.pathsep)
    return files[:1] + [(_FOLDERS, folder) for folder in folders if folder]


def _read(name: str, path: Path) -> bytes:
    """The certificates in a bundle or a folder. Raises ConfigError where there are none."""
    try:
        if path.is_dir() and name != _VARIABLES[0]:
            texts = [file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()]
        elif path.is_file() and name != _FOLDERS:
            texts = [path.read_bytes()]
        else:
            kind = {_VARIABLES[0]: "file", _FOLDERS: "folder"}.get(name, "file and no folder")
            raise ConfigError(f"{name} names {path}, which is no {kind}")
    except OSError as error:
        raise ConfigError(f"{name} names {path}, which cannot be read: {error.strerror}") from error
    texts = [text for text in texts if any(beginning in text for beginning in _BEGINNINGS)]
    if not texts:
        raise ConfigError(f"{name} names {path}, which holds no certificate in the form PEM")
    return b"\n".join(texts)
