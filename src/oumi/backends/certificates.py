"""Which certificates are trusted."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.errors import ConfigError

if TYPE_CHECKING:
    import wreq

_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_FOLDERS = "SSL_CERT_DIR"
_CERTIFICATE = re.compile(b"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


def trusted_certificates() -> wreq.CertStore | bool:
    """The user's certificates, or True for those of the HTTP stack.

    As OpenSSL has it, a bundle in SSL_CERT_FILE and folders in SSL_CERT_DIR go together
    (https://docs.openssl.org/master/man7/openssl-env/). REQUESTS_CA_BUNDLE, of another client, may
    be a bundle or a folder. Raises ConfigError, which names the variable and what is wrong with it.
    """
    places = _places()
    if not places:
        return True
    import wreq

    # Folders of a system hold each certificate several times: alone, under its hash, in a bundle.
    found = dict.fromkeys(block for place in places for block in _read(*place))
    try:
        return wreq.CertStore.from_pem_stack(b"\n".join(found))
    except wreq.TlsError as error:
        raise ConfigError(_damaged(places)) from error


def _places() -> list[tuple[str, str]]:
    """Pairs of a variable and a bundle or folder that it names."""
    files = [(name, path) for name in _VARIABLES if (path := os.environ.get(name))]
    folders = os.environ.get(_FOLDERS, "").split(os.pathsep)
    return files[:1] + [(_FOLDERS, folder) for folder in folders if folder]


def _read(name: str, place: str) -> list[bytes]:
    """The certificates in a bundle or a folder. Raises ConfigError where there are none."""
    try:
        texts = [file.read_bytes() for file in _files(name, Path(place))]
    except OSError as error:
        raise ConfigError(f"{name} names {place}, which cannot be read: {error}") from error
    found = [block for text in texts for block in _CERTIFICATE.findall(text)]
    if not found:
        raise ConfigError(f"{name} names {place}, which holds no certificate in the form PEM")
    return found


def _files(name: str, path: Path) -> list[Path]:
    if path.is_dir() and name != _VARIABLES[0]:
        with os.scandir(path) as entries:  # each file once, however many links lead to it
            files = {entry.stat().st_ino: entry.path for entry in entries if entry.is_file()}
        return list(map(Path, files.values()))
    if path.is_file() and name != _FOLDERS:
        return [path]
    kind = {_VARIABLES[0]: "file", _FOLDERS: "folder"}.get(name, "file and no folder")
    raise ConfigError(f"{name} names {path}, which is no {kind}")


def _damaged(places: list[tuple[str, str]]) -> str:
    """The words for the first certificate that cannot be read, and where it stands."""
    import wreq

    for name, place in places:
        for file in _files(name, Path(place)):
            try:
                wreq.CertStore.from_pem_stack(file.read_bytes())
            except wreq.TlsError:
                return f"{name} names {place}: a certificate in {file} is damaged"
    return f"{' and '.join(name for name, _ in places)}: a certificate is damaged"
