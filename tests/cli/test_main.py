"""The command itself: help, version, how errors end."""

import subprocess
import sys
from pathlib import Path

import pytest

from oumi import errors
from oumi.cli.errors import guard


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from oumi.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'rich', 'yaml', 'orjson', 'uvloop', 'xllamacpp', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in ("infer", "show", "engines"))


def test_version(oumi) -> None:
    done = oumi("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "oumi-infer")


def test_console_script() -> None:
    script = Path(sys.executable).with_name("oumi")
    done = subprocess.run([script, "infer", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "--input_path" in done.stdout


def test_misspelt_command(oumi) -> None:
    done = oumi("infr")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.InputError("x"), 2),
        (errors.AccessError("x"), 3),
        (errors.UnavailableError("x"), 4),
        (errors.MissingDependencyError("x"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    def fail() -> int:
        raise error

    assert guard(fail) == code


def test_a_bug_leaves_a_log_without_values(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["oumi", "infer", "--remote_params.api_key=sk-secret"])
    assert guard(lambda: 1 // 0) == 70
    (log,) = tmp_path.glob("oumi-error-*.log")
    assert str(log) in capsys.readouterr().err
    text = log.read_text()
    assert "ZeroDivisionError" in text
    assert "oumi-infer" in text
    assert "sk-secret" not in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_no_bug(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text('{"messages": [{"role": "user", "content": "a"}]}\n')
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "oumi", "show", "a.jsonl"]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (5, "error: No space left on device\n")
