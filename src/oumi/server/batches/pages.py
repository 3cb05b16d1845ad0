"""Lists that are read page by page.

https://platform.openai.com/docs/api-reference/batch/list
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from oumi.server.batches.folder import Facts
from oumi.server.http.errors import wrong_field
from oumi.server.http.exchange import Exchange

FactsT = TypeVar("FactsT", bound=Facts)

_USUAL, _MOST = 20, 100


@dataclass(frozen=True, slots=True)
class Page(Generic[FactsT]):
    """Some of the things of a list."""

    items: Sequence[FactsT]
    has_more: bool

    def to_dict(self, shown: list[dict[str, Any]]) -> dict[str, Any]:
        """As the API shows it, with its things as they are shown."""
        first, last = (self.items[0].id, self.items[-1].id) if self.items else ("", "")
        ends = {"first_id": first, "last_id": last, "has_more": self.has_more}
        return {"object": "list", "data": shown, **ends}


def page_of(items: Sequence[FactsT], exchange: Exchange) -> Page[FactsT]:
    """The page that a request's `after` and `limit` name. Raises HttpError."""
    query = dict(parse_qsl(str(exchange.scope["query_string"], "latin-1")))
    text = query.get("limit", str(_USUAL))
    if not (text.isdecimal() and 1 <= int(text) <= _MOST):
        raise wrong_field("limit", f"expected a number from 1 to {_MOST}")
    start = 0
    if after := query.get("after"):
        ids = [item.id for item in items]
        if after not in ids:
            raise wrong_field("after", f"there is no {after[:100]!r} in the list")
        start = ids.index(after) + 1
    end = start + int(text)
    return Page(items[start:end], has_more=end < len(items))
