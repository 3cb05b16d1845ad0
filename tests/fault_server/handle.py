"""The server as an object in a test or a benchmark."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
_OPENER = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
)


class FaultServer:
    """A server process of its own, alive inside `with`. See plan.py for the plan's fields."""

    def __init__(self, *, certificate: Path | None = None, **plan: Any):
        """With a PEM file of key and chain, the API is served over TLS."""
        self._certificate = certificate
        self._first_plan = plan
        self.url = ""

    def __enter__(self) -> Self:
        self._start(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()

    def go_away(self) -> None:
        """End the process in the midst of whatever it does: nothing listens there any more."""
        self._process.kill()
        self._process.communicate()

    def come_back(self, **plan: Any) -> None:
        """Start again at the same address, with another plan."""
        self._first_plan = plan
        self._start(int(self.url.rpartition(":")[2]))

    def _start(self, port: int) -> None:
        command = [sys.executable, "-m", "tests.fault_server", "--with-parent", "--port", str(port)]
        if self._certificate is not None:
            command += ["--certificate", str(self._certificate)]
        self._process = subprocess.Popen(
            [*command, "--plan", json.dumps(self._first_plan)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the fault server did not start")

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def api_url(self) -> str:
        """The base of the API, ending in /v1."""
        return f"{self.url}/v1"

    def plan(self, **plan: Any) -> None:
        """Work by this plan from now on, and count anew. Raises ValueError for a wrong one."""
        self._post("/_plan", plan)

    def reset(self) -> None:
        """Count anew."""
        self._post("/_reset", {})

    def hold_after(self, requests: int) -> None:
        """Let answers to requests beyond so many wait for `release`, or the next plan."""
        self._post("/_hold", {"after": requests})

    def release(self) -> None:
        """Answer what has waited, and all that comes."""
        self._post("/_hold", {"after": None})

    def stats(self, *, starts: bool = False) -> dict[str, Any]:
        """The counts; see stats.py."""
        return self._ask("/_stats?starts" if starts else "/_stats", None)

    def batches(self) -> dict[str, Any]:
        """What was seen of files and batches; see batches.py."""
        return self._ask("/_batch", None)

    def move_batch(self, **change: Any) -> None:
        """Move a batch by its `id` to a `state`, or change the `plan` of all; see batches.py."""
        self._post("/_batch", change)

    def answered(self) -> dict[str, int]:
        """How many good answers each row has had, rows without any included."""
        return {row: ok for row, (_, ok) in self.stats()["rows"].items()}

    def wait_until(
        self, holds: Callable[[dict[str, Any]], bool], timeout_s: float = 30
    ) -> dict[str, Any]:
        """The counts as soon as they are as wanted. Raises TimeoutError."""
        end_s = time.monotonic() + timeout_s
        while not holds(stats := self.stats()):
            if time.monotonic() > end_s:
                short = {k: v for k, v in stats.items() if k not in ("rows", "last")}
                raise TimeoutError(f"the server's counts stay at {short}")
            time.sleep(0.01)
        return stats

    def _post(self, path: str, value: dict[str, Any]) -> None:
        self._ask(path, json.dumps(value).encode())

    def _ask(self, path: str, body: bytes | None) -> dict[str, Any]:
        try:
            with _OPENER.open(self.url + path, body, timeout=60) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None
