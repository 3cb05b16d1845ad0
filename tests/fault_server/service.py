"""Routes: chat requests by the plan, and the control side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from tests.fault_server import answers, bodies, converse, embeddings
from tests.fault_server.answers import Answer, Request
from tests.fault_server.batches import Batches
from tests.fault_server.bedrock_batches import BedrockBatches
from tests.fault_server.buckets import Buckets
from tests.fault_server.fireworks_batches import FireworksBatches
from tests.fault_server.forms import CHAT, EMBEDDINGS, Form, find_form
from tests.fault_server.gemini_batches import GeminiBatches
from tests.fault_server.limit import gate
from tests.fault_server.message_batches import MessageBatches
from tests.fault_server.plan import Plan, parse_plan
from tests.fault_server.stats import Stats
from tests.fault_server.vertex_batches import VertexBatches

_PAID = frozenset({"200", "cut", "stream_cut", "truncated_json", "hang"})
"""The model has answered, whatever of it arrives."""

Headers = list[tuple[bytes, bytes]]


class Service:
    """Owns plan and counts; one for all connections."""

    def __init__(self, plan: Plan):
        self.open_connections = 0
        self._hold_after: int | None = None
        self._held: list[Callable[[], None]] = []
        self.set_plan(plan)

    def set_plan(self, plan: Plan) -> None:
        """Work by another plan, and count anew."""
        self.plan = plan
        self._release()
        self.batches = Batches(plan)
        self.message_batches = MessageBatches(plan)
        buckets = Buckets(plan)
        self.others = (
            FireworksBatches(plan),
            GeminiBatches(plan),
            BedrockBatches(plan, buckets),
            VertexBatches(plan, buckets),
            buckets,
        )
        self.reset()

    @property
    def _kinds(self) -> tuple[Any, ...]:
        return self.batches, self.message_batches, *self.others

    def reset(self) -> None:
        """Count anew."""
        self.stats = Stats()
        self._limit = gate(self.plan.limit) if self.plan.limit else None

    def control(self, method: bytes, path: bytes, body: bytes) -> Answer | None:
        """The answer of the control side; None for any other path."""
        route = _CONTROL.get((method, path.partition(b"?")[0]))
        return route(self, path, body) if route else None

    def chat(self, method: bytes, path: bytes, headers: Headers, body: bytes) -> tuple[str, Answer]:
        """The row of a request, and its answer."""
        form = find_form(method, path)
        row = self._row(body) if form else f"{method.decode()} {path.decode()}"
        self.stats.see(method, path, headers, body)
        number = self.stats.start(row) - self.stats.limited[row]
        if self._limit is not None and not self._limit.take():
            self.stats.limited[row] += 1
            return row, answers.plain(
                429, (form or CHAT).bodies.error(429), self._limit.refusal_headers()
            )
        fault = self.plan.fault(row, number)
        if fault is not None:
            self.stats.faults[fault.name] += 1
        elif not form:
            return row, self._of_batches(method, path, headers, body) or self._other(path)
        elif form is EMBEDDINGS and self._refuses(body):
            return row, answers.plain(400, form.bodies.error(400))
        request = self._request(form or CHAT, row, headers, body)
        answer = answers.make(request, fault)
        if answer.label in _PAID:
            self.stats.count_tokens(*bodies.tokens(body, self.plan))
            if form is EMBEDDINGS:
                self.stats.embedded.update(embeddings.texts(body))
        return row, answer

    def hold(self, begin: Callable[[], None]) -> bool:
        """Whether this answer has to wait; `begin` is called once the server is released."""
        if self._hold_after is None or self.stats.requests.total() <= self._hold_after:
            return False
        self._held.append(begin)
        return True

    def _release(self) -> None:
        self._hold_after = None
        held, self._held = self._held, []
        for begin in held:
            begin()

    def _refuses(self, body: bytes) -> bool:
        refused = self.plan.refused_text
        return refused is not None and any(refused in text for text in embeddings.texts(body))

    def _row(self, body: bytes) -> str:
        name = bodies.row_name(body)
        return f"{name} seed {bodies.seed(body)}" if self.plan.rows_by_seed else name

    def _request(self, form: Form, row: str, headers: Headers, body: bytes) -> Request:
        extra = self.plan.headers | (self._limit.headers() if self._limit else {})
        gzip = self.plan.gzip and any(
            name.lower() == b"accept-encoding" and b"gzip" in value for name, value in headers
        )
        return Request(row, body, self.plan, extra, gzip, form)

    def _of_batches(
        self, method: bytes, path: bytes, headers: Headers, body: bytes
    ) -> Answer | None:
        host = next((str(v, "ascii") for k, v in headers if k.lower() == b"host"), "")
        found = (kind.answer(method, path, headers, body) for kind in (*self.others, self.batches))
        of_messages = self.message_batches.answer(method, path, host, body)
        return of_messages or next((answer for answer in found if answer is not None), None)

    def _other(self, path: bytes) -> Answer:
        if path.partition(b"?")[0].endswith(b"/models"):
            return answers.plain(200, bodies.models(self.plan.models))
        if path.partition(b"?")[0] == b"/foundation-models":
            return answers.plain(200, converse.models(self.plan.models))
        if path.partition(b"?")[0] == b"/token":
            asked = sum(n for row, n in self.stats.requests.items() if " /token" in row)
            return answers.plain(200, bodies.token(asked, self.plan))
        text = f"Invalid URL ({path.decode()})"
        value = {"error": {"message": text, "type": "invalid_request_error", "code": None}}
        return answers.plain(404, orjson.dumps(value))

    def _stats(self, path: bytes, body: bytes) -> Answer:
        value = self.stats.to_dict(starts=b"starts" in path)
        value["open_connections"] = self.open_connections
        return answers.plain(200, orjson.dumps(value))

    def _batches(self, path: bytes, body: bytes) -> Answer:
        told: dict[str, Any] = {}
        for kind in self._kinds:
            told |= kind.told()
        return answers.plain(200, orjson.dumps(told))

    def _batch(self, path: bytes, body: bytes) -> Answer:
        value = orjson.loads(body)
        if "plan" in value:
            how = replace(self.plan.batch, **value["plan"])
            self.plan = replace(self.plan, batch=how)
            for kind in self._kinds:
                kind.plan = self.plan
        if "id" in value:
            next(kind for kind in self._kinds if value["id"] in kind.batches).move(value)
        return answers.plain(200, b"{}")

    def _hold(self, path: bytes, body: bytes) -> Answer:
        self._release()
        self._hold_after = orjson.loads(body)["after"]
        return answers.plain(200, b"{}")

    def _reset(self, path: bytes, body: bytes) -> Answer:
        self.reset()
        return answers.plain(200, b"{}")

    def _plan(self, path: bytes, body: bytes) -> Answer:
        try:
            self.set_plan(parse_plan(orjson.loads(body)))
        except (TypeError, ValueError) as error:
            return answers.plain(400, orjson.dumps({"error": str(error)}))
        return answers.plain(200, b"{}")


_CONTROL: dict[tuple[bytes, bytes], Callable[[Service, bytes, bytes], Answer]] = {
    (b"GET", b"/_stats"): Service._stats,
    (b"POST", b"/_hold"): Service._hold,
    (b"POST", b"/_reset"): Service._reset,
    (b"POST", b"/_plan"): Service._plan,
    (b"GET", b"/_batch"): Service._batches,
    (b"POST", b"/_batch"): Service._batch,
}
