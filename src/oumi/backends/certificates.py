"""Which certificates are trusted."""

from __future__ import annotations

import os
from pathlib import Path

from oumi.errors import ConfigError

_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def trusted_certificates() -> Path | bool:
    """The user's bundle, or True for the one of the HTTP stack. Raises ConfigError."""
    for name in _VARIABLES:
        if value := os.environ.get(name):
            if not Path(value).is_file():
                raise ConfigError(f"{name} names {value}, which is no file")
            return Path(value)
    return True
