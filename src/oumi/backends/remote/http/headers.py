"""The headers of a reply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import wreq


class Headers(Mapping[str, str]):
    """The headers of a reply. Each is decoded when it is asked for: of most replies none is."""

    __slots__ = ("_headers",)

    def __init__(self, headers: wreq.header.HeaderMap):
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        value = self._headers.get(name)
        if value is None:
            raise KeyError(name)
        return str(value, "latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header, or the default."""
        value = self._headers.get(name)
        return default if value is None else str(value, "latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._headers

    def __iter__(self) -> Iterator[str]:
        return (str(name, "ascii") for name, _ in self._headers)

    def __len__(self) -> int:
        return self._headers.keys_len()
