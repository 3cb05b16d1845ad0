"""A batch job of a process on this machine, which is killed again and again."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.campaign import oracle
from tests.campaign.record import read_record
from tests.campaign.round import WORKERS, Round
from tests.campaign.rows import make_rows, make_sums, question_of, write_rows

_PATIENCE_S = 30


def local_batch(round_: Round) -> None:
    """With the model in the package, or with a server that has no batches: then by its log."""
    rng, server = round_.rng, round_.server
    server.plan(latency_ms=60)
    is_remote = rng.random() < 0.5
    rows = make_rows(rng, rng.randrange(20, 90)) if is_remote else make_sums(rng, 30)
    round_.figures["rows"] += len(rows)
    write_rows(round_.source, rows)
    options = ["--generation.max_new_tokens", "6"]
    if is_remote:
        key = ["--remote_params.api_key_env_varname", "OPENAI_API_KEY"]
        options = [*round_.api("REMOTE_VLLM"), *key]
    submit = ["batch", "submit", *options, "--input_path", str(round_.source)]
    batch_id = round_.call(submit, 0).split()[-1]
    folder = round_.folder / "state" / "oumi" / "batches" / batch_id
    killed = sum(_kill_worker(round_, folder, batch_id) for _ in range(rng.randrange(4)))
    oracle.check(round_.call(submit, 0).split()[-1] == batch_id, "another job for the same")
    round_.call(["batch", "wait", batch_id, "-q", "--every", "0.1"], 0)
    results = ["batch", "results", batch_id, "--output_path", str(round_.output)]
    round_.call(results, 0)
    record = read_record(folder / "answers.jsonl.journal")
    oracle.check(set(record.keys.values()) == {1}, "rows were recorded twice")
    if is_remote:
        answers = {question: f"answer to {question}" for question in map(question_of, rows)}
        oracle.check_output(round_.output, rows, answers)
        again = sum(server.answered().values()) - len(rows)
        oracle.check(again <= killed * WORKERS, f"{again} answers were paid for twice")
    else:
        unbroken = round_.folder / "unbroken.jsonl"
        files = ["--input_path", str(round_.source), "--output_path", str(unbroken)]
        round_.call(["infer", "-q", *options, *files], 0)
        same = unbroken.read_bytes() == round_.output.read_bytes()
        oracle.check(same, "not the output of an unbroken run")


def _kill_worker(round_: Round, folder: Path, batch_id: str) -> bool:
    """SIGKILL or SIGTERM once it has recorded something, and have it go on. False where it was
    done already.
    """
    rng, journal = round_.rng, folder / "answers.jsonl.journal"
    before, requests = read_record(journal), round_.requests()
    more = len(before.lines) + rng.randrange(1, 20)
    _wait_until(lambda: len(read_record(journal).lines) >= more or _is_done(folder))
    worker = _worker(round_, folder)
    if worker is not None:
        os.kill(worker, rng.choice([signal.SIGKILL, signal.SIGTERM]))
        round_.figures["workers killed"] += 1
        _wait_until(lambda: not Path(f"/proc/{worker}/cwd").is_symlink() or _is_zombie(worker))
    round_.call(["batch", "status", batch_id], 0)
    oracle.check_kept(before, read_record(journal))
    oracle.check_not_asked(before, requests, round_.requests())
    return worker is not None


def _worker(round_: Round, folder: Path) -> int | None:
    """The process that works on the job, by its lock, if it still does."""
    try:
        pid: int = json.loads((folder / "lock").read_bytes())["pid"]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, LookupError):
        return None
    return pid if str(round_.folder).encode() in command else None


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def _is_done(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "state.json").read_bytes()).get("ended"))
    except (OSError, ValueError):
        return False


def _wait_until(holds: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + _PATIENCE_S
    while not holds() and time.monotonic() < ends_s:
        time.sleep(0.02)
