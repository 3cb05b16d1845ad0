"""The examples of the command line, and one that takes arguments."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        words, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
    )


def test_the_command_line() -> None:
    done = run("sh", str(EXAMPLES / "command_line.sh"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:3] == [
        "The capital of France is Paris.",
        "The capital of Japan is Tokyo.",
    ]
    assert '"price": 20' in done.stdout
    assert "answer: The capital of Italy is Rome." in done.stdout


def test_a_comparison() -> None:
    done = run("sh", str(EXAMPLES / "compare.sh"))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[1:3]
    assert first.startswith("prompt=What-is-the-capital-of-country  ")
    assert second.split()[1:3] == ["3", "0"]
    done = run("sh", str(EXAMPLES / "compare.sh"), "oumi-tiny", "gpt-4o-mini")
    assert done.stdout.splitlines()[1].split()[:3] == ["oumi-tiny", "3", "0"]
    assert "error: gpt-4o-mini: OPENAI: no key" in done.stderr


def test_models_by_their_names() -> None:
    script = str(EXAMPLES / "compare_providers.py")
    done = run(sys.executable, script)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")
    done = run(sys.executable, script, "oumi-tiny", "gpt-4o-mini")
    assert "oumi-tiny: The capital of France is Paris." in done.stdout
    assert "gpt-4o-mini: OPENAI: no key" in done.stdout
