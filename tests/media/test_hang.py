"""A file system that hangs: rows without files go on, and signals end the program."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oumi.backends.media.files import READ_TIMEOUT_S
from tests.cli.terminal import LIMIT_S
from tests.fault_server import FaultServer
from tests.remote.talks import PNG

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs LD_PRELOAD and a compiler"
)
ROWS = 40
HANGING = 12
"""More than there are threads in the pool of an event loop on a small machine."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("slow") / "slow.so"
    source = Path(__file__).parent / "slow.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


def rows(count: int) -> str:
    """Rows whose image cannot be read, and then `count` rows of text."""
    image = {"type": "image_path", "content": "slow.png"}
    hanging = [{"role": "user", "content": [image]}]
    others = [[{"role": "user", "content": f"row-{i}"}] for i in range(count)]
    messages = [*[hanging] * HANGING, *others]
    return "".join(json.dumps({"messages": one}) + "\n" for one in messages)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_rows_go_on_and_a_signal_ends_the_run(server: FaultServer, tmp_path, library, number):
    (tmp_path / "slow.png").write_bytes(PNG)
    (tmp_path / "in.jsonl").write_text(rows(ROWS))
    words = ["infer", "--engine", "REMOTE", "--model.model_name", "m"]
    words += ["--remote_params.api_url", server.api_url]
    words += ["--input_path", "in.jsonl", "--output_path", "out.jsonl"]
    with subprocess.Popen(
        [sys.executable, "-m", "oumi", *words],
        cwd=tmp_path,
        env={**os.environ, "LD_PRELOAD": str(library)},
        stderr=subprocess.PIPE,
    ) as run:
        wait_for_lines(tmp_path / "out.jsonl.journal", ROWS + 1)
        run.send_signal(number)
        _, shown = run.communicate(timeout=READ_TIMEOUT_S - 5)
    assert run.returncode == 128 + number
    assert shown.count(b"a file that hangs was opened") == HANGING
    assert f"{ROWS} of {ROWS + HANGING} rows are done".encode() in shown
    assert not (tmp_path / "out.jsonl").exists()


def wait_for_lines(journal: Path, count: int) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not journal.exists() or journal.read_bytes().count(b"\n") < count:
        assert time.monotonic() < end_s, "the rows without files do not go on"
        time.sleep(0.02)
