"""The latency is that of requests; what a row waits for besides is named apart."""

import json
from pathlib import Path

from tests.fault_server import FaultServer


def test_a_pause_that_the_server_asks_for_is_no_latency(
    oumi, server: FaultServer, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")
    server.plan(scripts={"row-0": [{"kind": "status", "code": 429, "retry_after_s": 1}]})
    row = {"messages": [{"role": "user", "content": "row-0"}]}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    done = oumi("infer", "in.jsonl", "-m", "gpt-4o-mini", "--output_path", "out.jsonl")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out.jsonl.journal").read_text().splitlines()[-1])
    assert record["waited_s"] >= 1, "Retry-After is part of it"
    figures = json.loads((tmp_path / "out.jsonl.run.json").read_text())["last_session"]
    for name in ("latency_s", "waited_s"):
        assert abs(figures[name]["p50"] - record[name]) <= 0.02 * record[name] + 0.0001
    assert record["latency_s"] < figures["seconds"] - 1, "only the try that was answered"
    assert f"latency   p50 {figures['latency_s']['p50']:.3f} s" in done.stderr
    assert f"waited    p50 {figures['waited_s']['p50']:.3f} s" in done.stderr
    assert " · waited " in done.stderr
    assert "first_token_s" not in record, "it came in one piece"


def test_the_first_piece_of_an_answer_is_timed(oumi, server: FaultServer, tmp_path: Path) -> None:
    slow = {"kind": "slow", "seconds": 1, "pieces": 10}
    server.plan(scripts={"row-0": [slow]})
    row = {"messages": [{"role": "user", "content": "row-0"}]}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    command = ["infer", "in.jsonl", "--engine", "REMOTE_VLLM", "-m", "m"]
    command += ["--remote_params.api_url", server.api_url, "--output_path", "out.jsonl"]
    done = oumi(*command, "--generation.max_new_tokens", "20000")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out.jsonl.journal").read_text().splitlines()[-1])
    assert 0 < record["first_token_s"] < record["latency_s"] - 0.5
    assert "first_token_s" not in (tmp_path / "out.jsonl").read_text()
