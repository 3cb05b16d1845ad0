"""What one round works with."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.campaign import oracle
from tests.campaign.calls import KEY, Calls, Ended
from tests.campaign.record import Record, read_record
from tests.fault_server import FaultServer

WORKERS = 4


@dataclass
class Round:
    """A folder, a server, a source of chance, and the figures of the campaign."""

    rng: random.Random
    folder: Path
    server: FaultServer
    calls: Calls
    figures: Counter[str]

    @property
    def source(self) -> Path:
        """The input."""
        return self.folder / "in.jsonl"

    @property
    def output(self) -> Path:
        """The output."""
        return self.folder / "out.jsonl"

    @property
    def journal(self) -> Path:
        """The journal of the output."""
        return self.folder / "out.jsonl.journal"

    @property
    def record(self) -> Record:
        """What the journal holds now."""
        return read_record(self.journal)

    @property
    def files(self) -> list[str]:
        """Options for input and output."""
        return ["--input_path", str(self.source), "--output_path", str(self.output)]

    def api(self, engine: str = "OPENAI") -> list[str]:
        """Options for an engine that asks the server."""
        settings = {
            "engine": engine,
            "model.model_name": "gpt-4o-mini",
            "remote_params.api_url": self.server.api_url,
            "remote_params.num_workers": WORKERS,
            "remote_params.retry_backoff_base": 0.02,
            "remote_params.connection_timeout": 5,
        }
        return [part for name, value in settings.items() for part in (f"--{name}", str(value))]

    def requests(self) -> Counter[str]:
        """How often the server was asked for each row."""
        rows = self.server.stats()["rows"].items()
        return Counter({row: requests for row, (requests, _) in rows})

    def ends(self, ended: Ended, *codes: int) -> str:
        """What a call printed. It has to end with one of these codes, or well enough at all."""
        oracle.check_call(ended, KEY)
        if codes:
            said = ended.printed[-2000:]
            oracle.check(ended.code in codes, f"exit code {ended.code}, not {codes}: {said}")
        return ended.printed

    def call(self, arguments: list[str], *codes: int) -> str:
        """A call to which nothing happens."""
        return self.ends(self.calls.run(arguments), *codes)
