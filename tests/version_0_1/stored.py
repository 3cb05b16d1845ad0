"""Files that version 0.1 wrote: copied to where a test may change them, beside what 0.1 said."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from oumi.core.types import BatchInfo, Conversation, InferenceResult
from tests.fault_server import FaultServer

HERE = Path(__file__).parent
RUNS = HERE / "runs"
JOBS = HERE / "jobs"

API_URL = "http://api.example.test/v1"
"""Where version 0.1 found the fault server, which was its proxy: addresses are part of keys."""

_STATE_FOLDER = "STATE_FOLDER"
"""Stands in the files for the folder of all jobs."""
_SET_BY_THE_SERVER = ("started_at", "completed_at", "expires_at")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def copy_run(name: str, folder: Path) -> Path:
    """A folder with the input, the settings and all that a run of version 0.1 left."""
    return Path(shutil.copytree(RUNS / name, folder / name))


def copy_job(name: str) -> Path:
    """The folder of a job, where jobs of this user are looked for."""
    [stored] = (JOBS / name / "state").iterdir()
    root = user_state_path("oumi") / "batches"
    folder = Path(shutil.copytree(stored, root / stored.name))
    state = folder / "state.json"
    state.write_text(state.read_text().replace(_STATE_FOLDER, str(root)))
    return folder


def submitted(name: str) -> list[Conversation]:
    """The conversations of a job."""
    [path] = (JOBS / name / "state").glob("*/input.jsonl")
    return [Conversation.from_json(line) for line in path.read_text().splitlines()]


def replay(name: str, server: FaultServer, *, without_last: bool = False) -> None:
    """Send the server what version 0.1 sent it for a job, and count anew after that."""
    lines = [json.loads(line) for line in (JOBS / name / "server.jsonl").read_text().splitlines()]
    for line in lines[:-1] if without_last else lines:
        if "plan" in line:
            server.plan(**line["plan"])
        elif "move" in line:
            server.move_batch(**line["move"])
        else:
            _send(server.url, **line)
    server.reset()


def check(name: str, what: str, value: Any) -> None:
    """Fail unless a job is reported as version 0.1 reported it: its `list`, `status` or `results`.

    There may be more fields today, and the words of the status are in lower case.
    """
    old = json.loads((JOBS / name / "answers.json").read_text())[what]
    if "status" in old:
        old["status"] = old["status"].lower()
    now = json.loads(json.dumps(value))
    different = {
        key: (now[key], old[key])
        for key in old.keys() - {*_SET_BY_THE_SERVER}
        if now[key] != old[key]
    }
    assert not different


def info_dict(info: BatchInfo) -> dict[str, Any]:
    """A job without the times that the server sets anew with each look."""
    return {k: v for k, v in info.to_dict().items() if k not in _SET_BY_THE_SERVER}


def result_dict(result: InferenceResult) -> dict[str, Any]:
    """Answers and failures by row."""
    return {
        "answers": {str(row): conversation.to_dict() for row, conversation in result.successful},
        "failures": {
            str(row): old_failure(failure.to_dict()) for row, failure in result.failures.items()
        },
    }


def old_failure(failure: dict[str, Any]) -> dict[str, Any]:
    """A failure as version 0.1 wrote it, whose `error_type` was the class of the error."""
    return {name: v for name, v in failure.items() if name != "error_class"} | {
        "error_type": failure["error_class"]
    }


def _send(url: str, method: str, path: str, content_type: str = "", body: str = "") -> None:
    data = body.encode() if method == "POST" else None
    headers = {"content-type": content_type} if content_type else {}
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        _OPENER.open(request, timeout=60).close()
    except urllib.error.HTTPError as error:  # version 0.1 was refused as well
        error.close()
