"""The kinds of rounds: a run at an API, a run of the model in the package, a batch job."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.campaign import oracle
from tests.campaign.calls import KEY, Calls
from tests.campaign.damage import change_input, damage_journal
from tests.campaign.rows import Row, make_rows, question_of, write_rows
from tests.fault_server import FaultServer

WORKERS = 4
_FAULTS: list[dict[str, Any]] = [
    {"kind": "reset", "share": 0.1},
    {"kind": "cut", "share": 0.05},
    {"kind": "malformed", "share": 0.05},
    {"kind": "truncated_json", "share": 0.05},
    {"kind": "wrong_type", "share": 0.05},
    {"kind": "status", "code": 500, "share": 0.1, "body": {"error": {"message": f"key {KEY}"}}},
    {"kind": "status", "code": 503, "share": 0.1},
    {"kind": "status", "code": 429, "share": 0.1, "retry_after_s": 0.05, "retry_after": "ms"},
    {"kind": "slow", "share": 0.05, "seconds": 0.2},
    {"kind": "close_keepalive", "share": 0.1, "seconds": 0},
]


@dataclass
class Round:
    """What one round works with."""

    rng: random.Random
    folder: Path
    server: FaultServer
    calls: Calls

    @property
    def source(self) -> Path:
        """The input."""
        return self.folder / "in.jsonl"

    @property
    def output(self) -> Path:
        """The output."""
        return self.folder / "out.jsonl"

    def options(self, **more: object) -> list[str]:
        """Options for the API, and further ones."""
        settings: dict[str, object] = {
            "model.model_name": "gpt-4o-mini",
            "remote_params.api_url": self.server.api_url,
            "remote_params.num_workers": WORKERS,
            "remote_params.retry_backoff_base": 0.02,
            "input_path": self.source,
            "output_path": self.output,
            **more,
        }
        return [part for name, value in settings.items() for part in (f"--{name}", str(value))]


def remote_run(round_: Round) -> None:
    """A run at an API, again and again until it is done."""
    rng, server = round_.rng, round_.server
    faults = rng.sample(_FAULTS, rng.randrange(4))
    server.plan(latency_ms=25, seed=rng.randrange(99), faults=faults)
    rows = make_rows(rng, rng.randrange(30, 150))
    arguments = ["infer", "-q", "--engine", "OPENAI", *round_.options()]
    rows, lost = _break_runs(round_, rows, arguments)
    code, printed = round_.calls.run(rng, [*arguments, "--overwrite", "true"])
    oracle.check_call(code, printed, KEY)
    oracle.check(code == 0, f"the last call: exit code {code}: {printed[-2000:]}")
    oracle.check_output(round_.output, rows, {q: f"answer to {q}" for q in map(question_of, rows)})
    # An answer that cannot be read is paid for as well, and so is one whose connection broke.
    broken = sum(server.stats()["faults"].get(kind, 0) for kind in _ANSWERED_FAULTS)
    oracle.check_asked(server.answered(), lost + round_.calls.killed * WORKERS + broken)


_ANSWERED_FAULTS = ("cut", "malformed", "truncated_json", "slow", "close_keepalive", "wrong_type")


def local_run(round_: Round) -> None:
    """A run of the model in the package, beside one to which nothing happens."""
    rng = round_.rng
    rows = make_rows(rng, rng.randrange(5, 20))
    for row in rows:
        row.pop("tools", None)
        row["messages"] = row["messages"][-1:]
    arguments = ["infer", "-q", "--generation.max_new_tokens", "6"]
    arguments += ["--input_path", str(round_.source), "--output_path", str(round_.output)]
    rows, _ = _break_runs(round_, rows, arguments)
    for row in rows:
        row.pop("tools", None)
        row["messages"] = row["messages"][-1:]
    write_rows(round_.source, rows)
    code, printed = round_.calls.run(rng, [*arguments, "--overwrite", "true"])
    oracle.check_call(code, printed, KEY)
    oracle.check(code == 0, f"the last call: exit code {code}: {printed[-2000:]}")
    unbroken = round_.folder / "unbroken.jsonl"
    again = [str(unbroken) if part == str(round_.output) else part for part in arguments]
    round_.calls.run(rng, again)
    oracle.check(
        unbroken.read_bytes() == round_.output.read_bytes(), "not the output of an unbroken run"
    )


def batch_job(round_: Round) -> None:
    """A batch job at an API: submitted once, collected whole."""
    rng, server = round_.rng, round_.server
    server.plan(batch={"states": ["in_progress", "completed"]})
    rows = make_rows(rng, rng.randrange(5, 60))
    write_rows(round_.source, rows)
    options = ["--engine", "OPENAI", *round_.options()]
    submit = ["batch", "submit", *options]
    for _ in range(rng.randrange(4)):
        code, printed = round_.calls.run(rng, submit, ends_after_s=rng.uniform(0.1, 1.2))
        oracle.check_call(code, printed, KEY)
    code, printed = round_.calls.run(rng, submit)
    oracle.check_call(code, printed, KEY)
    oracle.check(code == 0, f"not submitted: {printed[-2000:]}")
    batch_id = printed.split()[-1]
    round_.calls.run(rng, ["batch", "wait", batch_id, "-q", "--poll_interval", "0.1"])
    collect = ["batch", "results", batch_id, "--output_path", str(round_.output)]
    for _ in range(rng.randrange(3)):
        code, printed = round_.calls.run(rng, collect, ends_after_s=rng.uniform(0.1, 0.8))
        oracle.check_call(code, printed, KEY)
    code, printed = round_.calls.run(rng, collect)
    oracle.check_call(code, printed, KEY)
    oracle.check(code == 0, f"not collected: exit code {code}: {printed[-2000:]}")
    oracle.check_output(round_.output, rows, {q: f"answer to {q}" for q in map(question_of, rows)})
    oracle.check(len(server.batches()["batches"]) == 1, "the job was started more than once")


KINDS = {"REMOTE": remote_run, "LLAMACPP": local_run, "BATCH": batch_job}


def _break_runs(round_: Round, rows: list[Row], arguments: list[str]) -> tuple[list[Row], int]:
    """Calls that are ended, on disks that fail, with inputs and journals that change. Returns the
    rows of the last input, and how many records were damaged.
    """
    rng, lost, current = round_.rng, 0, rows
    write_rows(round_.source, rows)
    journal = Path(f"{round_.output}.journal")
    for _ in range(rng.randrange(1, 5)):

        def change() -> None:
            nonlocal current
            if rng.random() < 0.3:
                current = change_input(rng, round_.source, current)

        code, printed = round_.calls.run(
            rng,
            arguments,
            ends_after_s=rng.uniform(0.3, 2.0),
            meanwhile=change,
            is_disk_faulty=rng.random() < 0.2,
        )
        oracle.check_call(code, printed, KEY)
        if rng.random() < 0.3:
            lost += damage_journal(rng, journal)
        if rng.random() < 0.2:
            round_.output.unlink(missing_ok=True)
    return current, lost
