"""What a shell is offered: as its script asks for it, and as bash itself shows it."""

import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import FishComplete

from oumi.cli.main import cli
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import ask, short


def offered(*words: str) -> list[str]:
    """What is offered for the last word."""
    shell = FishComplete(cli, {}, "oumi", "_OUMI_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


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


def test_jobs(engine: LlamaCppInferenceEngine) -> None:
    job = engine.infer_batch([ask("hi")], short())
    engine.wait_for_batch(job, poll_interval_s=0.1)
    assert offered("batch", "status", job[:8]) == [job]


def test_as_a_shell_asks() -> None:
    asked = {"_OUMI_COMPLETE": "fish_complete", "COMP_WORDS": "oumi infer", "COMP_CWORD": "--mod"}
    command = [sys.executable, "-m", "oumi"]
    done = subprocess.run(
        command, env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("plain,--model\t")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(oumi_here, shell: str) -> None:
    done = oumi_here("completion", shell)
    assert done.returncode == 0
    assert "_OUMI_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
