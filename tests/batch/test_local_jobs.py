"""Batch jobs on this machine: verbs, states, results, and who is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from oumi.batch.job_folder import all_folders
from oumi.batch.window import parse_window
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import BatchStatus, Conversation, Message, Role
from oumi.errors import (
    ConfigError,
    InferenceError,
    InputError,
    RequestError,
    UnavailableError,
    UnsupportedError,
)
from oumi.inference import (
    LlamaCppInferenceEngine,
    OllamaInferenceEngine,
    RemoteInferenceEngine,
    RemoteVLLMInferenceEngine,
)
from oumi.models import TINY_GGUF
from tests.batch.local import (
    finish,
    kill_worker,
    processes_started,
    recorded,
    remote_engine,
    rows,
    status_without_engine,
    wait_until,
    worker_of,
)
from tests.conftest import answers, short, sums
from tests.fault_server import FaultServer

HANG = [{"kind": "hang", "times": None}]


def hanging(count: int) -> dict[str, object]:
    """A plan in which the last `count` of ten rows are never answered."""
    return {"scripts": {f"row-{i}": HANG for i in range(10 - count, 10)}}


def test_the_guide(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]):
    config = InferenceConfig(
        model=ModelParams(model_name="oumi-tiny"),
        remote_params=RemoteParams(
            batch_completion_window="24h"  # Time window for processing
        ),
    )

    engine = LlamaCppInferenceEngine(model_params=config.model, remote_params=config.remote_params)

    conversations = [
        Conversation(messages=[Message(content="What is 2+2?", role=Role.USER)]),
        Conversation(messages=[Message(content="What is the capital of France?", role=Role.USER)]),
    ]

    batch_id = engine.infer_batch(conversations, config)

    status = engine.get_batch_status(batch_id, config)
    print(f"Progress: {status.completed_requests}/{status.total_requests}")
    print(f"Status: {status.status}")
    assert capsys.readouterr().out in (
        "Progress: 0/2\nStatus: validating\n",
        "Progress: 0/2\nStatus: in_progress\n",
        "Progress: 2/2\nStatus: completed\n",
    )
    info = finish(engine, batch_id)
    assert (info.status, info.total_requests, info.completed_requests) == ("completed", 2, 2)
    assert info.expires_at - info.created_at == timedelta(hours=24)
    assert info.created_at <= info.started_at <= info.completed_at

    results = engine.get_batch_results(batch_id, conversations, config)

    for conv in results:
        print(f"Question: {conv.messages[-2].content}")  # User message
        print(f"Answer: {conv.messages[-1].content}")  # Assistant response
        print()
    assert "4" in answers(results)[0]
    assert "Paris" in answers(results)[1]
    assert list(results) == list(engine.infer(conversations, config))
    assert "remote_params" not in caplog.text
    engine.close()


def test_each_row_is_asked_once(server: FaultServer):
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(50))
        assert engine.infer_batch(rows(50)) == batch_id, "while it runs"
        assert finish(engine, batch_id).completed_requests == 50
        assert engine.infer_batch(rows(50)) == batch_id, "when it is done"
        assert engine.resubmit_batch(batch_id) == batch_id, "there is nothing to ask again"
        results = engine.get_batch_results(batch_id, rows(50))
    assert answers(results) == [f"answer to row-{i}" for i in range(50)]
    assert server.stats()["rows"] == {f"row-{i}": [1, 1] for i in range(50)}
    assert processes_started(batch_id) == 1


def test_a_server_without_batches_is_asked_row_by_row(server: FaultServer):
    server.plan(batch={"offered": False})
    with remote_engine(server.api_url, RemoteInferenceEngine) as engine:
        batch_id = engine.infer_batch(rows(5))
        server.plan()  # from now on it has batches; the job stays where it is
        assert finish(engine, batch_id).completed_requests == 5
        assert engine.infer_batch(rows(4)) == "batch_1"
        assert answers(engine.get_batch_results(batch_id)) == [
            f"answer to row-{i}" for i in range(5)
        ]


def test_other_input_and_other_settings_are_other_jobs(server: FaultServer, write_jsonl):
    with remote_engine(server.api_url) as engine:
        config = InferenceConfig(input_path=str(write_jsonl(rows(3))))
        jobs = [
            engine.infer_batch(rows(2)),
            engine.infer_batch(rows(2), InferenceConfig(generation=GenerationParams(seed=7))),
            engine.infer_batch(None, config),
        ]
        infos = [finish(engine, job) for job in jobs]
        assert [info.completed_requests for info in infos] == [2, 2, 3]
        assert [info.id for info in engine.list_batches()] == jobs[::-1]
        assert engine.list_batches(limit=1) == infos[2:]
        assert answers(engine.get_batch_results(jobs[2]))[-1] == "answer to row-2"
    with remote_engine(f"{server.url}/other/v1") as other:
        assert len(other.list_batches()) == 3
        job = other.infer_batch(rows(2))
        assert job not in jobs
        finish(other, job)


def test_results_while_it_runs_and_cancel_with_partial_output(server: FaultServer):
    server.plan(**hanging(2))
    with remote_engine(server.api_url, connection_timeout=60) as engine:
        batch_id = engine.infer_batch(rows(10))
        info = wait_until(
            lambda: (i := status_without_engine(batch_id)).completed_requests == 8 and i
        )
        assert (info.status, info.provider_status) == (BatchStatus.IN_PROGRESS, "running")
        with pytest.raises(UnavailableError, match=r"in_progress: 8 of 10"):
            engine.get_batch_results(batch_id)
        partial = engine.get_batch_results_partial(batch_id, rows(10))
        assert answers(partial.conversations) == [f"answer to row-{i}" for i in range(8)]
        assert partial.error_messages == dict.fromkeys(
            (8, 9), "not answered yet: the batch is in progress"
        )
        with pytest.raises(RequestError, match="has not ended"):
            engine.resubmit_batch(batch_id)

        info = engine.cancel_batch(batch_id)
        assert (info.status, info.completed_requests) == (BatchStatus.CANCELLED, 8)
        assert engine.cancel_batch(batch_id) == info
        with pytest.raises(
            InferenceError, match="not answered before the batch was cancelled"
        ) as caught:
            engine.get_batch_results(batch_id)
        assert answers(caught.value.result.conversations) == answers(partial.conversations)
        assert {f.error_class for f in caught.value.result.failures.values()} == {"BatchCancelled"}

        server.plan()
        assert engine.resubmit_batch(batch_id) == batch_id
        assert finish(engine, batch_id).completed_requests == 10
        assert len(engine.get_batch_results(batch_id)) == 10
    assert set(server.stats()["rows"]) == {"row-8", "row-9"}, "only what was missing"


def test_expired_with_half_done(server: FaultServer):
    server.plan(**hanging(5))
    fields = {"connection_timeout": 60, "num_workers": 10}
    with remote_engine(server.api_url, **fields, batch_completion_window="5s") as engine:
        batch_id = engine.infer_batch(rows(10))
        info = finish(engine, batch_id)
        assert (info.status, info.completed_requests) == (BatchStatus.EXPIRED, 5)
        assert info.expires_at - info.created_at == timedelta(seconds=5)
        partial = engine.get_batch_results_partial(batch_id)
        assert list(partial.rows) == [0, 1, 2, 3, 4]
        assert "the batch expired" in partial.error_messages[5]
    server.plan()
    with remote_engine(server.api_url, **fields, batch_completion_window="1h") as engine:
        assert engine.infer_batch(rows(10)) == batch_id, "the same job, anew"
        info = finish(engine, batch_id)
        assert (info.status, info.completed_requests) == (BatchStatus.COMPLETED, 10)
    assert len(server.stats()["rows"]) == 5


def test_one_that_expired_while_nobody_worked_on_it_stays_so(server: FaultServer):
    server.plan(**hanging(5))
    with remote_engine(server.api_url, num_workers=10, batch_completion_window="5s") as engine:
        batch_id = engine.infer_batch(rows(10))
        wait_until(lambda: engine.get_batch_status(batch_id).completed_requests == 5)
        kill_worker(batch_id)
        [info] = engine.list_batches()
        assert (info.status, info.provider_status) == (BatchStatus.IN_PROGRESS, "stopped")
        wait_until(lambda: engine.list_batches()[0].is_terminal)
        info = engine.get_batch_status(batch_id)
    assert (info.status, info.completed_requests) == (BatchStatus.EXPIRED, 5)
    assert processes_started(batch_id) == 1


def test_failed_rows_are_told_apart(server: FaultServer):
    bad = {"kind": "status", "code": 400, "times": None}
    server.plan(scripts={"row-3": [bad]})
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(6))
        info = finish(engine, batch_id)
        assert (info.status, info.completed_requests, info.failed_requests) == ("completed", 5, 1)
        with pytest.raises(InferenceError, match="1 of 6 rows failed; row 3") as caught:
            engine.get_batch_results(batch_id, rows(6))
        assert caught.value.result.failures[3].status_code == 400
        assert engine.infer_batch(rows(6)) == batch_id, "nothing is asked again unasked"
        server.plan()
        engine.resubmit_batch(batch_id)
        assert finish(engine, batch_id).failed_requests == 0
        assert answers(engine.get_batch_results(batch_id))[3] == "answer to row-3"
    assert server.stats()["rows"] == {"row-3": [1, 1]}


def test_results_into_a_file_and_onto_the_callers_conversations(
    server: FaultServer, tmp_path: Path
):
    server.plan(**hanging(2))
    output = tmp_path / "out.jsonl"
    to_file = InferenceConfig(output_path=str(output))
    with remote_engine(server.api_url, connection_timeout=60, num_workers=10) as engine:
        batch_id = engine.infer_batch(rows(10))
        wait_until(lambda: len(recorded(batch_id)) == 8)
        result = engine.get_batch_results_partial(batch_id, inference_config=to_file)
        assert (list(result.rows), result.failed_indices) == (list(range(8)), [8, 9])
        lines = output.read_text().splitlines()
        assert [Conversation.from_json(line) for line in lines] == list(result.conversations)
        kill_worker(batch_id)
        server.plan()
        finish(engine, batch_id)
        assert len(engine.get_batch_results(batch_id, None, to_file)) == 10
        assert answers(map(Conversation.from_json, output.read_text().splitlines())) == [
            f"answer to row-{i}" for i in range(10)
        ]
        mine = [
            conversation.model_copy(update={"metadata": {"mine": i}, "conversation_id": None})
            for i, conversation in enumerate(rows(10))
        ]
        results = engine.get_batch_results(batch_id, mine)
    assert [conversation.metadata["mine"] for conversation in results] == list(range(10))


def test_answers_that_do_not_fit_yet_are_not_handed_out(server: FaultServer):
    server.plan(latency_ms=1000, message={"content": "no number"})
    guided = GuidedDecodingParams(json={"type": "integer"})
    config = InferenceConfig(generation=GenerationParams(guided_decoding=guided))
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(1), config)
        wait_until(lambda: recorded(batch_id))
        kill_worker(batch_id)
        partial = engine.get_batch_results_partial(batch_id, inference_config=config)
        assert partial.failures[0].error_class == "BatchPending"
        server.plan(message={"content": "12"})
        finish(engine, batch_id)
        assert answers(engine.get_batch_results(batch_id)) == ["12"]


def test_answers_are_turned_back_from_the_form_of_the_api(server: FaultServer):
    server.plan(message={"content": '"gr\\"een"'})
    guided = GuidedDecodingParams(choice=["red", 'gr"een'], max_repairs=0)
    config = InferenceConfig(generation=GenerationParams(guided_decoding=guided))
    with remote_engine(server.api_url, OllamaInferenceEngine) as engine:
        batch_id = engine.infer_batch(rows(2), config)
        assert finish(engine, batch_id).completed_requests == 2
        assert answers(engine.get_batch_results(batch_id, rows(2))) == ['gr"een'] * 2


def test_what_no_row_can_survive_fails_the_job(server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(6))
        info = finish(engine, batch_id)
        assert info.status is BatchStatus.FAILED
        assert "401" in info.errors[0]
        failures = engine.get_batch_results_partial(batch_id).failures
        assert len(failures) == 6
        assert "the batch failed" in failures[5].error_message
        server.plan()
        assert engine.infer_batch(rows(6)) == batch_id, "one that failed is submitted anew"
        assert finish(engine, batch_id).completed_requests == 6


def test_other_conversations_and_unknown_ids_are_refused(server: FaultServer):
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(4))
        finish(engine, batch_id)
        for other in (rows(3), rows(5), [*rows(2), rows(4)[3], rows(4)[2]]):
            with pytest.raises(InputError, match=r"row 2|row 3|4 rows"):
                engine.get_batch_results(batch_id, other)
        for verb in (
            engine.get_batch_status,
            engine.get_batch_results,
            engine.cancel_batch,
            engine.resubmit_batch,
        ):
            with pytest.raises(InputError, match="no batch job 'oumi-batch-none'"):
                verb("oumi-batch-none")


def test_what_is_wrong_is_said_before_anything_is_started(server: FaultServer, tmp_path: Path):
    class MyEngine(RemoteVLLMInferenceEngine):
        """One that the job's process would not know."""

    noise = tmp_path / "in.jsonl"
    noise.write_text('{"messages": 1}\n')
    with remote_engine(server.api_url) as engine:
        with pytest.raises(ConfigError, match="batch_completion_window: 'a day'"):
            engine.infer_batch(
                rows(1),
                InferenceConfig(remote_params=RemoteParams(batch_completion_window="a day")),
            )
        with pytest.raises(InputError, match=r"in.jsonl:1: messages"):
            engine.infer_batch(None, InferenceConfig(input_path=str(noise)))
        with pytest.raises(InputError, match="no conversations"):
            engine.infer_batch([])
    remote = RemoteParams(api_url=server.api_url)
    own = MyEngine(ModelParams(model_name="m"), remote_params=remote)
    with own, pytest.raises(UnsupportedError, match="MyEngine"):
        own.infer_batch(rows(1))
    assert list(all_folders()) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), (" 24H ", 86400), ("1.5h", 5400), ("7d", 604800)],
)
def test_windows(text: str, seconds: float):
    assert parse_window(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "0m", "-1h", "1h30m", "24 hours"])
