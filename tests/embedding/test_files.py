"""`oumi embed` and `engine.embed` on files."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oumi.core.configs import EmbeddingParams, InferenceConfig
from oumi.errors import ConfigError, InferenceError, OutputExistsError, StorageError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import count_records
from tests.data.writing import write_rows
from tests.fault_server import FaultServer
from tests.fault_server.embeddings import vector

ROWS = [{"id": i, "text": f"text {i}", "tags": ["a", "b"]} for i in range(40)]
VECTORS = [vector(row["text"]) for row in ROWS]


def run(engine: RemoteInferenceEngine, source: Path, output: Path, **fields: Any) -> Path:
    usual = {"embedding": EmbeddingParams(texts_per_request=8)}
    paths = {"input_path": str(source), "output_path": str(output)}
    engine.embed(None, InferenceConfig(**{**usual, **paths, **fields}))
    return output


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet", ".jsonl.gz"])
def test_all_formats_of_input(ending: str, remote: RemoteInferenceEngine, tmp_path: Path):
    source = write_rows(tmp_path / f"in{ending}", ROWS)
    table = pq.read_table(run(remote, source, tmp_path / "out.parquet"))
    assert table.column_names == ["id", "text", "tags", "embedding", "error"]
    assert table.schema.field("embedding").type == pa.list_(pa.float32())
    assert table["embedding"].to_pylist() == VECTORS
    assert table["text"].to_pylist() == [row["text"] for row in ROWS]


def test_jsonl_out_keeps_all_fields(remote: RemoteInferenceEngine, tmp_path: Path):
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    output = run(remote, source, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    expected = zip(ROWS, VECTORS, strict=True)
    assert lines == [{**row, "embedding": one, "error": None} for row, one in expected]


def test_another_column_or_a_template(
    remote: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    rows = [{"body": "b", "temperature": "hot", "messages": "x"}]
    source = write_rows(tmp_path / "in.jsonl", rows)
    run(remote, source, tmp_path / "out.jsonl", text_column="body")
    run(remote, source, tmp_path / "also.jsonl", prompt="search_query: {{ body }}")
    assert server.stats()["embedded"] == {"b": 1, "search_query: b": 1}
    with pytest.raises(ConfigError, match="text_column: 'text' is no column of the input"):
        run(remote, source, tmp_path / "other.jsonl")


def test_a_rerun_asks_nothing_twice(
    remote: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    output = run(remote, source, tmp_path / "out.parquet")
    before, requests = output.read_bytes(), server.stats()["requests"]
    run(remote, source, output)
    assert server.stats()["requests"] == requests
    assert output.read_bytes() == before

    more = [{"id": 99, "text": "text 99", "tags": []}, *reversed(ROWS)]
    run(remote, write_rows(source, more), output)
    embedded = server.stats()["embedded"]
    assert embedded == dict.fromkeys([row["text"] for row in more], 1), "by key, not by number"
    assert pq.read_table(output)["embedding"].to_pylist() == [vector(r["text"]) for r in more]


def test_other_dimensions_are_another_run(remote: RemoteInferenceEngine, tmp_path: Path):
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    output = run(remote, source, tmp_path / "out.parquet")
    with pytest.raises(OutputExistsError, match="dimensions"):
        run(remote, source, output, embedding=EmbeddingParams(dimensions=2))


def test_rows_that_fail_have_nulls_and_the_next_run_asks_them_alone(
    remote: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    server.plan(refused_text="text 7")
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    output = tmp_path / "out.parquet"
    with pytest.raises(InferenceError, match="1 of 40 rows failed; row 7") as caught:
        run(remote, source, output)
    result = caught.value.result
    assert [list(one) for one in result.vectors] == VECTORS[:7] + VECTORS[8:]
    row = pq.read_table(output).to_pylist()[7]
    assert row["embedding"] is None
    assert "maximum context length" in row["error"]
    [failed] = Path(f"{output}.failures.jsonl").read_text().splitlines()
    assert json.loads(failed)["columns"]["id"] == 7

    server.plan()
    run(remote, source, output)
    assert server.stats()["embedded"] == {"text 7": 1}
    assert pq.read_table(output)["embedding"].to_pylist() == VECTORS
    assert not Path(f"{output}.failures.jsonl").exists()


def test_a_result_without_its_journal(remote: RemoteInferenceEngine, tmp_path: Path):
    source, output = write_rows(tmp_path / "in.jsonl", ROWS), tmp_path / "out.parquet"
    run(remote, source, output)
    Path(f"{output}.journal").unlink()
    paths = InferenceConfig(input_path=str(source), output_path=str(output))
    result = remote.embed(None, paths)
    assert len(result.vectors) == 40
    with pytest.raises(StorageError, match="the journal, from which vectors are read"):
        list(result.vectors)


RUN = """
import sys
from oumi.core.configs import EmbeddingParams, InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
remote = RemoteParams(api_url=sys.argv[1], num_workers=2, use_adaptive_concurrency=False)
config = InferenceConfig(
    input_path=sys.argv[2], output_path=sys.argv[3],
    embedding=EmbeddingParams(texts_per_request=5),
)
with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
    engine.embed(None, config)
