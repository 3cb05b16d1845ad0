"""The forms in which the APIs speak, by the path of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tests.fault_server import bodies, converse, embeddings, messages, responses
from tests.fault_server.plan import Plan


class Bodies(Protocol):
    """What a module of bodies has."""

    STREAM_TYPE: str

    def completion(self, row: str, body: bytes, plan: Plan) -> bytes:
        """The good answer."""

    def events(self, row: str, body: bytes, plan: Plan) -> list[bytes]:
        """The events of a streamed answer, a word each."""

    def error(self, code: int, name: str | None = None) -> bytes:
        """What the API says with a status."""

    def error_event(self) -> bytes:
        """An error inside a stream."""

    def wrong_choices(self, variant: str, good: bytes) -> bytes:
        """JSON that is no answer."""


@dataclass(frozen=True, slots=True)
class Form:
    """The bodies of an API, and whether the path itself asks for a stream."""

    bodies: Bodies
    streams: bool = False


CHAT = Form(bodies)
EMBEDDINGS = Form(embeddings)
_FORMS = {
    b"/chat/completions": CHAT,
    b"/embeddings": EMBEDDINGS,
    b"/responses": Form(responses),
    b"/messages": Form(messages),
    b"/converse": Form(converse),
    b"/converse-stream": Form(converse, streams=True),
    b"/gateway/ask": CHAT,  # a gateway with an endpoint of its own, before a chat API
}


def find_form(method: bytes, path: bytes) -> Form | None:
    """The form of a request for an answer; None for any other request."""
    if method != b"POST":
        return None
    path = path.partition(b"?")[0]
    return next((form for end, form in _FORMS.items() if path.endswith(end)), None)
