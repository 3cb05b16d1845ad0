"""Which engines take which kinds of media."""

from __future__ import annotations

from importlib import import_module

from oumi.backends.provider import Provider
from oumi.errors import UnsupportedError

_NAMES = {"image": "images", "audio": "audio", "pdf": "PDFs"}


def takes(provider: Provider, kind: str) -> bool:
    """Whether an API takes media of a kind: `image`, `audio` or `pdf`."""
    supports = {
        "image": provider.supports_images,
        "audio": provider.supports_audio,
        "pdf": provider.supports_pdf,
    }
    return supports[kind]


def unsupported(engine: str, kind: str) -> UnsupportedError:
    """The error for media of a kind that an engine does not take. It names those that do."""
    # By its name: the registry knows all engines, which themselves know nothing of each other.
    rows = import_module("oumi.backends.registry").engine_rows()
    able = [row.name for row in rows if row.provider is not None and takes(row.provider, kind)]
    return UnsupportedError(f"{engine} takes no {_NAMES[kind]}; engines that do: {', '.join(able)}")