"""


def start(server: FaultServer, source: Path, output: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, server.api_url, str(source), str(output)])


def test_a_kill_costs_at_most_what_was_in_flight(server: FaultServer, tmp_path: Path):
    source = write_rows(tmp_path / "in.jsonl", [{"text": f"text {i}"} for i in range(200)])
    unbroken, output = tmp_path / "unbroken.parquet", tmp_path / "out.parquet"
    assert start(server, source, unbroken).wait(60) == 0
    server.plan(latency_ms=20)
    journal = Path(f"{output}.journal")
    for goal in (20, 70, 120):
        process = start(server, source, output)
        while count_records(journal) < goal and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert not output.exists()
    recorded, requests = count_records(journal), server.stats()["requests"]
    assert requests * 5 <= recorded + 3 * 2 * 5, "no more is lost than was in flight"
    server.plan()
    assert start(server, source, output).wait(60) == 0
    assert sum(server.stats()["embedded"].values()) == 200 - recorded, "none is asked again"
    assert output.read_bytes() == unbroken.read_bytes()


def test_the_command(oumi: Callable[..., Any], tmp_path: Path):
    write_rows(tmp_path / "texts.jsonl", ROWS[:3])
    done = oumi("embed", "texts.jsonl", "-o", "vectors.parquet")
    assert done.returncode == 0, done.stderr
    assert "3 done" in done.stderr
    table = pq.read_table(tmp_path / "vectors.parquet")
    assert [len(one) for one in table["embedding"].to_pylist()] == [256, 256, 256]
    again = oumi("embed", "texts.jsonl", "-o", "vectors.parquet")
    assert again.stderr.splitlines()[-1].startswith("Nothing to do: all 3 rows")

    settings = "input_path: texts.jsonl\noutput_path: '-'\ntext_column: id\n"
    (tmp_path / "run.yaml").write_text(settings)
    printed = oumi("embed", "-c", "run.yaml", "-q")
    lines = [json.loads(line) for line in printed.stdout.splitlines()]
    assert [line["id"] for line in lines] == [0, 1, 2]
    assert all(len(line["embedding"]) == 256 for line in lines)


def test_what_the_command_refuses(oumi: Callable[..., Any], tmp_path: Path):
    assert "Nothing to embed" in oumi("embed").stderr
    write_rows(tmp_path / "texts.jsonl", ROWS[:3])
    no = oumi("embed", "texts.jsonl", "-m", "claude-opus-4-5", "--remote_params.api_key", "k")
    assert no.returncode == 2
    assert "ANTHROPIC makes no embeddings; engines that do: LLAMACPP" in no.stderr


def test_the_example():
    example = Path(__file__).parents[2] / "examples" / "embeddings.py"
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "What is 5 plus 6? -> What is 12 plus 30? | What is 7 plus 8?",
        "The capital of Japan is Tokyo. -> The capital of Italy is Rome. | "
        "The capital of Spain is Madrid.",
    ]
