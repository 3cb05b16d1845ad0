"""What a shell is offered: as its script asks for it, and as bash itself shows it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def offered(*words: str) -> list[str]:
    """What is offered for the last word."""
    environment = {
        **os.environ,
        "_OUMI_COMPLETE": "fish_complete",
        "COMP_WORDS": " ".join(["oumi", *words[:-1], words[-1]]),
        "COMP_CWORD": words[-1],
    }
    command = [sys.executable, "-m", "oumi"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [line.partition(",")[2].partition("\t")[0] for line in done.stdout.splitlines()]


def test_commands_and_options() -> None:
    assert {"chat", "infer", "config"} <= set(offered(""))
    assert "--model" in offered("infer", "--mod")


def test_settings_by_their_path() -> None:
    assert offered("infer", "--generation.top_") == ["--generation.top_p", "--generation.top_k"]
    assert "--remote_params.api_url" in offered("batch", "submit", "--remote_params.")


def test_engines_and_models() -> None:
    assert offered("infer", "--engine", "open") == ["OPENAI", "OPENROUTER"]
    assert "gpt-4o-mini" in offered("chat", "-m", "gpt-4o")
    assert offered("engines", "lla") == ["LLAMACPP"]


def test_jobs(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"messages": [{"role": "user", "content": "hi"}]}\n')
    job = oumi("batch", "submit", "--input_path", "in.jsonl").stdout.strip()
    oumi("batch", "wait", job, "--every", "0.2")
    assert offered("batch", "status", job[:8]) == [job]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(oumi, shell: str) -> None:
    done = oumi("completion", shell)
    assert done.returncode == 0
    assert "_OUMI_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
