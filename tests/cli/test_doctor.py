"""`oumi doctor`, and whether a key is set."""

import json
import re

import pytest

from oumi.backends.registry import engine_rows
from tests.cli.terminal import Terminal


def test_doctor(oumi_here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    done = oumi_here("doctor")
    assert done.returncode == 0, done.stdout
    lines = {line[:10].strip(): line[11:] for line in done.stdout.splitlines()}
    assert lines["keys"] == "set for OPENAI (OPENAI_API_KEY), REMOTE (OPENAI_API_KEY)"
    assert lines["faults"] == "none found"
    assert "sk-of-a-test" not in done.stdout + done.stderr
    facts = json.loads(oumi_here("doctor", "--json").stdout)
    assert facts["engines"].keys() == {row.name for row in engine_rows()}
    assert facts["keys_set"] == dict.fromkeys(("OPENAI", "REMOTE"), "OPENAI_API_KEY")
    assert "ANTHROPIC" in facts["keys_not_set"]


def test_engines_say_whether_a_key_is_set(oumi_here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-of-a-test")
    lines = {line.split()[0]: line.rstrip() for line in oumi_here("engines").stdout.splitlines()}
    assert lines["GROQ"].endswith("yes: GROQ_API_KEY is set")
    assert lines["OPENAI"].endswith("no key: OPENAI_API_KEY")
    assert lines["LLAMACPP"].endswith("yes")
    assert "here     set: GROQ_API_KEY" in oumi_here("engines", "GROQ").stdout
    assert json.loads(oumi_here("engines", "GROQ", "--json").stdout)["api"]["key_is_set"] is True
    assert json.loads(oumi_here("engines", "OPENAI", "--json").stdout)["api"]["key_is_set"] is False


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_the_window(columns: int, tmp_path) -> None:
    with Terminal("engines", cwd=tmp_path, size=(40, columns)) as terminal:
        assert terminal.wait() == 0
    lines = re.sub(r"\x1b\[[\d;]*m|\r", "", terminal.shown).splitlines()
    assert max(len(line) for line in lines) <= columns
    for row in engine_rows():
        assert sum(line.split(" ")[0] == row.name for line in lines) == 1
