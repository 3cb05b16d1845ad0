"""What fuzzing begins from: a few good inputs of each target, and findings of before."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from oumi.core.types import Completion
from oumi.core.types.conversation import Message, Role
from oumi.runner.storage.journal import Journal
from tests.remote.mutations import SAMPLES, Sample, to_json
from tests.structured.hostile_answers import PAIRS

_ROOT = Path(__file__).parents[2]
_TOOL = {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}
_ROWS: list[dict[str, Any]] = [
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]},
    {
        "conversation_id": "c",
        "metadata": {"a": [1, 2.5, None, {"b": True}]},
        "messages": [{"role": "user", "content": [{"type": "text", "content": "q"}]}],
    },
    {
        "tools": [{"type": "function", "function": _TOOL}],
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c",
                        "type": "function",
                        "function": {"name": "add", "arguments": '{"a":1}'},
                    }
                ],
            },
            {"role": "tool", "content": "1", "tool_call_id": "c"},
        ],
    },
    {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    {"messages": [{"role": "user", "content": [{"type": "image_path", "content": "a.png"}]}]},
]
_SHAPED: list[dict[str, Any]] = [
    {"instruction": "q", "input": "i", "seed": 1},
    {"prompt": [{"role": "user", "content": "q"}], "temperature": 0.5, "image": "a.png"},
    {"custom_id": "a", "body": {"messages": _ROWS[0]["messages"], "max_tokens": 1, "stop": "x"}},
    _ROWS[3],
]
_TABLES = (
    b'prompt,system,seed\r\n"a ""b""\nc",s,1\r\nd,,\r\n',
    b'custom_id\tbody\n1\t{"messages":[{"role":"user","content":"q"}],"n":1}\n',
)
_SETTINGS = (
    b"model: {model_name: m, model_kwargs: {n_parallel: 2}}\nengine: OPENAI\n"
    b"remote_params:\n  api_url: http://localhost:1/v1\n  num_workers: 4\n",
    b"a: &a [1, .inf, .nan, 0x1f, 2026-11-27, ~]\nb: [*a, *a]\n<<: {c: !!binary aGk=}\n",
    b'generation:\n  guided_decoding: {json: {type: object}}\n  stop_strings: ["\\n"]\n',
)
_HEADERS = (
    b"2\n1500\n6m0s\n3\n100",
    b"Fri, 31 Dec 2027 23:59:59 GMT\n\n2027-01-01T00:00:00Z\n0\n1e3",
)
_ERRORS = (
    {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded", "param": None}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    {"detail": [{"loc": ["body", "a"], "msg": "field required"}]},
    {"data": [{"id": "m"}], "models": [{"name": "m"}]},
    {"message": "no", "modelSummaries": [{"modelId": "m"}]},
)
_BATCHES = (
    {"custom_id": "0-ab", "response": {"choices": []}, "error": None},
    {"custom_id": "1", "error": {"code": 429, "message": "slow down"}},
    {
        "name": "accounts/a/batchInferenceJobs/j",
        "state": "JOB_STATE_COMPLETED",
        "createTime": "2026-11-27T00:00:00Z",
        "jobProgress": {"totalInputRequests": 2, "successfullyProcessedRequests": "1"},
        "status": {"code": "OK", "message": ""},
    },
)


def _lines(values: list[dict[str, Any]]) -> bytes:
    return b"".join(to_json(value) + b"\n" for value in values)


def _journal() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        answer = Completion(message=Message(role=Role.ASSISTANT, content="4"))
        with Journal(path) as journal:
            journal.append_note("address", "http://localhost:1")
            for row in (0, 1, 0):
                journal.append(row, f"{row:032x}", answer, latency_s=0.1)
        return path.read_bytes()


def _old_journals() -> list[bytes]:
    paths = sorted((_ROOT / "tests" / "version_0_1" / "runs").rglob("*.journal"))
    return [b"".join(path.read_bytes().splitlines(keepends=True)[:4]) for path in paths]


def _states() -> list[bytes]:
    paths = sorted((_ROOT / "tests" / "version_0_1" / "jobs").rglob("state.json"))
    return [path.read_bytes() for path in paths]


def _replies(sample: Sample) -> list[bytes]:
    return [*map(to_json, sample.replies), b"".join(map(sample.write, sample.events))]


def _converse_lines(sample: Sample) -> bytes:
    kinds = ((str(event["kind"]).encode(), event) for event in sample.events)
    return b"\n".join(
        kind + b" " + to_json({name: value for name, value in event.items() if name != "kind"})
        for kind, event in kinds
    )


def _answers() -> list[bytes]:
    """Of the first schemas the answers that are made to be slow, shortened; then odd texts."""
    names = ("a tagged union", "an untagged union, one of", "patterns of names")
    values = [json.dumps(PAIRS[name][1])[:3000].encode() for name in names]
    texts = (b'<think>{</think>```json\n{"a": 10}\n```', b'["aaaaaaaab", 1]', b'**"Yes"**', b"a@b")
    return [bytes([number % 8]) + text for number, text in enumerate((*values, *texts * 2))]


SEEDS: dict[str, list[bytes]] = {
    "rows": [_lines(_ROWS), *map(to_json, _ROWS)],
    "tables": [*_TABLES, to_json(_ROWS), *(to_json([row]) for row in _SHAPED)],
    "settings": [*_SETTINGS, *(path.read_bytes() for path in (_ROOT / "examples").glob("*.yaml"))],
    "journal": [_journal(), *_old_journals()],
    "job_state": _states(),
    "chat": _replies(SAMPLES["chat"]),
    "responses": _replies(SAMPLES["responses"]),
    "anthropic": _replies(SAMPLES["anthropic"]),
    "bedrock": [*_replies(SAMPLES["bedrock"]), _converse_lines(SAMPLES["bedrock"])],
    "errors": [bytes([number]) + to_json(error) for number, error in enumerate(_ERRORS)],
    "headers": list(_HEADERS),
    "batches": list(map(to_json, _BATCHES)),
    "answer": _answers(),
}
