"""A server that sends a key back, in all that a reply has: the key is neither kept nor shown."""

from __future__ import annotations

import base64
import html
import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.http.key_mask import KeyMask, find_mask
from oumi.cli.overrides import mask_keys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Delta
from oumi.errors import OumiError
from oumi.inference import (
    AnthropicInferenceEngine,
    BedrockInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
)
from oumi.runner import loop
from tests.conftest import ask
from tests.fault_server import FaultServer

KEY = "sk-Se/cret+Key=0123456789<&>"
PASSWORD = "hunter2-and-more"
CALL = {"id": KEY, "type": "function", "function": {"name": "f", "arguments": json.dumps(KEY)}}

Make = Callable[..., RemoteInferenceEngine]


@pytest.fixture
def make(server: FaultServer) -> Iterator[Make]:
    engines: list[RemoteInferenceEngine] = []

    def make(**remote: Any) -> RemoteInferenceEngine:
        usual = {"api_url": server.api_url, "api_key": KEY, "max_retries": 0}
        params = RemoteParams(**{**usual, **remote})
        engines.append(RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=params))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def as_codes(text: str) -> str:
    """As JSON may write any character."""
    return "".join(f"\\u{ord(letter):04X}" for letter in text)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS = {
    "plain": KEY,
    "json": json.dumps(KEY),
    "slashes": KEY.replace("/", "\\/"),
    "some codes": KEY.replace("<", "\\u003c").replace("&", "\\u0026").replace("=", "\\u003D"),
    "all codes": as_codes(KEY),
    "url": quote(KEY, safe=""),
    "html": html.escape(KEY),
    "base64": in_base64(KEY),
    "base64 within": in_base64(f"user:{KEY}, and more"),
    "base64 of a header": in_base64(f"Bearer {KEY}"),
    "base64 for urls": base64.urlsafe_b64encode(f"a{KEY}b".encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_the_key_is_found_however_it_is_spelt(spelling: str):
    mask = find_mask({"authorization": f"Bearer {KEY}", "accept": "application/json"}, "http://h")
    masked = mask.mask(b"before " + spelling.encode() + b" after")
    assert masked.startswith(b"before ")
    assert masked.endswith(b" after")
    assert b"***" in masked
    assert len(masked) < 40 or b"cret" not in base64.b64decode(masked[7:-6] + b"===")


@pytest.mark.parametrize(
    ("headers", "url", "secret"),
    [
        ({"x-api-key": KEY}, "http://h/v1", KEY),
        ({"api-key": KEY}, "http://h/v1", KEY),
        ({"x-goog-api-key": KEY}, "http://h/v1", KEY),
        ({"x-amz-security-token": KEY}, "http://h/v1", KEY),
        ({"Authorization": "Basic " + in_base64(f"bob:{PASSWORD}")}, "http://h/v1", PASSWORD),
        ({}, f"http://bob:{PASSWORD}@h/v1", PASSWORD),
        ({}, f"http://{PASSWORD}@h/v1", PASSWORD),
        ({}, f"http://bob:{quote(KEY, safe='')}@h/v1", KEY),
        ({}, f"http://h/v1?key={quote(KEY, safe='')}&x=1", KEY),
        ({}, "http://bob:hunter2@h/v1", "hunter2"),
    ],
)
def test_where_keys_are(headers: dict[str, str], url: str, secret: str):
    assert find_mask(headers, url).mask_text(f"it is {secret}.") == "it is ***."


@pytest.mark.parametrize("word", ["EMPTY", "x", "123456", "lm-studio", "not-needed", "secret", ""])
def test_words_in_place_of_a_key_are_left_in_answers(word: str):
    mask = find_mask({"authorization": f"Bearer {word}"}, "http://h/v1")
    assert not mask
    body = f"the word {word} is".encode()
    assert mask.mask(body) is body


def test_a_body_without_a_key_is_not_copied():
    body = b'{"content":"caf\\u00e9 \\u003c"}'
    assert find_mask({"authorization": f"Bearer {KEY}"}, "http://h").mask(body) is not None
    assert KeyMask(frozenset({KEY})).mask(b'{"content":"hi"}') == b'{"content":"hi"}'
    plain = b'{"content":"hi"}'
    assert KeyMask(frozenset({KEY})).mask(plain) is plain


def test_a_key_of_digits_leaves_json_whole():
    masked = KeyMask(frozenset({"1790000000"})).mask(b'{"created":1790000000}')
    assert json.loads(masked) == {"created": 9999999999}


def test_answers(make: Make, server: FaultServer, tmp_path: Path):
    server.plan(
        message={"content": f"it is {KEY}", "reasoning_content": KEY, "tool_calls": [CALL]},
        scripts={"row-1": [{"kind": "status", "code": 400, "body": {"error": {"message": KEY}}}]},
    )
    output = tmp_path / "out.jsonl"
    result = make().infer_partial(
        [ask(f"row-{i}") for i in range(2)], InferenceConfig(output_path=str(output))
    )
    assert result.conversations[0].messages[-1].content == "it is ***"
    assert result.failures[1].error_message == "REMOTE answered 400: ***"
    assert KEY.encode() not in pickle.dumps(result.conversations[0])
    files = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {"out.jsonl", "out.jsonl.journal", "out.jsonl.failures.jsonl"} <= files.keys()
    assert not [name for name, text in files.items() if KEY in text or json.dumps(KEY) in text]


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("stream", [True, False])
def test_errors(make: Make, server: FaultServer, code: int, stream: bool):
    text = f"boom Bearer {KEY} and \\u0073{KEY[1:]}"
    headers = {"location": f"http://127.0.0.1:9/{KEY}"}
    fault = {"kind": "status", "code": code, "body": text, "headers": headers, "times": None}
    server.plan(faults=[fault])
    with pytest.raises(OumiError) as caught:
        list(make().stream(ask("row-1"))) if stream else make().infer([ask("row-1")])
    assert "boom Bearer *** and ***" in str(caught.value)
    shown = repr(caught.value) + str(vars(caught.value)) + repr(pickle.dumps(caught.value.args))
    assert KEY not in shown


@pytest.mark.parametrize(
    "body", [f"not JSON {KEY}", json.dumps([KEY]), json.dumps({"choices": [{"message": KEY}]})]
)
def test_replies_that_are_none(make: Make, server: FaultServer, body: str):
    server.plan(faults=[{"kind": "status", "code": 200, "body": body, "times": None}])
    result = make().infer_partial([ask("row-1")])
    assert "***" in str(result.failures)
    assert KEY not in str(result.failures)


def chunk(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def streamed(make: Make, server: FaultServer, events: list[Any], piece: int = 0) -> list[Delta]:
    server.plan(events=events, piece_bytes=piece)
    return list(make().stream(ask("row-1")))


@pytest.mark.parametrize("piece", [0, 7, 1000])
@pytest.mark.parametrize("size", [1, 5, 100])
def test_streams(make: Make, server: FaultServer, size: int, piece: int):
    text = f"It is {KEY}, s and sk-Se/ is not: sk-{KEY}s"
    expected = "It is ***, s and sk-Se/ is not: sk-***s"
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    events = [chunk(reasoning_content=part) for part in parts]
    events += [chunk(content=part) for part in parts]
    deltas = streamed(make, server, [*events, END], piece)
    assert "".join(delta.content for delta in deltas) == expected
    assert "".join(delta.reasoning_content for delta in deltas) == expected
    assert deltas[-1].completion is not None
    message = deltas[-1].completion.message
    assert (message.content, message.reasoning_content) == (expected, expected)


@pytest.mark.parametrize("kind", [AnthropicInferenceEngine, BedrockInferenceEngine])
def test_other_dialects(server: FaultServer, kind: type):
    """Bedrock's events have checksums, so that their bytes cannot be masked."""
    server.plan(message={"content": f"it is {KEY}"}, piece_bytes=9)
    params = RemoteParams(api_url=server.url, api_key=KEY)
    with kind(ModelParams(model_name="m"), remote_params=params) as engine:
        assert engine.infer([ask("row-1")])[0].messages[-1].content == "it is ***"
        deltas = list(engine.stream(ask("row-1")))
    assert "".join(delta.content for delta in deltas) == "it is ***"
    assert deltas[-1].completion.message.content == "it is ***"


def test_calls_in_streams(make: Make, server: FaultServer):
    halves = [KEY[:9], KEY[9:]]
    calls = [{"index": 0, "id": KEY, "function": {"name": "f", "arguments": '{"a": "'}}]
    calls += [{"index": 0, "function": {"arguments": half}} for half in halves]
    calls += [{"index": 0, "function": {"arguments": '"}'}}]
    deltas = streamed(make, server, [*(chunk(tool_calls=[call]) for call in calls), END])
    assert deltas[-1].completion is not None
    assert KEY not in json.dumps(deltas[-1].completion.to_dict())
    [call] = deltas[-1].completion.message.tool_calls or ()
    assert call.function.get_arguments_dict() == {"a": "***"}


@pytest.mark.parametrize("event", [{"error": {"message": KEY, "code": 500}}, {"error": KEY}])
def test_errors_in_streams(make: Make, server: FaultServer, event: Any):
    with pytest.raises(OumiError) as caught:
        streamed(make, server, [chunk(content="a"), event])
    assert KEY not in str(caught.value) + str(vars(caught.value)) + str(caught.value.__cause__)


def test_a_stream_is_not_held_up_by_its_mask(make: Make, server: FaultServer):
    words = ["This ", "is ", "the ", "answer "]
    deltas = streamed(make, server, [*(chunk(content=word) for word in words), END])
    assert [delta.content for delta in deltas] == [*words, ""]


def test_models_and_files(make: Make, server: FaultServer):
    server.plan(models=[f"model-{KEY}"])
    engine = make()
    assert engine.list_models() == ["model-***"]

    async def lines() -> list[bytes]:
        return [line async for line in ApiClient(engine.session()).lines("/models")]

    [line] = loop.call(lines())
    assert b"model-***" in line
    assert KEY.encode() not in line


def test_jobs(server: FaultServer, caplog: pytest.LogCaptureFixture):
    server.plan(
        message={"content": f"it is {KEY}"}, batch={"states": ["completed"], "rows": {"row-1": 400}}
    )
    url = server.api_url.replace("://", f"://bob:{PASSWORD}@")
    params = RemoteParams(api_url=url, api_key=KEY)
    with (
        caplog.at_level(logging.DEBUG),
        OpenAIInferenceEngine(ModelParams(model_name="gpt-4"), remote_params=params) as engine,
    ):
        job = engine.infer_batch([ask("row-0"), ask("row-1")])
        assert engine.wait_for_batch(job, poll_interval_s=0.005).is_terminal
        result = engine.get_batch_results_partial(job)
    assert result.conversations[0].messages[-1].content == "it is ***"
    kept = [path for path in Path.home().rglob("*") if path.is_file()]
    assert any(path.name.endswith("journal") for path in kept)
    for secret in (KEY, json.dumps(KEY)[1:-1], PASSWORD):
        assert not [path for path in kept if secret.encode() in path.read_bytes()]
        assert secret not in caplog.text


def test_a_password_in_an_address(make: Make, server: FaultServer, tmp_path: Path):
    server.plan()
    url = server.api_url.replace("://", f"://bob:{PASSWORD}@")
    engine = make(api_url=url, api_key=None)
    config = InferenceConfig(output_path=str(tmp_path / "a.jsonl"), remote_params={"api_url": url})
    engine.infer([ask("row-1")], config)
    assert server.stats()["authorizations"] == ["Basic " + in_base64(f"bob:{PASSWORD}")]
    session = engine.session()
    config.to_yaml(tmp_path / "a.yaml")
    shown = [repr(config), str(config), repr(session), repr(session.address), str(session.identity)]
    shown += [path.read_text() for path in tmp_path.iterdir()]
    assert not [text for text in shown if PASSWORD in text]
    host = server.api_url.partition("://")[2]
    assert f"http://***@{host}" in repr(config)
    assert f"api_url: http://{host}" in (tmp_path / "a.yaml").read_text()


def test_a_key_in_the_query_of_an_address(
    make: Make, server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    secret = "query-secret-1234"
    server.plan(faults=[{"kind": "status", "code": 500, "body": secret, "times": 1}])
    url = f"{server.api_url}?key={secret}"
    config = InferenceConfig(output_path=str(tmp_path / "a.jsonl"), remote_params={"api_url": url})
    engine = make(api_url=url, max_retries=1, retry_backoff_base=0.01)
    engine.infer([ask("row-1")], config)
    assert {one["path"].partition("?")[2] for one in server.stats()["last"]} == {f"key={secret}"}
    config.to_yaml(tmp_path / "a.yaml")
    session = engine.session()
    shown = [repr(config), repr(session), repr(session.address), str(session.identity), caplog.text]
    shown += [path.read_text() for path in tmp_path.iterdir()]
    assert not [text for text in shown if secret in text]


def test_another_password_asks_for_no_row_again(make: Make, server: FaultServer, tmp_path: Path):
    server.plan()
    for password in ("one-password", "another-password"):
        url = server.api_url.replace("://", f"://bob:{password}@")
        config = InferenceConfig(output_path=str(tmp_path / "a.jsonl"))
        make(api_url=url).infer([ask("row-1")], config)
    assert server.stats()["requests"] == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://h/v1?key={KEY}#x",
        f"http://bob:{PASSWORD}@h/v1?key={KEY}#x",
        f"http://h/v1?{PASSWORD}#x",
        f"ftp://bob:{PASSWORD}@h/v1",
        f"bob:{PASSWORD}@h/v1#x",
    ],
)
def test_wrong_addresses(make: Make, url: str):
    with pytest.raises(OumiError) as caught:
        make(api_url=url)
    assert PASSWORD not in str(caught.value)
    assert KEY not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"api_key": [KEY]},
        {"apikey": KEY},
        {"api_url": [f"http://bob:{PASSWORD}@h", 5]},
        {"api_key": KEY, "num_workers": "many"},
    ],
)
def test_wrong_settings(fields: dict[str, Any], tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"remote_params": fields}))
    for make in (
        lambda: RemoteParams(**fields),
        lambda: InferenceConfig(remote_params=fields),
        lambda: InferenceConfig.from_yaml(path),
    ):
        with pytest.raises(ValueError, match=r"api_?key|api_url|num_workers") as caught:
            make()
        assert KEY not in str(caught.value)
        assert PASSWORD not in str(caught.value)


