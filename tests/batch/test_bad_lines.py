"""Lines of a batch's output that are not as they should be: each is its row's own affair."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oumi.batch.api.providers.base import BatchRequest
from oumi.batch.api.providers.result_lines import read_request
from oumi.core.types import InferenceResult
from oumi.inference import (
    AnthropicInferenceEngine,
    FireworksInferenceEngine,
    InferenceEngine,
    MistralInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
    TogetherInferenceEngine,
)
from tests.batch.api import finish, folders, kinds, make, rows
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

APIS = {
    "OPENAI": (OpenAIInferenceEngine, "openai", "/v1"),
    "REMOTE": (RemoteInferenceEngine, "openai", "/v1"),
    "TOGETHER": (TogetherInferenceEngine, "together", "/v1"),
    "MISTRAL": (MistralInferenceEngine, "mistral", "/v1"),
    "ANTHROPIC": (AnthropicInferenceEngine, "openai", ""),
    "FIREWORKS": (FireworksInferenceEngine, "openai", "/inference/v1"),
}

# What is put in place of a pattern in a line, and the answer that comes of it.
STILL_ANSWERS = {
    "half a surrogate pair": ("answer to", r"\\ud83d answer to", "\ufffd answer to"),
    "NaN": (r"^\{", r'{"took":NaN,', "answer to"),
    "infinity": (r"\}$", r',"took":[-Infinity,1e999]}', "answer to"),
    "a byte order mark": ("^", "\xef\xbb\xbf", "answer to"),
    "raw control characters": ("answer to", "\x01\tanswer to", "\x01\tanswer to"),
    "a byte that is not UTF-8": ("answer to", "\xe9 answer to", "\ufffd answer to"),
    "a line that is there twice": ("^(.*)$", r"\1\n\1", "answer to"),
    "a torn one before it": ("^(.{90})(.*)$", r"\1\n\1\2", "answer to"),
    "spaces around": ("^(.*)$", r" \t\1 \r", "answer to"),
    "a large number": (r"\}$", ',"n":' + "9" * 40 + "}", "answer to"),
}
# Lines whose row fails, and keeps the line or the body of the reply.
KEPT = {
    "torn": ("^(.*answer to).*$", r"\1"),
    "all but the last character": (r"\}$", ""),
    "more after it": (r"\}$", "}} x"),
    "a list in place of the reply": ('"(response|result)":.*$', r'"\1":["answer to"]}'),
    "a text in place of the reply": ('"(response|result)":.*$', r'"\1":"answer to"}'),
    "a number in place of the answer": ('"(choices|content)":.*$', r'"\1":7}}} answer to'),
}
# Lines that name no row.
LOST = {
    "no custom_id": (r'"custom_id":"[^"]*",', ""),
    "custom_id of nobody": (r'"custom_id":"[^"]*"', '"custom_id":"zzz"'),
    "custom_id is a number": (r'"custom_id":"[^"]*"', '"custom_id":7'),
    "custom_id is null": (r'"custom_id":"[^"]*"', '"custom_id":null'),
    "custom_id of another key": (r"-[0-9a-f]{31}", "-" + "0" * 31),
    "custom_id of no row": (r'"custom_id":"r\d+', '"custom_id":"r' + "9" * 18),
    "custom_id is torn": (r'"custom_id":"r\d+-.*$', r'"custom_id":"r1-0 answer to'),
    "a list": ("^.*$", '["answer to"]'),
    "null": ("^.*$", "null"),
    "HTML": ("^.*$", "<html>answer to</html>"),
}


def at(server: FaultServer, api: str) -> InferenceEngine:
    kind, _, base = APIS[api]
    return make(server, kind, api_url=server.url + base, max_retries=1)


def plan(server: FaultServer, api: str, edits: dict[int, tuple[str, str]], **batch: object) -> None:
    numbered = {str(row): edit for row, edit in edits.items()}
    server.plan(batch={"form": APIS[api][1], "line_edits": numbered, **batch})


def unclaimed() -> list[bytes]:
    return [
        line
        for folder in folders()
        for path in folder.glob("*.unclaimed.jsonl")
        for line in path.read_bytes().splitlines()
    ]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID", raising=False)


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> str:
    return request.param


def test_all_kinds_of_lines_in_one_output(server: FaultServer, api: str):
    edits = [edit[:2] for edit in (*STILL_ANSWERS.values(), *KEPT.values(), *LOST.values())]
    count = len(edits) + 3
    plan(server, api, dict(enumerate(edits)))
    with at(server, api) as engine:
        batch_id = engine.infer_batch(rows(count))
        assert finish(engine, batch_id) == "completed"
        result = engine.get_batch_results_partial(batch_id)
        found = dict(result.successful)
        for row, (name, (_, _, text)) in enumerate(STILL_ANSWERS.items()):
            expected = text.replace("answer to", f"answer to row-{row}")
            assert found[row].messages[-1].content == expected, name
        for row in range(count - 3, count):
            assert found[row].messages[-1].content == f"answer to row-{row}"
        assert len(found) == len(STILL_ANSWERS) + 3
        for row, name in enumerate(KEPT, start=len(STILL_ANSWERS)):
            failure = result.failures[row]
            assert "answer to" in failure.reply or '"choices":7' in failure.reply, name
            assert failure.error_class == "UnreadableAnswerError" or not failure.status_code, name
        for row, name in enumerate(LOST, start=len(STILL_ANSWERS) + len(KEPT)):
            assert result.failures[row].error_class == "BatchMissing", name
        assert len(unclaimed()) == len(LOST)
        info = engine.get_batch_status(batch_id)
        assert (info.completed_requests, info.failed_requests) == (len(found), len(KEPT))
        again = engine.get_batch_results_partial(batch_id, rows(count))
        assert (again.rows, kinds(again)) == (list(result.rows), kinds(result))
        server.move_batch(plan={"line_edits": {}})
        again = engine.resubmit_batch(batch_id)
        finish(engine, again)
        assert engine.get_batch_results_partial(again).rows == range(count)
    asked = server.batches()["rows"]
    assert {row for row, times in asked.items() if times == 1} == {f"row-{row}" for row in found}


def test_a_thousand_rows_of_which_ten_have_bad_lines(server: FaultServer, openai):
    edits = [
        *(("^(.*answer to).*$", r"\1"), (r"\}$", ""), (r"\}$", "}}"), ('"', "'")),
        *(('"response":.*$', '"response":[]}'), ('"response":.*$', '"response":"x"}')),
        *(('"body":.*$', '"body":{}}}'), ('"body":.*$', '"body":{"a":1}}}')),
        *(('"choices":', '"choises":'), ('"response":{', '"response":{"a":1},"b":{')),
    ]
    bad = [97 * n for n in range(10)]
    plan(server, "OPENAI", dict(zip(bad, edits, strict=True)))
    batch_id = openai.infer_batch(rows(1000))
    finish(openai, batch_id)
    result = openai.get_batch_results_partial(batch_id)
    good = [row for row in range(1000) if row not in bad]
    assert result.rows == good
    assert answers(result.conversations) == [f"answer to row-{row}" for row in good]
    assert list(result.failures) == bad
    assert all(failure.reply for failure in result.failures.values())
    server.move_batch(plan={"line_edits": {}})
    again = openai.resubmit_batch(batch_id)
    finish(openai, again)
    assert openai.get_batch_results_partial(again).rows == range(1000)
    asked = server.batches()["rows"]
    assert {row for row, times in asked.items() if times == 2} == {f"row-{row}" for row in bad}


@pytest.mark.parametrize("edit", [("200", '"200"'), ("200", "200.0"), ("200", "null")])
def test_a_status_code_in_another_form(server: FaultServer, openai, edit: tuple[str, str]):
    pattern, put = (f'"status_code":{text}' for text in edit)
    plan(server, "OPENAI", {1: (pattern, put)})
    batch_id = openai.infer_batch(rows(3))
    finish(openai, batch_id)
    assert openai.get_batch_results_partial(batch_id).rows == range(3)


@pytest.mark.parametrize(
    ("put", "says"),
    [
        ('"error":{"code":null,"message":null}', None),
        ('"error":{}', None),
        ('"error":{"message":"no room"}', "no room"),
        ('"error":"no room"', "no room"),
        ('"error":["no room"]', "no room"),
    ],
)
def test_an_error_beside_an_answer(server: FaultServer, openai, put: str, says: str | None):
    plan(server, "OPENAI", {1: ('"error":null', put)})
    batch_id = openai.infer_batch(rows(3))
    finish(openai, batch_id)
    result = openai.get_batch_results_partial(batch_id)
    if says is None:
        assert result.rows == range(3)
        return
    assert (result.rows, list(result.failures)) == ([0, 2], [1])
    assert says in result.failures[1].error_message
    assert "answer to row-1" in result.failures[1].reply


@pytest.mark.parametrize("error", [None, {}, "x", ["x"], 7, {"message": ["x"]}, {"code": 7}])
def test_rows_that_ended_without_an_answer(server: FaultServer, openai, error: object):
    edit = (
        '"response":null,"error":.*$',
        f'"response":{{"status_code":0}},"error":{_json(error)}}}',
    )
    plan(server, "OPENAI", {0: edit}, rows={"row-0": {"code": "x"}}, facts=_all_completed(3))
    batch_id = openai.infer_batch(rows(3))
    finish(openai, batch_id)
    result = openai.get_batch_results_partial(batch_id)
    assert (result.rows, kinds(result)) == ([1, 2], {0: "UnavailableError"})
    downloads = server.batches()["counts"]["GET files/content"]
    assert downloads == 2, "one of answers, one of errors"
    assert openai.get_batch_results_partial(batch_id).rows == [1, 2]
    assert server.batches()["counts"]["GET files/content"] == downloads
    openai.resubmit_batch(batch_id)
    assert server.batches()["rows"] == {"row-0": 2, "row-1": 1, "row-2": 1}


def _json(value: object) -> str:
    return json.dumps(value)


def _all_completed(count: int) -> dict[str, object]:
    return {"request_counts": {"total": count, "completed": count, "failed": 0}}


def test_a_torn_end_is_downloaded_again_and_then_believed(server: FaultServer, api: str, caplog):
    last = 2 if api == "FIREWORKS" else 0
    edits = dict.fromkeys({0, last}, ("^(.*answer to).*$", r"\1"))
    plan(server, api, edits, no_last_newline=True)
    with at(server, api) as engine:
        batch_id = engine.infer_batch(rows(3))
        finish(engine, batch_id)
        result = engine.get_batch_results_partial(batch_id)
        assert "its output is torn; asking again" in caplog.text
        assert set(kinds(result).values()) == {"UnreadableAnswerError"}
        assert sorted(result.rows) == [row for row in range(3) if row not in edits]
        server.move_batch(plan={"line_edits": {}})
        finish(engine, again := engine.resubmit_batch(batch_id))
        assert engine.get_batch_results_partial(again).rows == range(3)


def test_files_that_are_gone_long_after_the_end(server: FaultServer, openai, caplog):
    ended = {"completed_at": 1_700_000_000}
    server.plan(batch={"content_lag": 1000, "facts": ended})
    batch_id = openai.infer_batch(rows(2))
    finish(openai, batch_id)
    result = openai.get_batch_results_partial(batch_id)
    assert kinds(result) == dict.fromkeys(range(2), "BatchMissing")
    assert "is gone" in caplog.text
    server.move_batch(plan={"content_lag": 0, "facts": {}})
    finish(openai, again := openai.resubmit_batch(batch_id))
    assert openai.get_batch_results_partial(again).rows == range(2)


@pytest.mark.parametrize(
    "line", [b"[]", b"7", b"null", b"torn", b'{"body":[]}', b'{"custom_id":[]}']
)
def test_a_request_that_cannot_be_read_is_one_without_a_body(line: bytes):
    assert read_request(line) == BatchRequest("", {})


def test_a_torn_request_keeps_its_id():
    assert read_request(b'{"custom_id": "task\\/1", "bo') == BatchRequest("task/1", {})


_BITES = st.binary(max_size=6) | st.sampled_from(
    [b"\n", b'"', b"\\", b"{", b"}", b"NaN", b"null", b"7", b"\xff", b"\\ud800", b"\x00", b"]"]
)
_JOBS = itertools.count()
_EDITS = st.dictionaries(
    st.integers(0, 5), st.tuples(st.integers(0, 400), st.integers(0, 60), _BITES), max_size=4
)


@pytest.fixture
def mutated(server: FaultServer, api: str) -> Iterator[InferenceEngine]:
    with at(server, api) as engine:
        yield engine


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=_EDITS)
def test_no_mutation_of_a_line_costs_another_row(
    server: FaultServer, api: str, mutated: InferenceEngine, edits: dict
):
    plan(server, api, {row: _cut(*edit) for row, edit in edits.items()})
    job = next(_JOBS)  # else the same edits would find the job of before
    conversations = [ask(f"row-{row} of job {job}") for row in range(6)]
    batch_id = mutated.infer_batch(conversations)
    finish(mutated, batch_id)
    result: InferenceResult = mutated.get_batch_results_partial(batch_id, conversations)
    assert {row for row in range(6) if row not in edits} <= set(result.rows)
    assert len(result.rows) + len(result.failures) == 6


def _cut(start: int, length: int, put: bytes) -> tuple[str, str]:
    """Some bytes of a line out, and others in."""
    text = put.decode("latin-1").replace("\\", "\\\\")
    return (f"^(.{{0,{start}}}).{{0,{length}}}", r"\g<1>" + text)