def test_what_is_no_window(text: str):
    with pytest.raises(ConfigError, match="such as 90s, 30m, 24h or 7d"):
        parse_window(text)


def test_cancel_while_the_model_loads(engine: LlamaCppInferenceEngine):
    batch_id = engine.infer_batch(sums(200), short())
    assert engine.get_batch_status(batch_id).status is BatchStatus.VALIDATING
    info = engine.cancel_batch(batch_id)
    assert (info.status, info.completed_requests) == (BatchStatus.CANCELLED, 0)
    assert not recorded(batch_id)


def test_cancel_ends_a_process_that_does_not_listen(engine: LlamaCppInferenceEngine):
    batch_id = engine.infer_batch(sums(3), short())
    os.kill(worker_of(batch_id), signal.SIGSTOP)
    assert engine.cancel_batch(batch_id).status is BatchStatus.CANCELLED


def test_a_model_at_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "m.gguf").symlink_to(TINY_GGUF)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with LlamaCppInferenceEngine(ModelParams(model_name="m.gguf")) as engine:
        batch_id = engine.infer_batch(sums(2), short())
        kill_worker(batch_id)
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert status_without_engine(batch_id).status is BatchStatus.VALIDATING
        info = wait_until(lambda: (i := status_without_engine(batch_id)).is_terminal and i)
    assert (info.status, info.completed_requests) == (BatchStatus.COMPLETED, 2)


WITHOUT_A_MODEL = """
import sys
from oumi.core.configs import InferenceConfig
from oumi.batch.local.service import LocalJobs
from oumi.runner import loop
jobs, config = LocalJobs(), InferenceConfig()
[info] = loop.call(jobs.list(config, None))
assert loop.call(jobs.status(info.id, config)) == info
result = loop.call(jobs.results(info.id, None, config))
print(info.status, len(result.conversations), "xllamacpp" in sys.modules)
"""


def test_no_model_is_loaded_to_ask_for_a_job(engine: LlamaCppInferenceEngine):
    finish(engine, engine.infer_batch(sums(3), short()))
    command = [sys.executable, "-c", WITHOUT_A_MODEL]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed == "completed 3 False\n"
