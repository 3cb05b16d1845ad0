"""Runs from file to file with the real engine: order, resume, failures, what is overwritten."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, RemoteParams
from oumi.core.types import Conversation
from oumi.errors import ConfigError, InferenceError, InputError, OutputExistsError
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import ask, short, sums


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "in.jsonl", tmp_path / "out.jsonl"


def files(paths: tuple[Path, Path], **fields: object) -> InferenceConfig:
    return short(input_path=str(paths[0]), output_path=str(paths[1]), **fields)


def asked_by(engine: LlamaCppInferenceEngine, config: InferenceConfig) -> int:
    before = engine.asked
    engine.infer(None, config)
    return engine.asked - before


def test_answers_stand_in_input_order(engine, write_jsonl, paths):
    rows = sums(60)
    write_jsonl(rows)
    result = engine.infer(None, files(paths))
    lines = [json.loads(line) for line in paths[1].read_text().splitlines()]
    assert [line["conversation_id"] for line in lines] == [row.conversation_id for row in rows]
    assert [c.to_dict() for c in result] == lines
    assert result[-1].messages[:-1] == rows[-1].messages
    assert lines[0]["metadata"]["finish_reason"] == "stop"
    assert lines[0]["metadata"]["usage"]["completion_tokens"] > 0
    facts = json.loads((paths[1].parent / "out.jsonl.run.json").read_text())
    assert (facts["rows"], facts["done"], facts["failed"]) == (60, 60, 0)


def test_what_stands_in_a_row_comes_out_as_it_went_in(engine, paths):
    row = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "What is 2+2?"}]}],
        "label": 123456789012345678901234567890,
        "note": None,
        "metadata": {"source": "web"},
    }
    paths[0].write_text(json.dumps(row))
    engine.infer(None, files(paths))
    [line] = map(json.loads, paths[1].read_text().splitlines())
    assert line["messages"][:-1] == row["messages"]
    assert (line["label"], line["note"]) == (row["label"], None)
    assert line["metadata"]["source"] == "web"
    assert "4" in line["messages"][-1]["content"]


def test_a_finished_run_does_nothing_again(engine, write_jsonl, paths):
    write_jsonl(sums(5))
    assert asked_by(engine, files(paths)) == 5
    stamp = paths[1].stat().st_mtime_ns
    assert asked_by(engine, files(paths)) == 0
    assert paths[1].stat().st_mtime_ns == stamp


def test_extending_and_reordering_asks_only_what_is_new(engine, write_jsonl, paths):
    rows = sums(6)
    write_jsonl(rows[:4])
    assert asked_by(engine, files(paths)) == 4
    write_jsonl([rows[5], *reversed(rows[:4]), rows[4]])
    assert asked_by(engine, files(paths)) == 2
    ids = [json.loads(line)["conversation_id"] for line in paths[1].read_text().splitlines()]
    assert ids == ["sum-5", "sum-3", "sum-2", "sum-1", "sum-0", "sum-4"]


def test_a_lost_output_comes_back_from_the_journal(engine, write_jsonl, paths):
    write_jsonl(sums(5))
    engine.infer(None, files(paths))
    whole = paths[1].read_bytes()
    paths[1].unlink()
    assert asked_by(engine, files(paths)) == 0
    assert paths[1].read_bytes() == whole


def test_other_settings_ask_again_and_do_not_overwrite(engine, write_jsonl, paths):
    write_jsonl(sums(3))
    engine.infer(None, files(paths))
    whole = paths[1].read_bytes()
    other = files(paths)
    other.generation = GenerationParams(max_new_tokens=3)
    with pytest.raises(OutputExistsError, match="overwrite"):
        engine.infer(None, other)
    assert paths[1].read_bytes() == whole
    other.overwrite = True
    assert asked_by(engine, other) == 3
    assert paths[1].read_bytes() != whole


def test_a_kill_between_two_files_of_the_output(engine, write_jsonl, paths):
    rows = sums(3)
    write_jsonl(rows[:2])
    engine.infer(None, files(paths))
    before = paths[1].read_bytes()
    write_jsonl(rows)
    engine.infer(None, files(paths))
    whole = paths[1].read_bytes()
    paths[1].write_bytes(before)  # run.json is in place, the output that it tells of is not yet
    assert asked_by(engine, files(paths)) == 0
    assert paths[1].read_bytes() == whole


@pytest.mark.parametrize("content", ["my notes\n", '{"messages":[]}\n'])
def test_a_file_of_the_user_is_never_overwritten(engine, write_jsonl, paths, content: str):
    write_jsonl(sums(2))
    paths[1].write_text(content)
    with pytest.raises(OutputExistsError):
        engine.infer(None, files(paths))
    assert paths[1].read_text() == content


def test_an_edited_output_is_not_overwritten(engine, write_jsonl, paths):
    rows = sums(3)
    write_jsonl(rows[:2])
    engine.infer(None, files(paths))
    paths[1].write_text(paths[1].read_text() + "edited\n")
    write_jsonl(rows)
    with pytest.raises(OutputExistsError):
        engine.infer(None, files(paths))


def test_one_bad_row_costs_no_other(engine, write_jsonl, paths):
    rows = sums(3)
    rows.insert(1, ask("long " * 4000, conversation_id="too long"))
    write_jsonl(rows)
    with pytest.raises(InferenceError, match="1 of 4 rows failed; row 1") as caught:
        engine.infer(None, files(paths))
    result = caught.value.result
    assert [row for row, _ in result.successful] == [0, 2, 3]
    assert result.failed_indices == [1]
    assert "context" in result.error_messages[1]
    failed = json.loads(Path(f"{paths[1]}.failures.jsonl").read_text())
    assert (failed["row"], failed["line"]) == (1, 2)
    assert failed["conversation"]["conversation_id"] == "too long"
    assert len(paths[1].read_text().splitlines()) == 3

    before = engine.asked
    assert engine.infer_partial(None, files(paths)).failed_indices == [1]
    assert engine.asked - before == 1, "only the failed row is asked again"

    rows[1] = ask("short", conversation_id="mended")
    write_jsonl(rows)
    assert asked_by(engine, files(paths)) == 1
    assert not Path(f"{paths[1]}.failures.jsonl").exists()
    assert len(paths[1].read_text().splitlines()) == 4


GOOD = b'{"messages":[{"role":"user","content":"a"}]}\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b'{"messages":[{"role":"user","content":"a"}]}\n{"messages":[{"ro',
            r"in.jsonl:2: not JSON.*cut off",
        ),
        (b'{"messages":[{"role":"boss","content":"a"}]}\n', r"in.jsonl:1: messages.0.role"),
        (b'\n{"massages":[]}\n', r"in.jsonl: no conversations .* did you mean 'messages'"),
        (b'{"messages":[]}\n', r"in.jsonl:1: a conversation without messages"),
        (b'"text"\n', r"in.jsonl:1: str in place of a conversation; expected an object"),
        (b'[{"messages": []}]\n', r"in.jsonl: row 0: a conversation without messages"),
        (gzip.compress(b"{}", mtime=0), r"in.jsonl: no conversations are recognised"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], r"in.jsonl: damaged or cut off"),
        ('{"messages":[]}\n'.encode("utf-16"), r"in.jsonl: UTF-16 text: save it as UTF-8"),
        (b"PAR1\x15\x04\n", r"in.jsonl: cannot be read as Parquet"),
        (b'{"conversations":[{"from":"boss","value":"hi"}]}\n', r"in.jsonl:1: .*unknown role"),
        (b'{"custom_id":"a","url":"/v1/chat/completions","body":{}}\n', r"in.jsonl:1: body: no"),
        (GOOD + b'{"conversations":[{"from":"human","value":"hi"}]}\n', r"in.jsonl:2: .*ShareGPT"),
        (GOOD + b'{"custom_id":"a","body":{}}\n', r"in.jsonl:2: .*batch"),
        (GOOD + b'{"prompt":"hi"}\n', r"in.jsonl:2: no `messages` among the fields 'prompt'"),
        (GOOD + b'{"instruction":"add","input":"1"}\n', r"in.jsonl:2: .*Alpaca"),
        (
            b'{"messages":[{"role":"user","content":"x \\ud83d"}]}\n',
            r"in.jsonl:1: not JSON.*surrogate",
        ),
        (bytes(range(256)) * 4000, r"in.jsonl:1: not JSON"),
        (b"", "no conversations"),
        (
            b'{"conversation_id":"x","messages":[{"role":"user","content":"a"}]}\n' * 2,
            r"in.jsonl:2: conversation_id 'x' stands already at .*in.jsonl:1",
        ),
    ],
)
def test_bad_input_stops_the_run_before_it_starts(engine, paths, content: bytes, reason: str):
    paths[0].write_bytes(content)
    before = engine.asked
    with pytest.raises(InputError, match=reason):
        engine.infer(None, files(paths))
    assert engine.asked == before
    assert not paths[1].exists()


def test_bad_rows_fail_alone_where_the_settings_say_so(engine, paths):
    paths[0].write_bytes(sums(1)[0].to_json().encode() + b"\nnoise\n")
    result = engine.infer_partial(None, files(paths, bad_rows="fail"))
    assert len(result.conversations) == 1
    assert "in.jsonl:2" in result.error_messages[1]
    again = engine.infer_partial(None, files(paths, bad_rows="fail"))
    assert again.failed_indices == [1]


def test_paths_that_make_no_sense(engine, write_jsonl, paths, tmp_path: Path):
    with pytest.raises(ConfigError, match="input_path"):
        engine.infer()
    with pytest.raises(InputError, match="cannot be read"):
        engine.infer(None, files(paths))
    write_jsonl(sums(1))
    with pytest.raises(ConfigError, match="same file"):
        engine.infer(None, files((paths[0], paths[0])))
    with pytest.raises(OutputExistsError, match="not a regular file"):
        engine.infer(None, files((paths[0], tmp_path)))


def test_a_list_can_be_saved_and_resumed_as_well(engine, paths):
    rows = sums(4)
    config = short(output_path=str(paths[1]))
    first = engine.infer(rows, config)
    assert isinstance(first, list)
    before = engine.asked
    assert engine.infer(rows, config) == first
    assert engine.asked == before
    lines = paths[1].read_text().splitlines()
    assert [Conversation.from_json(line) for line in lines] == first


def test_saved_answers_are_read_as_they_are_looked_at(engine, write_jsonl, paths):
    write_jsonl(sums(5))
    saved = engine.infer(None, files(paths))
    assert len(saved) == 5
    assert saved[-1] == list(saved)[4]
    assert saved[1:3] == list(saved)[1:3]
    with pytest.raises(IndexError):
        saved[5]


def test_run_json_says_what_made_the_run_and_the_journal_when(engine, write_jsonl, paths):
    write_jsonl(sums(2))
    remote = RemoteParams(api_key="sk-secret")
    began = time.time()
    engine.infer(None, files(paths, remote_params=remote))
    text = paths[1].with_name("out.jsonl.run.json").read_text()
    summary = json.loads(text)
    assert summary["engine"] == "LLAMACPP"
    assert summary["settings"]["generation"] == {"max_new_tokens": 16}
    assert "sk-secret" not in text
    lines = paths[1].with_name("out.jsonl.journal").read_text().splitlines()
    times = [json.loads(line)["recorded_at"] for line in lines if '"key"' in line]
    assert len(times) == 2
    assert all(began - 1 <= at <= time.time() + 1 for at in times)
