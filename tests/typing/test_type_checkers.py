"""What the documentation shows passes the type checkers of its users, at their strictest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_EXAMPLE = Path(__file__).parent / "public_api.py"
_WRONG = """\
from oumi.core.configs import GenerationParams, RemoteParams
from oumi.core.types.conversation import Message

GenerationParams(max_new_tokens="many")
RemoteParams(api_key=5)
Message(content="no role")
"""


def _mypy(file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    # Without this project's settings: a user's mypy has no plugin of Pydantic.
    config = folder / "mypy.ini"
    config.write_text("[mypy]\n", encoding="utf-8")
    command = ["mypy", "--strict", "--config-file", str(config), str(file)]
    return _run([*command, "--cache-dir", str(folder)], folder)


def _pyright(file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    # basedpyright is Pyright from PyPI, which in this mode reports what Pyright does.
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps({"typeCheckingMode": "strict", "include": [str(file)]}))
    command = ["basedpyright", "--project", str(config), "--pythonpath", sys.executable]
    return _run(command, folder)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_the_public_api_is_typed_for_mypy(tmp_path: Path) -> None:
    done = _mypy(_EXAMPLE, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_public_api_is_typed_for_pyright(tmp_path: Path) -> None:
    done = _pyright(_EXAMPLE, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_wrong_types_are_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(_WRONG, encoding="utf-8")
    assert _mypy(wrong, tmp_path).stdout.count(": error:") == 3
    assert _pyright(wrong, tmp_path).stdout.count(" - error:") == 3
