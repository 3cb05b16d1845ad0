"""OpenAI's official client and embeddings of `oumi serve`."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from struct import unpack

import openai
import pytest

from tests.fault_server import FaultServer
from tests.fault_server.embeddings import vector
from tests.server.process import Serve

PATH = "/v1/embeddings"


def test_vectors_of_the_model_in_the_package(tiny: Serve):
    texts = ["What is 2 plus 2?", "What is 3 plus 3?"]
    reply = tiny.openai.embeddings.create(model="oumi-tiny", input=texts)  # asks for base64
    assert [entry.index for entry in reply.data] == [0, 1]
    assert [len(entry.embedding) for entry in reply.data] == [256, 256]
    assert math.hypot(*reply.data[0].embedding) == pytest.approx(1, abs=1e-5)
    assert reply.usage.prompt_tokens == reply.usage.total_tokens > 10
    assert reply.model == "oumi-tiny"
    floats = tiny.openai.embeddings.create(
        input=texts[0], model="oumi-tiny", encoding_format="float"
    )
    assert floats.data[0].embedding == pytest.approx(list(reply.data[0].embedding), abs=1e-4)


def test_both_formats_hold_the_same_numbers(relay: Serve):
    fields = {"model": "small", "input": ["a", "b"], "user": "someone"}
    packed = relay.client.post(PATH, json={**fields, "encoding_format": "base64"}).json()
    plain = relay.client.post(PATH, json=fields).json()
    assert [entry["embedding"] for entry in plain["data"]] == [vector("a"), vector("b")]
    raw = [base64.b64decode(entry["embedding"]) for entry in packed["data"]]
    assert [list(unpack("<4f", one)) for one in raw] == [vector("a"), vector("b")]


def test_what_the_api_behind_is_sent(relay: Serve, server: FaultServer):
    reply = relay.openai.embeddings.with_raw_response.create(
        model="big", input=[f"text {i}" for i in range(200)], dimensions=6
    )
    assert len(reply.parse().data) == 200
    assert reply.headers["x-oumi-model"] == "big"
    sent = [json.loads(seen["body"]) for seen in server.stats()["last"]]
    assert sorted(len(body["input"]) for body in sent) == [72, 128]
    assert {(body["model"], body["dimensions"]) for body in sent} == {("gpt-big", 6)}
    assert reply.parse().data[199].embedding == vector("text 199", 6)


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({}, "input", "expected a text"),
        ({"input": []}, "input", "expected a text"),
        ({"input": ["a", ""]}, "input.1", "not empty"),
        ({"input": [1, 2]}, "input", "token ids are not supported here: send the text"),
        ({"input": [[1, 2]]}, "input", "token ids"),
        ({"input": ["a"] * 2049}, "input", "2,048 texts at most"),
        ({"input": "a", "dimensions": 0}, "dimensions", "greater than or equal to 1"),
        ({"input": "a", "dimensions": 8}, "dimensions", "LLAMACPP cannot honour"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "'float' or 'base64'"),
        ({"input": "a", "dimension": 8}, "dimension", "did you mean 'dimensions'"),
        ({"input": "word " * 3000}, "input", "does not fit into the context"),
    ],
)
def test_what_is_refused(tiny: Serve, fields: dict[str, object], param: str, said: str):
    reply = tiny.client.post(PATH, json={"model": "oumi-tiny", **fields})
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (400, param)
    assert said in error["message"]


def test_a_model_without_embeddings(server: FaultServer, home: str, tmp_path: Path):
    arguments = ["--engine", "ANTHROPIC", "--model.model_name", "claude-x"]
    remote = ["--remote_params.api_url", server.api_url, "--remote_params.api_key", "k"]
    with (
        Serve(*arguments, *remote, HOME=home) as serve,
        pytest.raises(openai.BadRequestError, match="ANTHROPIC makes no embeddings") as caught,
    ):
        serve.openai.embeddings.create(model="claude-x", input="a")
    assert caught.value.param == "model"


def test_no_other_model_answers_in_its_place(relay: Serve, server: FaultServer):
    """`big` has a fallback, whose vectors would mean something else."""
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    with pytest.raises(openai.InternalServerError) as caught:
        relay.openai.embeddings.create(model="big", input="row-1")
    assert caught.value.status_code == 502
    assert [seen["path"] for seen in server.stats()["last"]] == [PATH]


def test_a_busy_api_is_asked_again(relay: Serve, server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 500}])
    reply = relay.openai.embeddings.create(model="big", input="row-1")
    assert reply.data[0].embedding == vector("row-1")
    assert server.stats()["requests"] == 2


def test_tokens_are_counted(relay: Serve, server: FaultServer):
    name = 'oumi_tokens_total{key="",kind="prompt",model="other"}'
    before = relay.metric(name)
    relay.openai.embeddings.create(model="other", input="12345678")
    assert relay.metric(name) == before + 3
