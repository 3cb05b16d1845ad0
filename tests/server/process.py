"""`oumi serve` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Self

import anthropic
import httpx
import openai

_ROOT = Path(__file__).parents[2]


class Serve:
    """A running server, alive inside `with`. `url` is where it is; the official clients of it are
    `openai` and `anthropic`, with a `key`.
    """

    def __init__(
        self,
        *arguments: str | Path,
        folder: Path | None = None,
        key: str = "any",
        **variables: str,
    ):
        self._key = key
        self._arguments = list(map(str, arguments))
        self._folder = folder
        self._variables = variables
        self.url = ""
        self.first_lines: list[str] = []

    def __enter__(self) -> Self:
        path = os.pathsep.join(map(str, (_ROOT / "src", _ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oumi", "serve", "--port", "0", *self._arguments],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": path, **self._variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.first_lines.append(line)
            if line.startswith("ready: "):
                self.url = line.split()[1]
                break
        else:
            self._process.communicate()
            raise RuntimeError("".join(self.first_lines))
        self.rest_of_ready = [self._process.stderr.readline() for _ in range(3)]
        self.client = httpx.Client(base_url=self.url, timeout=60, verify=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        for name in {"openai", "anthropic"} & vars(self).keys():
            getattr(self, name).close()
        self._process.kill()
        self._process.communicate()

    # The official clients, without retries of their own. It takes a while to make one.

    @cached_property
    def openai(self) -> openai.OpenAI:
        """That of OpenAI."""
        return openai.OpenAI(base_url=self.api_url, api_key=self._key, max_retries=0)

    @cached_property
    def anthropic(self) -> anthropic.Anthropic:
        """That of Anthropic."""
        return anthropic.Anthropic(base_url=self.url, api_key=self._key, max_retries=0)

    @property
    def api_url(self) -> str:
        """The base of the API, ending in /v1."""
        return f"{self.url}/v1"

    def kill(self) -> None:
        """End it in the midst of whatever it does."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> tuple[int, str]:
        """The exit code, and what it has written since it was ready."""
        _, rest = self._process.communicate(timeout=60)
        return self._process.returncode, rest

    def metric(self, name: str) -> float:
        """A value in `/metrics`, by its name with labels."""
        reply = self.client.get("/metrics", headers={"x-api-key": self._key}).raise_for_status()
        lines = (line.rpartition(" ") for line in reply.text.splitlines())
        return next((float(value) for shown, _, value in lines if shown == name), 0.0)
