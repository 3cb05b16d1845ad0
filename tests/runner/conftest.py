"""`oumi` on file systems that refuse; see faulty_disk.c."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.faulty_disk import Start

_FAULTY_DISK = Path(__file__).with_name("faulty_disk.c")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls of the system fail. Skips where none can be preloaded."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler")
    path = tmp_path_factory.mktemp("faulty_disk") / "faulty_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, _FAULTY_DISK, "-ldl"], check=True)
    return path


@pytest.fixture
def start(library: Path, tmp_path: Path) -> Iterator[Start]:
    """Start `oumi` in a folder of its own, on a disk with these faults."""
    started = []

    def run(*args: str, faults: str = "", shell: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "oumi", *args]
        if shell:
            command = ["sh", "-c", f'{shell}; exec "$@"', "sh", *command]
        env = {**os.environ, "LD_PRELOAD": str(library), "DISK_FAULTS": faults}
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
