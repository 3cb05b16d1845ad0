"""Files and batches by OpenAI's official client, also when the server is killed in between."""

from __future__ import annotations

import json

import openai
import pytest

from tests.fault_server import FaultServer
from tests.server.batch_calls import ended, line, lines_of, prompt_line, submit
from tests.server.process import Serve

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
KEY = "sk-of-the-server-0123456789"


def test_a_batch_from_its_file_to_its_answers(
    batch_config: list[str], server: FaultServer, tmp_path
):
    server.plan(scripts={"row-2": [{"kind": "status", "code": 400, "times": None}]})
    content = line("a", "row-1", max_tokens=7) + b"\n" + line("b", "row-2") + line("c", "row-3")
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content, metadata={"for": "me"})
        serve.openai.files.delete(batch.input_file_id)
        batch = ended(serve, batch)
        assert (batch.status, batch.metadata) == ("completed", {"for": "me"})
        assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
        answers = lines_of(serve, batch.output_file_id)
        assert {name: r["body"]["choices"][0]["message"]["content"] for name, r in answers.items()
                } == {"a": "answer to row-1", "c": "answer to row-3"}  # fmt: skip
        assert answers["a"]["body"]["usage"]["total_tokens"] > 0
        errors = lines_of(serve, batch.error_file_id)
        assert (list(errors), errors["b"]["status_code"]) == (["b"], 400)
        assert "maximum context length" in errors["b"]["body"]["error"]["message"]
        assert [one.id for one in serve.openai.batches.list(limit=1)] == [batch.id]
        assert {one.purpose for one in serve.openai.files.list()} == {"batch_output"}
    asked = [json.loads(seen["body"]) for seen in server.stats()["last"] if seen["body"]]
    assert 7 in [body.get("max_tokens") for body in asked]


def test_a_killed_server_pays_for_no_row_twice(
    batch_config: list[str], server: FaultServer, tmp_path
):
    server.plan(latency_ms=30)
    content = b"".join(line(f"id-{n}", f"row-{n}") for n in range(40))
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content)
        server.wait_until(lambda stats: stats["requests"] > 4)
        serve.kill()
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = ended(serve, serve.openai.batches.retrieve(batch.id))
        answers = lines_of(serve, batch.output_file_id)
    assert list(answers) == [f"id-{n}" for n in range(40)]
    assert set(server.answered().values()) == {1}


def test_a_batch_of_prompts_as_they_are(batch_config: list[str], server: FaultServer, tmp_path):
    server.plan(scripts={"row-3": [{"kind": "status", "code": 400, "times": None}]})
    content = prompt_line("a", "row-1", max_tokens=7, logprobs=1)
    content += prompt_line("b", "row-2:", echo=True) + prompt_line("c", ["row-3"])
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = ended(serve, submit(serve, content, "/v1/completions"))
        assert (batch.endpoint, batch.status) == ("/v1/completions", "completed")
        assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
        answers = lines_of(serve, batch.output_file_id)
        errors = lines_of(serve, batch.error_file_id)
    choices = {name: reply["body"]["choices"][0] for name, reply in answers.items()}
    assert {name: choice["text"] for name, choice in choices.items()} == {
        "a": " answer to row-1", "b": "row-2: answer to row-2",
    }  # fmt: skip
    assert answers["a"]["body"]["object"] == "text_completion"
    assert choices["a"]["logprobs"]["tokens"]
    assert choices["b"]["logprobs"] is None
    assert list(errors) == ["c"]
    seen = [one for one in server.stats()["last"] if one["body"]]
    assert {one["path"] for one in seen} == {"/v1/completions"}
    asked = {body["prompt"]: body for body in (json.loads(one["body"]) for one in seen)}
    assert asked["row-1"]["max_tokens"] == 7


def test_a_killed_server_pays_for_no_prompt_twice(
    batch_config: list[str], server: FaultServer, tmp_path
):
    server.plan(latency_ms=30)
    content = b"".join(prompt_line(f"id-{n}", f"row-{n}") for n in range(40))
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content, "/v1/completions")
        server.wait_until(lambda stats: stats["requests"] > 4)
        serve.kill()
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = ended(serve, serve.openai.batches.retrieve(batch.id))
        answers = lines_of(serve, batch.output_file_id)
    assert [(name, reply["body"]["choices"][0]["text"]) for name, reply in answers.items()] == [
        (f"id-{n}", f" answer to row-{n}") for n in range(40)
    ]
    assert set(server.answered().values()) == {1}


def test_a_cancelled_batch_of_prompts_keeps_its_answers(
    batch_config: list[str], server: FaultServer, tmp_path
):
    server.plan(latency_ms=100)
    content = b"".join(prompt_line(f"id-{n}", f"row-{n}") for n in range(200))
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content, "/v1/completions")
        server.wait_until(lambda stats: stats["requests"] > 2)
        batch = serve.openai.batches.cancel(batch.id)
        assert batch.status == "cancelled"
        answers = lines_of(serve, batch.output_file_id)
        errors = lines_of(serve, batch.error_file_id)
    assert 0 < len(answers) < 200
    assert len(answers) + len(errors) == 200


