"""What reports are made of: outputs, tables, journals, results, and what is none of these."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types.result import InferenceResult
from oumi.errors import InputError, OutputExistsError
from oumi.inference import LlamaCppInferenceEngine, OpenAIInferenceEngine
from oumi.report.write import write_report
from tests.conftest import ask, short, sums
from tests.fault_server import FaultServer
from tests.report.runs import Made, talk, tickets, write_run


def parts(report: Path, run: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a report holds of a run: its figures and columns, and its rows."""
    text = report.read_text(encoding="utf-8")
    found = dict(
        re.findall(r'<script type="application/gzip" id="(run[\d-]+)">(.*?)</script>', text)
    )
    facts = json.loads(_unpack(found[f"run{run}"]))
    blocks = [_unpack(found[f"run{run}-{i}"]) for i in range(len(facts["starts"]))]
    return facts, [json.loads(line) for block in blocks for line in block.splitlines()]


def _unpack(text: str) -> bytes:
    return gzip.decompress(base64.b64decode(text))


def test_a_run_of_an_engine_is_shown_as_run_json_has_it(
    server: FaultServer, write_jsonl: Any, tmp_path: Path
) -> None:
    refused, broken = {"kind": "status", "code": 400}, {"kind": "status", "code": 500}
    server.plan(scripts={"row-7": [refused], "row-3": [broken]})
    write_jsonl([ask(f"row-{i}", conversation_id=f"id-{i}") for i in range(20)])
    output = tmp_path / "out.jsonl"
    remote = RemoteParams(api_url=server.api_url, api_key="sk-hidden", retry_backoff_base=0.01)
    engine = OpenAIInferenceEngine(ModelParams(model_name="gpt-4o-mini"), remote_params=remote)
    config = InferenceConfig(input_path=str(tmp_path / "in.jsonl"), output_path=str(output))
    with engine:
        result = engine.infer_partial(None, config)
    report = result.report(tmp_path / "page.html", opens=False)
    facts, rows = parts(report)
    summary = json.loads(Path(f"{output}.run.json").read_text())
    figures = facts["figures"]
    assert [row["row"] for row in rows] == list(range(20))
    assert figures["rows"] == summary["rows"] == 20
    assert figures["statuses"] == {"done": summary["done"], "failed": summary["failed"]}
    assert figures["usage"] == summary["usage"]
    assert figures["cost_usd"] == summary["cost_usd"]
    assert [group["status"] for group in figures["failures"]] == [400]
    assert all(row["latency_s"] > 0 for row in rows if "failure" not in row)
    assert [row["latency_s"] for row in rows if "failure" in row] == [0], "it was not answered"
    assert all(row["waited_s"] > 0 for row in rows)
    assert rows[3]["conversation"]["messages"][-1]["content"] == "answer to row-3"
    assert facts["columns"]["fact:id"]["texts"][:2] == ["id-0", "id-1"]
    assert "sk-hidden" not in json.dumps([facts, rows])


def test_answers_of_a_batch_and_of_a_cache_count_at_what_they_cost(
    server: FaultServer, tmp_path: Path
) -> None:
    remote = RemoteParams(api_url=server.api_url, api_key="sk-hidden", batch_poll_s=0.01)
    engine = OpenAIInferenceEngine(ModelParams(model_name="gpt-4o-mini"), remote_params=remote)
    cache, output = str(tmp_path / "answers.sqlite"), tmp_path / "out.jsonl"
    given = [ask(f"row-{i}") for i in range(3)]
    with engine:
        engine.infer(given[:1], InferenceConfig(cache=cache))
        engine.infer(given[:2], InferenceConfig(cache=cache, batch=True, output_path=str(output)))
        engine.infer(given, InferenceConfig(output_path=str(output)))
    facts, _ = parts(write_report([output], tmp_path / "page.html"))
    summary = json.loads(Path(f"{output}.run.json").read_text())
    assert facts["figures"]["cost_usd"] == summary["cost_usd"] > 0


