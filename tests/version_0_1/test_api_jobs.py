"""Jobs at an API that version 0.1 submitted: they are followed and collected, and nothing is sent
twice. The fault server is sent again what version 0.1 sent it, so that it knows the same batches.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import BatchStatus
from oumi.errors import UnavailableError
from oumi.inference import AnthropicInferenceEngine, InferenceEngine, OpenAIInferenceEngine
from tests.conftest import answers
from tests.fault_server import FaultServer
from tests.structured.scripts import GOOD, LAMP
from tests.version_0_1 import stored
from tests.version_0_1.stored import API_URL, copy_job, info_dict, replay, result_dict, submitted

POLL = {"poll_interval_s": 0.005}
ON_THEIR_WAY = [
    ("submitted", "batch_1"),
    ("running", "batch_1"),
    ("resubmitted", None),
    ("anthropic", "msgbatch_1"),
]


def open_engine(name: str = "") -> InferenceEngine:
    """The engine of a job."""
    if "anthropic" in name:
        remote = RemoteParams(api_url=API_URL.removesuffix("/v1"), retry_backoff_base=0.01)
        return AnthropicInferenceEngine(
            ModelParams(model_name="claude-opus-5-5"), remote_params=remote
        )
    remote = RemoteParams(api_url=API_URL, retry_backoff_base=0.01)
    return OpenAIInferenceEngine(ModelParams(model_name="gpt-4"), remote_params=remote)


def finish(engine: InferenceEngine, batch_id: str) -> BatchStatus:
    return engine.wait_for_batch(batch_id, **POLL).status


def count(api: FaultServer) -> tuple[int, int]:
    """How many files and how many batches the server was ever sent."""
    counts = api.batches()["counts"]
    return counts.get("POST files", 0), counts["POST batches"]


def asked(api: FaultServer) -> dict[str, int]:
    """How often each row was part of a batch that the server took."""
    return api.batches()["rows"]


def once(name: str) -> dict[str, int]:
    """Each row of a job once."""
    return dict.fromkeys(answers(submitted(name)), 1)


@pytest.mark.parametrize(("name", "public_id"), ON_THEIR_WAY)
def test_a_job_on_its_way_is_followed(name: str, public_id: str | None, api: FaultServer):
    job = copy_job(name)
    replay(name, api)
    sent, rows = count(api), asked(api)
    with open_engine(name) as engine:
        info = engine.get_batch_status(job.name)
        stored.check(name, "status", info_dict(info))
        assert info.id == (public_id or job.name)
        assert engine.infer_batch(submitted(name)) == info.id, "it is the same job"
        assert info.id in [listed.id for listed in engine.list_batches()]
        api.move_batch(plan={"hold": False})
        assert finish(engine, info.id) == BatchStatus.COMPLETED
        stored.check(name, "results", result_dict(engine.get_batch_results_partial(info.id)))
        assert len(engine.get_batch_results(info.id, submitted(name))) == len(submitted(name))
    assert (count(api), asked(api)) == (sent, rows)


@pytest.mark.parametrize("name", ["refused_batch", "refused_request"])
def test_the_shard_that_was_refused_is_submitted_once_there_is_room(name: str, api: FaultServer):
    job = copy_job(name)
    replay(name, api)
    files, batches = count(api)
    with open_engine() as engine:
        stored.check(name, "status", info_dict(engine.get_batch_status(job.name)))
        assert count(api) == (files, batches), "there is none yet"
        for batch_id in ("batch_1", "batch_2"):
            api.move_batch(id=batch_id, state="completed")
        assert engine.get_batch_status(job.name).completed_requests == 6
        api.move_batch(id=api.batches()["batches"][-1]["id"], state="completed")
        assert finish(engine, job.name) == BatchStatus.COMPLETED
        stored.check(name, "results", result_dict(engine.get_batch_results_partial(job.name)))
    assert count(api) == (files, batches + 1)
    assert asked(api) == once(name)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_batch_that_was_begun_is_looked_for_before_it_is_submitted(
    arrived: bool, api: FaultServer
):
    job = copy_job("begun")
    replay("begun", api, without_last=not arrived)
    with open_engine() as engine:
        stored.check("begun", "status", info_dict(engine.get_batch_status(job.name)))
        assert finish(engine, job.name) == BatchStatus.COMPLETED
        result = engine.get_batch_results_partial(job.name)
    stored.check("begun", "results", result_dict(result))
    assert count(api) == (1, 1)
    assert asked(api) == once("begun")


@pytest.mark.parametrize("arrived", [True, False])
def test_a_batch_without_a_tag_that_was_begun_is_looked_for_as_well(
    arrived: bool, api: FaultServer
):
    name = "begun_anthropic"
    job = copy_job(name)
    replay(name, api, without_last=not arrived)
    with open_engine(name) as engine:
        if arrived:
            with pytest.raises(UnavailableError, match="may be the batch that was begun"):
                engine.get_batch_status(job.name)
        else:
            assert engine.get_batch_status(job.name).status == BatchStatus.IN_PROGRESS
        api.move_batch(id="msgbatch_1", state="ended")
        assert finish(engine, job.name) == BatchStatus.COMPLETED
        stored.check(name, "results", result_dict(engine.get_batch_results_partial(job.name)))
    assert count(api)[1] == 1
    assert asked(api) == once(name)


def test_a_job_that_has_ended_is_collected(api: FaultServer):
    job = copy_job("ended")
    replay("ended", api)
    sent = count(api)
    with open_engine() as engine:
        info = engine.get_batch_status(job.name)
        stored.check("ended", "status", info.to_dict())
        assert engine.infer_batch(submitted("ended")) == info.id
        stored.check("ended", "results", result_dict(engine.get_batch_results_partial(info.id)))
        requests = api.stats()["requests"]
        again = engine.get_batch_results_partial(info.id, submitted("ended"))
        stored.check("ended", "results", result_dict(again))
    assert api.stats()["requests"] == requests, "it is collected once"
    assert count(api) == sent


@pytest.mark.parametrize(
    "name", ["collected", "collected_with_failures", "collected_with_schema", "adopted"]
)
def test_what_was_collected_is_told_without_asking(name: str, api: FaultServer, tmp_path: Path):
    job = copy_job(name)
    before = (job / "answers.jsonl").read_bytes()
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with open_engine() as engine:
        stored.check(name, "status", engine.get_batch_status(job.name).to_dict())
        stored.check(name, "results", result_dict(engine.get_batch_results_partial(job.name)))
        result = engine.get_batch_results_partial(job.name, submitted(name))
        stored.check(name, "results", result_dict(result))
        engine.get_batch_results_partial(job.name, None, output)
    assert (tmp_path / "out.jsonl").read_bytes() == (job / "answers.jsonl").read_bytes() == before
    assert api.stats()["requests"] == 0


def test_a_job_that_lacks_nothing_is_not_submitted_again(api: FaultServer):
    job = copy_job("collected")
    with open_engine() as engine:
        public_id = engine.get_batch_status(job.name).id
        assert engine.infer_batch(submitted("collected")) == public_id
        assert engine.resubmit_batch(public_id) == public_id
    assert api.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("ended", ["row-161"]),
        ("collected_with_failures", ["row-181", "row-183"]),
        ("cancelled", ["row-202", "row-203", "row-204"]),
        ("adopted", ["row-221"]),
    ],
)
def test_only_rows_without_an_answer_are_submitted_again(
    name: str, missing: list[str], api: FaultServer
):
    job = copy_job(name)
    replay(name, api)
    (files, batches), before = count(api), asked(api)
    api.move_batch(plan={"rows": {}, "room": None, "hold": False, "done": None})
    with open_engine() as engine:
        again = engine.resubmit_batch(job.name)
        assert finish(engine, again) == BatchStatus.COMPLETED
        results = engine.get_batch_results(again)
    assert answers(results) == [f"answer to {row}" for row in answers(submitted(name))]
    assert count(api) == (files + 1, batches + 1)
    assert asked(api) == {**before, **{row: before.get(row, 0) + 1 for row in missing}}


def test_what_an_adopted_batch_lacks_is_sent_as_it_was(api: FaultServer):
    job = copy_job("adopted")
    replay("adopted", api)
    with open_engine() as engine:
        engine.resubmit_batch(job.name)
    [body] = [seen["body"] for seen in api.stats()["last"] if seen["path"].endswith("/v1/files")]
    [line] = [json.loads(line) for line in body.splitlines() if line.startswith("{")]
    messages = [{"role": "user", "content": "row-221"}]
    assert line["body"] == {"model": "gpt-4", "temperature": 0.25, "messages": messages}


def test_answers_in_another_form_are_kept_and_asked_again(api: FaultServer):
    job = copy_job("collected_with_schema")
    api.plan(message={"content": GOOD})
    guided = GuidedDecodingParams(json=LAMP)
    config = InferenceConfig(generation=GenerationParams(guided_decoding=guided))
    with open_engine() as engine:
        again = engine.resubmit_batch(job.name)
        assert finish(engine, again) == BatchStatus.COMPLETED
        results = engine.get_batch_results(again, submitted("collected_with_schema"), config)
    assert [conversation.parsed() for conversation in results] == [json.loads(GOOD)] * 2
    assert count(api) == (1, 1)


def test_shards_that_were_not_sent_stay_cancelled(api: FaultServer):
    job = copy_job("cancelled")
    replay("cancelled", api)
    sent = count(api)
    with open_engine() as engine:
        stored.check("cancelled", "status", engine.get_batch_status(job.name).to_dict())
        assert engine.cancel_batch(job.name).status == BatchStatus.CANCELLED
        result = engine.get_batch_results_partial(job.name, submitted("cancelled"))
    stored.check("cancelled", "results", result_dict(result))
    assert count(api) == sent


def test_halves_of_a_shard_are_submitted_once(api: FaultServer):
    job = copy_job("halved")
    replay("halved", api)
    files, batches = count(api)
    api.move_batch(plan={"room": None})
    with open_engine() as engine:
        assert engine.get_batch_status("batch_1").id == job.name, "it is still found by its old id"
        assert finish(engine, job.name) == BatchStatus.COMPLETED
        stored.check("halved", "results", result_dict(engine.get_batch_results_partial(job.name)))
    assert count(api) == (files + 2, batches + 2)
    assert asked(api) == once("halved")
