"""A run in a thread of its own, so that a test can take its server away meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation
from oumi.inference import RemoteInferenceEngine
from oumi.runner.events import Event, LimitsReported
from tests.conftest import ask
from tests.fault_server import FaultServer

LIMIT_S = 60.0


def make(server: FaultServer | str | list[str], **fields: Any) -> RemoteInferenceEngine:
    url = server.api_url if isinstance(server, FaultServer) else server
    quick = {"retry_backoff_base": 0.05, "retry_backoff_max": 0.2, "api_key": "k", "api_url": url}
    return RemoteInferenceEngine(
        ModelParams(model_name="m"), remote_params=RemoteParams(**{**quick, **fields})
    )


def rows(count: int) -> list[Conversation]:
    return [ask(f"row-{i}") for i in range(count)]


def expected(count: int) -> list[str]:
    return [f"answer to row-{i}" for i in range(count)]


class BackgroundRun:
    """`infer` in a thread, begun by `with`; its end is waited for by `result`."""

    def __init__(
        self,
        engine: RemoteInferenceEngine,
        conversations: list[Conversation] | None,
        config: InferenceConfig | None = None,
    ):
        self.events: list[Event] = []
        self._new_event = threading.Condition()
        self._outcome: Sequence[Conversation] | BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(engine, conversations, config), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            self._thread.join(LIMIT_S)

    @property
    def starts(self) -> int:
        """How many requests had been started when the limiter last reported."""
        return next(e.status.starts for e in self.events[::-1] if isinstance(e, LimitsReported))

    def wait_for(self, kind: type, count: int = 1) -> Any:
        """Wait until so many events of a kind came. Returns the last of them."""
        return (
            self.wait_until(lambda: sum(isinstance(e, kind) for e in self.events) >= count)
            and [event for event in self.events if isinstance(event, kind)][-1]
        )

    def wait_until(self, holds: Callable[[], bool]) -> bool:
        """Wait until something holds, looking again at each event."""
        with self._new_event:
            self._new_event.wait_for(lambda: holds() or self._outcome is not None, LIMIT_S)
            assert holds(), self._outcome
        return True

    def result(self) -> Sequence[Conversation]:
        """What the run returned. Raises what it raised."""
        self._thread.join(LIMIT_S)
        assert self._outcome is not None, "the run goes on"
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def _run(self, engine: RemoteInferenceEngine, *args: Any) -> None:
        try:
            self._outcome = engine.infer(*args, on_event=self._note)
        except Exception as error:
            self._outcome = error
        with self._new_event:
            self._new_event.notify_all()

    def _note(self, event: Event) -> None:
        with self._new_event:
            self.events.append(event)
            self._new_event.notify_all()