def test_latencies_stay_unknown_after_another_order(
    engine: LlamaCppInferenceEngine, write_jsonl: Any, tmp_path: Path
) -> None:
    """The journal has the rows under the numbers of the first run."""
    config = short(input_path=str(tmp_path / "in.jsonl"), output_path=str(tmp_path / "out.jsonl"))
    write_jsonl(sums(4))
    engine.infer(None, config)
    write_jsonl([*reversed(sums(4)), ask("What is 40 plus 2?")])
    engine.infer(None, config)
    _, rows = parts(write_report([tmp_path / "out.jsonl"]))
    journal = [
        json.loads(line) for line in (tmp_path / "out.jsonl.journal").read_text().split("\n")[1:-1]
    ]
    recorded = {
        r["completion"]["message"]["content"]: r["latency_s"] for r in journal if "key" in r
    }
    for row in rows:
        if "latency_s" in row:
            answer = row["conversation"]["messages"][-1]["content"]
            assert recorded[answer] == row["latency_s"]
    assert "latency_s" in rows[4]


def test_a_result_in_memory(engine: LlamaCppInferenceEngine, tmp_path: Path) -> None:
    result = engine.infer_partial([ask("What is 2 plus 2?"), ask("And 3?")], short())
    report = result.report(tmp_path / "page.html", opens=False)
    facts, rows = parts(report)
    assert facts["figures"]["rows"] == 2
    assert rows[0]["conversation"] == result.conversations[0].to_dict()
    assert facts["summary"] is None


def test_a_result_opens_its_report(tmp_path: Path) -> None:
    script = "from oumi.core.types import InferenceResult; print(InferenceResult().report())"
    browser = f'{sys.executable} -c \'open("opened", "w").write("%s")\''
    env = {**os.environ, "BROWSER": browser}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, check=True, timeout=60)
    assert (tmp_path / "opened").read_text() == (tmp_path / "report.html").as_uri()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_of_answers(engine: LlamaCppInferenceEngine, tmp_path: Path, ending: str) -> None:
    source, output = tmp_path / "in.csv", tmp_path / f"out.{ending}"
    source.write_text("id,text\na,What is 1 plus 1?\nb,What is 2 plus 2?\n")
    config = short(input_path=str(source), output_path=str(output), prompt="{{ text }}")
    engine.infer_partial(None, config)
    facts, rows = parts(write_report([output]))
    assert facts["figures"]["statuses"] == {"done": 2}
    assert [row["conversation"]["messages"][0]["content"] for row in rows] == [
        "What is 1 plus 1?",
        "What is 2 plus 2?",
    ]
    assert [row["conversation"]["conversation_id"] for row in rows] == ["a", "b"]
    summary = json.loads(Path(f"{output}.run.json").read_text())
    usage = facts["figures"]["usage"]
    assert usage["completion_tokens"] == summary["usage"]["completion_tokens"]
    assert all(row["latency_s"] > 0 for row in rows)


def test_failed_rows_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    table.write_text(
        "question,answer,finish_reason,prompt_tokens,completion_tokens,cost_usd,error\n"
        'one,yes,stop,5,1,0.5,\ntwo,,,,,,"status 400: no"\n'
    )
    facts, rows = parts(write_report([table]))
    assert facts["figures"]["statuses"] == {"done": 1, "failed": 1}
    assert facts["figures"]["cost_usd"] == 0.5
    assert rows[1]["failure"]["error_message"] == "status 400: no"


def test_a_run_without_an_output_yet(tmp_path: Path) -> None:
    output = write_run(tmp_path / "out.jsonl", tickets(30))
    output.unlink()
    journal = tmp_path / "out.jsonl.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"row":7,' not in line) + b'{"key":"')
    facts, rows = parts(write_report([output]))
    figures = facts["figures"]
    assert figures["rows"] == 30
    assert figures["statuses"]["unanswered"] == 1
    assert rows[0]["conversation"]["messages"][-1]["role"] == "assistant"


