"""Batches of embeddings by OpenAI's official client, also when processes are killed in between."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from struct import unpack

import openai
import pytest

from tests.fault_server import FaultServer
from tests.fault_server.embeddings import vector
from tests.server.batch_calls import ended, line, lines_of, submit, text_line
from tests.server.process import Serve

PATH = "/v1/embeddings"
ONE_BY_ONE = ("--embedding.texts_per_request", "1")


def vectors(reply: dict) -> list[list[float]]:
    return [entry["embedding"] for entry in reply["body"]["data"]]


def test_a_batch_from_its_file_to_its_vectors(
    batch_config: list[str], server: FaultServer, tmp_path: Path
):
    content = text_line("a", "row-1") + text_line("b", ["row-2", "row-3"], encoding_format="base64")
    content += text_line("c", "row-4", dimensions=6)
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        batch = ended(serve, submit(serve, content, PATH, metadata={"for": "me"}))
        assert (batch.endpoint, batch.status) == (PATH, "completed")
        assert batch.metadata == {"for": "me"}
        assert (batch.request_counts.completed, batch.request_counts.total) == (4, 4)
        assert batch.error_file_id is None
        answers = lines_of(serve, batch.output_file_id)
    assert vectors(answers["a"]) == [vector("row-1")]
    packed = [list(unpack("<4f", base64.b64decode(one))) for one in vectors(answers["b"])]
    assert packed == [vector("row-2"), vector("row-3")]
    assert vectors(answers["c"]) == [vector("row-4", 6)]
    assert [entry["index"] for entry in answers["b"]["body"]["data"]] == [0, 1]
    assert answers["a"]["body"]["model"] == "m"
    assert answers["a"]["body"]["usage"]["total_tokens"] > 0
    assert {seen["path"] for seen in server.stats()["last"] if seen["body"]} == {PATH}


def test_a_line_one_of_whose_texts_fails(
    batch_config: list[str], server: FaultServer, tmp_path: Path
):
    server.plan(scripts={"row-3": [{"kind": "status", "code": 400, "times": None}]})
    content = text_line("a", "row-1") + text_line("b", ["row-2", "row-3"])
    with Serve(*batch_config, *ONE_BY_ONE, HOME=str(tmp_path)) as serve:
        batch = ended(serve, submit(serve, content, PATH))
        assert list(lines_of(serve, batch.output_file_id)) == ["a"]
        errors = lines_of(serve, batch.error_file_id)
    assert (list(errors), errors["b"]["status_code"]) == (["b"], 400)
    assert errors["b"]["body"]["error"]["message"]


def test_a_killed_server_pays_for_no_text_twice(
    batch_config: list[str], server: FaultServer, tmp_path: Path
):
    server.plan(latency_ms=30)
    content = b"".join(text_line(f"id-{n}", f"row-{n}") for n in range(40))
    with Serve(*batch_config, *ONE_BY_ONE, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content, PATH)
        server.wait_until(lambda stats: stats["requests"] > 4)
        serve.kill()
    with Serve(*batch_config, *ONE_BY_ONE, HOME=str(tmp_path)) as serve:
        batch = ended(serve, serve.openai.batches.retrieve(batch.id))
        answers = lines_of(serve, batch.output_file_id)
    assert [(name, vectors(reply)) for name, reply in answers.items()] == [
        (f"id-{n}", [vector(f"row-{n}")]) for n in range(40)
    ]
    assert set(server.answered().values()) == {1}


def test_a_killed_job_goes_on_where_it_was_with_the_key_of_the_server(
    batch_config: list[str], server: FaultServer, tmp_path: Path
):
    server.plan(latency_ms=30)
    content = b"".join(text_line(f"id-{n}", f"row-{n}", dimensions=6) for n in range(40))
    key = ("--remote_params.api_key", "sk-of-the-server-0123456789")
    with Serve(*batch_config, *ONE_BY_ONE, *key, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content, PATH)
        server.wait_until(lambda stats: stats["requests"] > 4)
        [lock] = tmp_path.rglob("batches/*/lock")
        os.killpg(json.loads(lock.read_bytes())["pid"], signal.SIGKILL)
        batch = ended(serve, batch)
        answers = lines_of(serve, batch.output_file_id)
    assert [vectors(reply) for reply in answers.values()] == [
        [vector(f"row-{n}", 6)] for n in range(40)
    ]
    asked = server.answered()
    assert len(asked) == 40
    assert sum(asked.values()) <= 42, "the two that were in flight may be asked again"


def test_a_cancelled_batch_keeps_its_vectors(
    batch_config: list[str], server: FaultServer, tmp_path: Path
):
    server.plan(latency_ms=100)
    content = b"".join(text_line(f"id-{n}", f"row-{n}") for n in range(200))
    with Serve(*batch_config, *ONE_BY_ONE, HOME=str(tmp_path)) as serve:
        batch = submit(serve, content, PATH)
        server.wait_until(lambda stats: stats["requests"] > 4)
        batch = serve.openai.batches.cancel(batch.id)
        assert batch.status == "cancelled"
        answers = lines_of(serve, batch.output_file_id)
        errors = lines_of(serve, batch.error_file_id)
    assert 0 < len(answers) < 200
    assert len(answers) + len(errors) == 200


def test_the_model_in_the_package_works_a_batch_off(tmp_path: Path):
    content = text_line("a", ["What is 2 plus 2?", "Hi"], model="oumi-tiny")
    with Serve(HOME=str(tmp_path)) as serve:
        batch = ended(serve, submit(serve, content, PATH))
        [answer] = lines_of(serve, batch.output_file_id).values()
        alone = serve.openai.embeddings.create(
            model="oumi-tiny", input=["What is 2 plus 2?", "Hi"], encoding_format="float"
        )
    for ours, theirs in zip(vectors(answer), alone.data, strict=True):
        assert ours == pytest.approx(theirs.embedding, abs=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (line("a", "x"), "line 1: url: expected the method POST and the url /v1/embeddings"),
        (text_line("a", "x") + text_line("b", ["x", ""]), "line 2: input.1: expected a text"),
        (text_line("a", [1, 2]), "line 1: input: token ids are not supported"),
        (text_line("a", "x", dimension=3), "line 1: dimension: it is not supported here"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_asked(
    batches: Serve, server: FaultServer, content: bytes, said: str
):
    with pytest.raises(openai.BadRequestError) as caught:
        submit(batches, content, PATH)
    assert said in caught.value.message
    assert server.stats()["requests"] == 0


def test_lengths_that_the_engine_cannot_make(tiny: Serve):
    with pytest.raises(
        openai.BadRequestError, match="line 1: dimensions: LLAMACPP cannot"
    ) as caught:
        submit(tiny, text_line("a", "x", model="oumi-tiny", dimensions=8), PATH)
    assert caught.value.param == "dimensions"


def test_a_job_of_embeddings_has_no_answers(
    batch_config: list[str], tmp_path: Path, oumi, monkeypatch: pytest.MonkeyPatch
):
    with Serve(*batch_config, HOME=str(tmp_path)) as serve:
        ended(serve, submit(serve, text_line("a", "row-1"), PATH))
    [folder] = [path for path in tmp_path.rglob("batches/oumi-batch-*") if path.is_dir()]
    monkeypatch.setenv("HOME", str(tmp_path))
    reply = oumi("batch", "results", folder.name, *batch_config)
    assert "has vectors, and no answers" in reply.stderr
