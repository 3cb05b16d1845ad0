"""The command as a process of its own, with real files."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from oumi.cli.main import cli

Result = subprocess.CompletedProcess[str]

ENDLESS = (
    "--generation.guided_decoding.regex=[a-z ]{2000,}",
    "--generation.max_new_tokens=2000",
)
"""Settings with which each answer takes seconds."""


def start(*args: str, cwd: Path) -> subprocess.Popen[str]:
    """`oumi` with these arguments, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "oumi", *args],
        cwd=cwd,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def write_sums(path: Path, count: int) -> None:
    """A file of small questions."""
    lines = []
    for i in range(count):
        messages = [{"role": "user", "content": f"What is {i} plus {i % 7}?"}]
        lines.append(json.dumps({"conversation_id": f"sum-{i}", "messages": messages}) + "\n")
    path.write_text("".join(lines))


@pytest.fixture
def oumi(tmp_path: Path) -> Callable[..., Result]:
    """Run `oumi` in an empty folder and wait for its end."""

    def run(*args: str, stdin: str | bytes = "") -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "oumi", *args], cwd=tmp_path, input=data, capture_output=True
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


@pytest.fixture
def oumi_here() -> Callable[..., Result]:
    """Run `oumi` in this process: for commands without an engine, which take milliseconds."""

    def run(*args: str, stdin: str = "") -> Result:
        done = CliRunner().invoke(cli, list(args), input=stdin, prog_name="oumi")
        return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)

    return run
