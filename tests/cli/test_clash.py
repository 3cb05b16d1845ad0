"""This distribution and another one called `oumi` in one environment, in both orders.

The other one is made here, with the paths that both have. The environments are thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_OTHERS = {
    "oumi/__init__.py": "",
    "oumi/cli/__init__.py": "",
    "oumi/cli/main.py": "def run():\n    print('the other one')\n",
    "oumi/builders/__init__.py": "",
    "oumi-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: oumi\nVersion: 1.0\n",
    "oumi-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "oumi-1.0.dist-info/entry_points.txt": "[console_scripts]\noumi = oumi.cli.main:run\n",
}


@pytest.fixture(scope="module")
def own_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this distribution, without its model, which would only take time."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    leave_out = shutil.ignore_patterns("*.gguf", "*.safetensors", "__pycache__")
    shutil.copytree(ROOT / "src", source / "src", ignore=leave_out)
    wheels = source / "dist"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    return next(wheels.glob("*.whl"))


@pytest.fixture(scope="module")
def other_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("other") / "oumi-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in _OTHERS.items():
            wheel.writestr(name, text)
        names = [*_OTHERS, "oumi-1.0.dist-info/RECORD"]
        wheel.writestr("oumi-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in names))
    return path


class Environment:
    """A virtual environment that sees the libraries of this one, but not this distribution."""

    def __init__(self, path: Path):
        self._bin = path / "bin"
        venv.create(path, with_pip=False)
        [packages] = (path / "lib").glob("python*/site-packages")
        (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def install(self, wheel: Path) -> None:
        self._pip("install", "--no-deps", "--no-index", "--no-compile", str(wheel))

    def remove(self, name: str) -> None:
        self._pip("uninstall", "--yes", name)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        words = [str(self._bin / command[0]), *command[1:]]
        return subprocess.run(words, capture_output=True, text=True, env=environment)

    def _pip(self, *words: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self._bin / "python"), "-q", *words]
        subprocess.run(pip, check=True, capture_output=True)


def test_the_other_one_installed_later(tmp_path: Path, own_wheel: Path, other_wheel: Path) -> None:
    environment = Environment(tmp_path / "env")
    environment.install(own_wheel)
    assert environment.run("oumi", "--version").stdout.startswith("oumi-infer")
    alone = environment.run("oumi-infer", "config")
    assert alone.returncode == 0, alone.stderr
    assert "warning" not in alone.stderr

    environment.install(other_wheel)
    assert environment.run("oumi").stdout == "the other one\n"
    done = environment.run("oumi-infer", "--version")
    assert done.returncode == 5
    assert "3 files of oumi-infer were replaced by those of oumi" in done.stderr
    assert "pip uninstall -y oumi oumi-infer" in done.stderr

    environment.remove("oumi")
    done = environment.run("oumi-infer", "--version")
    assert done.returncode == 5
    assert "are missing, such as oumi/__init__.py" in done.stderr
    assert "--force-reinstall" in done.stderr


def test_this_one_installed_later(tmp_path: Path, own_wheel: Path, other_wheel: Path) -> None:
    environment = Environment(tmp_path / "env")
    environment.install(other_wheel)
    environment.install(own_wheel)
    for command in ("oumi", "oumi-infer"):
        done = environment.run(command, "config", "path")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("config.yaml\n")
        assert "3 files of oumi were replaced by those of oumi-infer" in done.stderr
    done = environment.run("oumi", "doctor")
    assert done.returncode == 5
    assert "They cannot share an environment" in done.stdout
