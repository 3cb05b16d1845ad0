"""Runs that version 0.1 finished or began: what it recorded is used, and only the rest is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from oumi.cli.main import cli
from oumi.core.configs import InferenceConfig
from oumi.core.types import Conversation, InferenceResult
from oumi.inference import build_engine
from tests.fault_server import FaultServer
from tests.structured.scripts import GOOD, WRONG, reply
from tests.version_0_1 import stored
from tests.version_0_1.stored import RUNS, copy_run

FINISHED = ["llamacpp_finished", "llamacpp_schema", "openai_finished"]


def settings(folder: Path) -> InferenceConfig:
    config = InferenceConfig.from_yaml(folder / "config.yaml")
    files = {"input_path": str(folder / "in.jsonl"), "output_path": str(folder / "out.jsonl")}
    return config.model_copy(update=files)


def run(
    folder: Path, api: FaultServer, config: InferenceConfig | None = None
) -> tuple[InferenceResult, int]:
    """The same run once more, and how many requests it took."""
    config = config or settings(folder)
    with build_engine(config) as engine:
        result = engine.infer_partial(None, config)
        asked_here = getattr(engine, "asked", 0)
    return result, asked_here + api.stats()["requests"]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def recorded(folder: Path) -> list[dict[str, Any]]:
    """The answers in a journal, without a torn last line."""
    *whole, _ = (folder / "out.jsonl.journal").read_bytes().split(b"\n")
    return [line for line in map(json.loads, whole[1:]) if "completion" in line]


@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_run_does_nothing(name: str, api: FaultServer, tmp_path: Path):
    folder = copy_run(name, tmp_path)
    before = contents(folder)
    result, asked = run(folder, api)
    assert asked == 0
    assert contents(folder) == before
    saved = (folder / "out.jsonl").read_text().splitlines()
    assert list(result.all()) == [Conversation.from_json(line) for line in saved]


def test_the_command_has_nothing_to_do(api: FaultServer, tmp_path: Path):
    folder = copy_run("openai_finished", tmp_path)
    config = settings(folder)
    paths = ["--input_path", config.input_path, "--output_path", config.output_path]
    done = CliRunner().invoke(cli, ["infer", "-c", str(folder / "config.yaml"), *paths])
    assert done.exit_code == 0, done.stderr
    assert "Nothing to do: all 12 rows were answered before" in done.stderr
    assert api.stats()["requests"] == 0


@pytest.mark.parametrize("name", FINISHED)
def test_a_lost_output_comes_back_from_the_journal(name: str, api: FaultServer, tmp_path: Path):
    folder = copy_run(name, tmp_path)
    (folder / "out.jsonl").unlink()
    (folder / "out.jsonl.run.json").unlink()
    assert run(folder, api)[1] == 0
    assert (folder / "out.jsonl").read_bytes() == (RUNS / name / "out.jsonl").read_bytes()


def test_rows_in_another_order_and_one_more(api: FaultServer, tmp_path: Path):
    folder = copy_run("openai_finished", tmp_path)
    rows = (folder / "in.jsonl").read_text().splitlines()
    more = '{"messages":[{"role":"user","content":"row-12"}]}'
    (folder / "in.jsonl").write_text("\n".join([*rows[::-1], more]))
    before = lines(folder / "out.jsonl")
    assert run(folder, api)[1] == 1
    assert api.answered() == {"row-12": 1}
    assert lines(folder / "out.jsonl")[:-1] == before[::-1]


def test_repaired_rows_in_another_order(api: FaultServer, tmp_path: Path):
    folder = copy_run("openai_schema", tmp_path)
    before, rows = lines(folder / "out.jsonl"), lines(folder / "in.jsonl")
    done = {line["conversation_id"] for line in before}
    kept = [json.dumps(row) for row in rows[::-1] if row["conversation_id"] in done]
    (folder / "in.jsonl").write_text("\n".join(kept))
    assert run(folder, api)[1] == 0
    assert lines(folder / "out.jsonl") == before[::-1]


@pytest.mark.parametrize("engine", ["llamacpp", "openai"])
def test_a_killed_run_asks_what_is_missing(engine: str, api: FaultServer, tmp_path: Path):
    folder = copy_run(f"{engine}_killed", tmp_path)
    assert not (folder / "out.jsonl.journal").read_bytes().endswith(b"\n"), "the last line is torn"
    had = {line["row"] for line in recorded(folder)}
    assert len(had) in range(4, 8)
    assert run(folder, api)[1] == 12 - len(had)
    unbroken = RUNS / f"{engine}_finished"
    assert (folder / "out.jsonl").read_bytes() == (unbroken / "out.jsonl").read_bytes()
    assert sorted(line["row"] for line in recorded(folder)) == list(range(12))
    if engine == "openai":
        assert api.answered() == {f"row-{i}": 1 for i in range(12) if i not in had}


def test_a_run_with_a_schema_that_was_killed_goes_on_with_what_was_cut_off(
    api: FaultServer, tmp_path: Path
):
    folder, unbroken = copy_run("llamacpp_schema_killed", tmp_path), RUNS / "llamacpp_schema"
    assert any("replaces" in line for line in recorded(unbroken))
    had = recorded(folder)
    assert any(line["completion"]["finish_reason"] == "length" for line in had)
    assert run(folder, api)[1] == len(recorded(unbroken)) - len(had)
    assert (folder / "out.jsonl").read_bytes() == (unbroken / "out.jsonl").read_bytes()


def test_a_run_with_repairs_that_was_killed_goes_on_with_the_repairs(
    api: FaultServer, tmp_path: Path
):
    folder, unbroken = copy_run("openai_schema_killed", tmp_path), RUNS / "openai_schema"
    assert {line["row"] for line in recorded(folder) if "replaces" in line} == {2, 3, 5, 7}
    scripts = {
        "row-4": [reply(WRONG, "content_filter")],  # it failed, and so is asked from the beginning
        "row-6": [reply(WRONG)],  # the answer before this one is recorded
        "row-7": [reply(GOOD)],  # and so are the two before this one
    }
    api.plan(scripts=scripts)
    result, _ = run(folder, api)
    assert api.answered() == dict.fromkeys(scripts, 1)
    assert result.failed_indices == [4, 6]
    assert (folder / "out.jsonl").read_bytes() == (unbroken / "out.jsonl").read_bytes()
    kinds = [line["metadata"]["structured"] for line in lines(folder / "out.jsonl")]
    assert kinds == ["native", "native", "repaired", "native", "repaired", "repaired"]


def test_rows_without_a_good_answer_are_asked_again(api: FaultServer, tmp_path: Path):
    folder = copy_run("openai_schema", tmp_path)
    before = lines(folder / "out.jsonl")
    api.plan(message={"content": GOOD})
    assert run(folder, api)[0].failed_indices == []
    assert api.answered() == {"row-4": 1, "row-6": 1}
    after = lines(folder / "out.jsonl")
    assert [line for line in after if line["conversation_id"] not in ("id-4", "id-6")] == before


def test_failed_rows_are_asked_again(api: FaultServer, tmp_path: Path):
    folder = copy_run("openai_failed", tmp_path)
    assert [line["row"] for line in lines(folder / "out.jsonl.failures.jsonl")] == [2, 5]
    assert run(folder, api)[0].failed_indices == []
    assert api.answered() == {"row-2": 1, "row-5": 1}
    assert not (folder / "out.jsonl.failures.jsonl").exists()
    whole = RUNS / "openai_finished" / "out.jsonl"
    assert (folder / "out.jsonl").read_bytes() == whole.read_bytes()


def test_a_row_that_fails_again_changes_nothing_for_the_others(api: FaultServer, tmp_path: Path):
    folder = copy_run("llamacpp_failed", tmp_path)
    output, failures = folder / "out.jsonl", folder / "out.jsonl.failures.jsonl"
    before = output.read_bytes(), lines(failures)
    result, asked = run(folder, api)
    assert (asked, result.failed_indices) == (1, [2])
    [line] = lines(failures)
    line["failure"] = stored.old_failure(line["failure"])
    [old] = before[1]
    assert "does not fit into the context" in line["failure"].pop("error_message")
    assert line["failure"].pop("error_type") == "ContextLengthError"
    for name in ("error_type", "error_message", "status_code"):  # it was llama.cpp's own error then
        del old["failure"][name]
    assert (output.read_bytes(), line) == (before[0], old)


def test_other_settings_do_not_overwrite(api: FaultServer, tmp_path: Path):
    folder = copy_run("openai_finished", tmp_path)
    before = (folder / "out.jsonl").read_bytes()
    paths = ["--input_path", str(folder / "in.jsonl"), "--output_path", str(folder / "out.jsonl")]
    more = ["--generation.seed", "8"]
    done = CliRunner().invoke(cli, ["infer", "-c", str(folder / "config.yaml"), *paths, *more])
    assert done.exit_code == 2
    assert "overwrite" in done.stderr
    assert (folder / "out.jsonl").read_bytes() == before