def test_the_command_line_shows_neither_key_nor_password(server: FaultServer, tmp_path: Path):
    refused = {"kind": "status", "code": 401, "body": f"{KEY} {PASSWORD}", "times": None}
    server.plan(faults=[refused])
    (tmp_path / "in.jsonl").write_text(ask("row-1").to_json())
    url = server.api_url.replace("://", f"://bob:{PASSWORD}@")
    options = {"engine": "REMOTE", "model.model_name": "m", "input_path": "in.jsonl"}
    options |= {"remote_params.api_url": url, "remote_params.api_key": KEY}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    done = subprocess.run(
        [sys.executable, "-m", "oumi", "infer", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "answered 401: *** ***" in done.stderr
    assert KEY not in done.stderr
    assert PASSWORD not in done.stderr


def test_the_command_that_continues_a_run():
    url = f"http://bob:{PASSWORD}@h/v1"
    words = ["infer", "--remote_params.api_url", url, f"--remote-params.api-url=['{url}', h2]"]
    words += ["--remote_params.api_key", KEY, "--input_path", "bob@h.jsonl"]
    masked = ["infer", "--remote_params.api_url", "http://***@h/v1"]
    masked += ["--remote-params.api-url=['http://***@h/v1', h2]"]
    masked += ["--remote_params.api_key", "***", "--input_path", "bob@h.jsonl"]
    assert mask_keys(words) == masked