def test_of_many_rows_a_sample_and_every_failure(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one.jsonl", tickets(2000))
    other = write_run(tmp_path / "other.jsonl", tickets(2000, seed=2))
    report = write_report([one, other], most_rows=200)
    (first, rows), (second, others) = parts(report, 0), parts(report, 1)
    assert first["figures"]["rows"] == 2000
    assert first["share"] == 0.1
    failed = [row for row in rows if "failure" in row]
    assert len(failed) == first["figures"]["statuses"]["failed"]
    assert 140 < len(rows) - len(failed) < 260
    assert first["columns"]["fact:row"]["numbers"] == [row["row"] for row in rows]
    sampled = {r["row"] for r in rows if "failure" not in r}
    lost = {r["row"] for r in others if "failure" in r} | {r["row"] for r in failed}
    assert sampled - lost == {r["row"] for r in others if "failure" not in r} - lost
    assert second["figures"]["rows"] == 2000


def test_rows_that_cannot_be_read_are_failures(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    good = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
    odd = '{"messages": [7, {"role": "user", "content": ["x", null, {"type": 3}]}], "metadata": 5}'
    good = good[:-1] + ', "metadata": {"usage": {"prompt_tokens": "5"}, "finish_reason": [1]}}'
    output.write_text(f"{good}\n{{\n{odd}\n[1]\n")
    facts, rows = parts(write_report([output]))
    assert facts["figures"]["statuses"] == {"done": 1, "failed": 2, "unanswered": 1}
    assert rows[1]["failure"]["error_message"].startswith("line 2: not JSON")


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: no such file, and no journal"):
        write_report([tmp_path / "none.jsonl"])
    with pytest.raises(InputError, match="a folder; name the output file"):
        write_report([tmp_path])
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(InputError, match=r"list\.json: int in place of an object"):
        write_report([tmp_path / "list.json"])
    (tmp_path / "noise.jsonl").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=r"noise\.jsonl"):
        write_report([tmp_path / "noise.jsonl"])
    output = write_run(tmp_path / "out.jsonl", [talk({"role": "user", "content": "q"}, ANSWER)])
    with pytest.raises(InputError, match=r"name that one: .*out\.jsonl"):
        write_report([tmp_path / "out.jsonl.run.json"])
    with pytest.raises(OutputExistsError, match="not a report"):
        write_report([output], output)
    write_report([output])
    write_report([output])  # one report may take the place of another


ANSWER = {"role": "assistant", "content": "a"}


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    outputs = [tmp_path / folder / "out.jsonl" for folder in ("cold", "warm")]
    report = write_report([write_run(output, tickets(2)) for output in outputs])
    assert [parts(report, i)[0]["name"] for i in range(2)] == ["cold/out.jsonl", "warm/out.jsonl"]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    output = write_run(tmp_path / "out.jsonl", tickets(50))
    first = write_report([output], tmp_path / "a.html").read_bytes()
    assert write_report([output], tmp_path / "b.html").read_bytes() == first


def test_an_empty_result(tmp_path: Path) -> None:
    facts, rows = parts(InferenceResult().report(tmp_path / "page.html", opens=False))
    assert rows == []
    assert facts["figures"]["rows"] == 0
    assert not list(filter(None, [facts["columns"], facts["starts"]]))


def test_one_row_of_many_megabytes_ends_its_block(tmp_path: Path) -> None:
    rows: list[Made] = [talk({"role": "user", "content": "q" * 3_000_000}, ANSWER)] * 3
    facts, _ = parts(write_report([write_run(tmp_path / "out.jsonl", rows)]))
    assert facts["starts"] == [0, 2]


def test_the_command_in_a_report_finds_its_run_done(
    engine: LlamaCppInferenceEngine, write_jsonl: Any, tmp_path: Path
) -> None:
    write_jsonl(sums(3))
    guided = GuidedDecodingParams(
        json={"type": "object", "properties": {"sum": {"type": "integer"}}}
    )
    config = InferenceConfig(
        generation=GenerationParams(max_new_tokens=20, guided_decoding=guided),
        input_path=str(tmp_path / "in.jsonl"),
        output_path=str(tmp_path / "it's out.jsonl"),
    )
    engine.infer_partial(None, config)
    facts, _ = parts(write_report([tmp_path / "it's out.jsonl"]))
    command = facts["command"].replace("oumi ", f"{sys.executable} -m oumi ", 1)
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert "Nothing to do: all 3 rows were answered before" in done.stderr