def test_the_model_in_the_package_goes_on_from_the_prompts_of_a_batch(tmp_path):
    prompt = "The capital of France"
    content = prompt_line("a", prompt, model="oumi-tiny", max_tokens=12)
    with Serve(HOME=str(tmp_path)) as serve:
        batch = ended(serve, submit(serve, content, "/v1/completions"))
        [answer] = lines_of(serve, batch.output_file_id).values()
        alone = serve.openai.completions.create(model="oumi-tiny", prompt=prompt, max_tokens=12)
    assert answer["body"]["choices"][0]["text"] == alone.choices[0].text != ""
    assert answer["body"]["usage"]["prompt_tokens"] == alone.usage.prompt_tokens


def test_an_api_whose_batches_take_no_prompts(relay: Serve, server: FaultServer):
    content = prompt_line("a", "row-1", model="small")
    with pytest.raises(openai.BadRequestError, match="takes no prompts without a chat") as caught:
        submit(relay, content, "/v1/completions")
    assert caught.value.param == "prompt"
    assert server.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (line("a", "x"), "line 1: url: expected the method POST and the url /v1/completions"),
        (prompt_line("a", ["x", "y"]), "line 1: prompt: each line of a batch has one prompt"),
        (prompt_line("a", "x") + prompt_line("b", [1, 2]), "line 2: prompt: token ids"),
        (prompt_line("a", "x", n=2), "line 1: n: each line"),
    ],
)
def test_a_wrong_line_of_prompts_is_named(
    batches: Serve, server: FaultServer, content: bytes, said: str
):
    with pytest.raises(openai.BadRequestError) as caught:
        submit(batches, content, "/v1/completions")
    assert said in caught.value.message
    assert server.stats()["requests"] == 0


def test_an_endpoint_without_batches(batches: Serve):
    with pytest.raises(openai.BadRequestError, match="endpoint") as caught:
        submit(batches, line("a", "x"), "/v1/responses")
    assert "/v1/completions" in caught.value.message


def test_a_cancelled_batch_keeps_its_answers(
    batch_config: list[str], server: FaultServer, tmp_path
):
    server.plan(latency_ms=100)
    content = b"".join(line(f"id-{n}", f"row-{n}") for n in range(200))
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content)
        server.wait_until(lambda stats: stats["requests"] > 2)
        batch = serve.openai.batches.cancel(batch.id)
        assert batch.status == "cancelled"
        answers = lines_of(serve, batch.output_file_id)
        errors = lines_of(serve, batch.error_file_id)
    assert 0 < len(answers) < 200
    assert len(answers) + len(errors) == 200


def test_the_model_in_the_package_works_a_batch_off(home: str, tmp_path):
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    content = line("a", "Hi", model="oumi-tiny", max_tokens=30, response_format=form)
    with Serve(HOME=str(tmp_path)) as serve:
        batch = ended(serve, submit(serve, content))
        [answer] = lines_of(serve, batch.output_file_id).values()
    assert isinstance(json.loads(answer["body"]["choices"][0]["message"]["content"])["a"], int)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no lines"),
        (line("a", "x") + b"{", "line 2: not JSON"),
        (line("a", "x") + line("a", "y"), "line 2: custom_id: 'a' has come before"),
        (line("a", "x", stream=True), "line 1: stream"),
        (line("a", "x", temperature="hot"), "line 1: temperature"),
        (line("a", "x", n=2), "line 1: n: each line"),
        (line("a", "x", model="other"), "line 1: no model 'other'"),
        (line("a", "x").replace(b"chat/completions", b"embeddings"), "line 1: url"),
        (
            line("a", "x", messages=[{"role": "user", "content": [
                {"type": "image_path", "content": "/etc/passwd"}]}]),
            "line 1: messages.0: it names a file",
        ),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_and_nothing_is_asked(
    batches: Serve, server: FaultServer, content: bytes, said: str
):
    with pytest.raises(openai.BadRequestError) as caught:
        submit(batches, content)
    assert said in caught.value.message
    assert server.stats()["requests"] == 0


def test_files_of_others_are_not_found(batches: Serve):
    batches.openai.files.create(file=("in.jsonl", b"{}"), purpose="batch")
    for path in ("../../x", "file-0", "x" * 300):
        with pytest.raises(openai.NotFoundError):
            batches.openai.files.retrieve(path.replace("/", "%2F"))
    with pytest.raises(openai.BadRequestError, match="purpose"):
        batches.openai.files.create(file=("in.jsonl", b"{}"), purpose="assistants")
    assert batches.client.post("/v1/files", content=b"no form").status_code == 400
    with pytest.raises(openai.NotFoundError):
        batches.openai.batches.retrieve("batch_0")


def test_each_key_sees_its_own_files(batch_config: list[str], tmp_path):
    keys = {"OUMI_API_KEYS": "alice:key-of-alice bob:key-of-bob", "HOME": str(tmp_path)}
    with Serve(*batch_config, key="key-of-alice", **keys) as serve:
        file = serve.openai.files.create(file=("in.jsonl", line("a", "x")), purpose="batch")
        assert serve.openai.files.retrieve(file.id).bytes == file.bytes
        bob = {"authorization": "Bearer key-of-bob"}
        assert serve.client.get(f"/v1/files/{file.id}", headers=bob).status_code == 404
        assert serve.client.get("/v1/files", headers=bob).json()["data"] == []
