"""`oumi compare`: a run for each combination, each of which can go on, and a table of all."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from oumi.cli.compare.variants import read_variants
from tests.cli.conftest import start, write_sums
from tests.cli.terminal import LIMIT_S, Terminal
from tests.fault_server import FaultServer

SHORT = ("--max_tokens", "5")
MODELS = ("-m", "gpt-4o-mini", "-m", "gpt-4o")
ROWS = 4


@pytest.fixture
def api(server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A server in the place of OpenAI, and rows for it."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")
    lines = [
        json.dumps({"messages": [{"role": "user", "content": f"row-{i}"}]}) for i in range(ROWS)
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    server.plan()
    return server


def table_of(shown: str) -> dict[str, list[str]]:
    """The cells of each line of the table by the run's name."""
    lines = shown.split("\n\n")[0].splitlines()
    assert lines[0].split()[:3] == ["run", "done", "failed"]
    return {name: cells for name, *cells in (line.split() for line in lines[1:])}


def test_models_behind_an_api(oumi, api: FaultServer, tmp_path: Path) -> None:
    done = oumi("compare", "in.jsonl", *MODELS)
    assert done.returncode == 0, done.stderr
    assert "1/2 gpt-4o-mini\n" in done.stderr
    table = table_of(done.stdout)
    small, large = table["gpt-4o-mini"], table["gpt-4o"]
    assert small[:2] == large[:2] == [str(ROWS), "0"]
    summary = json.loads((tmp_path / "compare" / "gpt-4o.jsonl.run.json").read_text())
    assert large[2] == str(summary["usage"]["completion_tokens"])
    assert large[3] == f"${summary['cost_usd']:.4f}"
    assert small[-1] == "–"
    assert large[-3:] == ["100%", "of", str(ROWS)]
    assert done.stdout.endswith("\nRow by row: compare/report.html\n")
    assert 'data-runs="2"' in (tmp_path / "compare" / "report.html").read_text()
    again = oumi("compare", "-q", "in.jsonl", *MODELS)
    assert (again.stdout, again.stderr) == (done.stdout, "")
    assert set(api.answered().values()) == {2}, "once for each model, and no more"


def test_a_run_that_fails_leaves_the_others(
    oumi, api: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.plan(scripts={"row-2": [{"kind": "status", "code": 400}] * 2})
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    (tmp_path / "away.yaml").write_text("{model: {model_name: m}, engine: ANTHROPIC}")
    (tmp_path / "here.yaml").write_text("{model: {model_name: gpt-4o}, output_path: other.jsonl}")
    configs = ("-c", "away.yaml", "-c", "here.yaml")
    options = ("--model.model_max_length", "-3")
    wrong = oumi("compare", "in.jsonl", *configs, *options)
    assert wrong.returncode == 2, "settings are checked before anything is sent"
    assert api.stats()["rows"] == {}
    done = oumi("compare", "in.jsonl", *configs)
    assert done.returncode == 3, done.stderr
    assert "error: away: ANTHROPIC: no key" in done.stderr
    assert "here: output_path is not used: all answers go to compare" in done.stderr
    assert not (tmp_path / "other.jsonl").exists()
    assert "away (not begun)" in done.stdout
    assert table_of(done.stdout)["here"][:2] == ["3", "1"]
    api.plan()
    again = oumi("compare", "in.jsonl", *configs)
    assert table_of(again.stdout)["here"][:2] == ["4", "0"]
    assert api.answered() == {"row-2": 1}, "the others are recorded"


def test_what_is_interrupted_goes_on(oumi, api: FaultServer, tmp_path: Path) -> None:
    api.plan(scripts={"row-3": [{"kind": "answer"}, {"kind": "hang"}]})
    run = start("compare", "in.jsonl", *MODELS, "--output_path", "both", cwd=tmp_path)
    api.wait_until(lambda stats: sum(seen for seen, _ in stats["rows"].values()) == 2 * ROWS)
    run.send_signal(signal.SIGTERM)
    api.wait_until(lambda stats: sum(ok for _, ok in stats["rows"].values()) == 2 * ROWS - 1)
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 143, err
    assert out == ""
    assert f"oumi compare in.jsonl {' '.join(MODELS)} --output_path both" in err
    assert (tmp_path / "both" / "gpt-4o-mini.jsonl").exists()
    assert not (tmp_path / "both" / "gpt-4o.jsonl").exists()
    api.plan()
    again = oumi("compare", "in.jsonl", *MODELS, "--output_path", "both")
    assert again.returncode == 0, again.stderr
    assert api.answered() == {"row-3": 1}
    assert table_of(again.stdout)["gpt-4o"][-3:] == ["100%", "of", str(ROWS)]


def test_all_combinations_of_a_table_with_a_schema(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("word,language\nbread,French\nwater,German\n")
    (tmp_path / "a.yaml").write_text("{generation: {max_new_tokens: 40}}")
    (tmp_path / "b.v2.yaml").write_text("{generation: {max_new_tokens: 41}}")
    prompts = ("--prompt", "{{ word }} in {{ language }}, as JSON", "--prompt", "{{ word }}?")
    done = oumi(
        *("compare", "in.csv", "-c", "a.yaml", "-c", "b.v2.yaml", *prompts),
        *("--schema", "is_long bool", "-n", "2", "-t", "1.0", "--generation.seed", "1"),
    )
    assert done.returncode == 0, done.stderr
    names = [f"{c}_prompt={p}" for c in ("a", "b.v2") for p in ("word-in-language-as-JSON", "word")]
    assert list(table_of(done.stdout)) == names
    lines = (tmp_path / "compare" / f"{names[0]}.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert [row["messages"][0]["content"] for row in answers] == [
        *["bread in French, as JSON"] * 2,
        *["water in German, as JSON"] * 2,
    ]
    assert {cells[0] for cells in table_of(done.stdout).values()} == {"4"}
    assert all(cells[-2:] == ["of", "2"] for cells in list(table_of(done.stdout).values())[1:])


def names_of(setting: str, *values: str) -> list[str]:
    """What runs are called that differ in a setting."""
    return [one.name for one in read_variants([], [(setting, json.dumps(v)) for v in values])]


def test_names_of_files_are_plain_short_and_different() -> None:
    models = names_of("model.model_name", "groq/gpt-oss-20b", "gpt-oss-20b", "../m/tiny.Q4.gguf")
    assert models == ["groq-gpt-oss-20b", "gpt-oss-20b", "tiny.Q4"]
    assert names_of("generation.temperature", "0.0", "1.50") == [
        "temperature=0.0",
        "temperature=1.50",
    ]
    long, longer, other = names_of("system", "word " * 90, "word " * 91, "../../etc/passwd")
    assert long != longer
    assert all(len(name) < 80 for name in (long, longer))
    assert other == "system=etc-passwd"
    upper, lower, sign = names_of("system", "Be Brief", "be brief", "be brief!")
    assert upper == "system=Be-Brief"
    assert len({name.lower() for name in (upper, lower, sign)}) == 3
    assert all(name.isascii() for name in names_of("system", "你好", "¡hola!"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["in.jsonl", "-m", "oumi-tiny"], "Nothing to compare: give -c, -m, -t or any other"),
        (["in.jsonl", "-t", "0", "-t", "0"], "--generation.temperature 0 is given twice"),
        (["-t", "0", "-t", "1"], "Nothing to answer: give a file"),
        (["--input_path", "-", "-t", "0", "-t", "1"], "Standard input is read once"),
        (["Why?", "-t", "0", "-t", "1"], "name the file before it"),
        (["in.jsonl", "-c", "a.yaml", "-c", "a.yaml"], "-c a.yaml is given twice"),
        (["-c", "a.yaml", "-c", "b.yaml"], "different inputs, a.jsonl and others"),
        (["in.jsonl", "-t", "0", "-t", "1", "--output_path", "x.csv"], "name a folder"),
        (["--input_path", "a", "--input_path", "b"], "--input_path is of all runs together"),
        (["in.jsonl", "--remote_params.api_key", "k1", "--remote_params.api_key", "k2"], "a key"),
        (["in.jsonl", "-t", "0", "-t", "high"], "generation.temperature"),
    ],
)
def test_what_cannot_be_compared(
    oumi_here, tmp_path: Path, monkeypatch, arguments, problem
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"input_path: {name}.jsonl\n")
    done = oumi_here("compare", *arguments)
    assert done.returncode == 2
    assert problem in " ".join(done.stderr.split())
    assert not (tmp_path / "compare").exists()


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_has_numbers_for_names(tmp_path: Path, width: int) -> None:
    write_sums(tmp_path / "in.jsonl", 2)
    arguments = ("compare", "-q", "in.jsonl", *SHORT, "-t", "0", "-t", "1", "-s", "Be brief.")
    with Terminal(*arguments, "-s", "Explain.", cwd=tmp_path, size=(30, width)) as terminal:
        assert terminal.wait() == 0
    lines = terminal.screen().rstrip().splitlines()
    last = "temperature=1_system=Explain"
    if width == 80:
        assert lines[4].split()[:3] == ["4", "2", "0"]
        assert f"4  {last}" in lines
    else:
        assert lines[4].split()[:3] == [last, "2", "0"]
    assert lines[-1] == "Row by row: compare/report.html"
