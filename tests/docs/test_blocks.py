"""The code on the pages runs as it stands, and prints what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig
from tests.docs.pages import PAGES, Block, blocks, outputs, script
from tests.fault_server import FaultServer

WITH_PYTHON = [page for page in PAGES if script(page, "python")]
WITH_BASH = [page for page in PAGES if script(page, "bash")]
YAML = [
    (page, block)
    for page in PAGES
    for block in blocks(page)
    if block.language == "yaml" and block.runs
]
_ASKED_FOR_FRANCE = {"README.md", "getting_started.md"}
_PRODUCT = {"name": "iPhone 15", "price": 999, "features": ["USB-C"], "color": "titanium"}


@pytest.fixture(scope="module")
def api() -> Iterator[dict[str, str]]:
    """The environment of a page, in which the API is a server that answers in JSON."""
    with FaultServer(message={"content": json.dumps(_PRODUCT)}) as server:
        yield {
            "OPENAI_BASE_URL": server.api_url,
            "OPENAI_API_KEY": "sk-of-the-pages",
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "sk-of-the-pages",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.url,
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIDOFTHEPAGES",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-pages",
        }


def _run(command: list[str], folder: Path, api: dict[str, str]) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **api, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_python_blocks_run(page: Path, tmp_path: Path, api: dict[str, str]) -> None:
    file = tmp_path / f"{page.stem}.py"
    file.write_text(script(page, "python"), encoding="utf-8")
    printed = _run([sys.executable, "-W", "error", str(file)], tmp_path, api)
    at = 0
    for shown in outputs(page):
        assert shown in printed[at:], f"not printed: {shown}\nprinted: {printed}"
        at = printed.index(shown, at) + len(shown)
    if page.name in _ASKED_FOR_FRANCE:
        assert "Paris" in printed


@pytest.mark.parametrize("page", WITH_BASH, ids=lambda page: page.stem)
def test_bash_blocks_run(page: Path, tmp_path: Path, api: dict[str, str]) -> None:
    _run(["bash", "-euo", "pipefail", "-c", script(page, "bash")], tmp_path, api)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_block_is_overlooked(page: Path) -> None:
    fences = page.read_text(encoding="utf-8").count("\n```")
    assert fences == 2 * (len(blocks(page)) + (page.name == "index.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_that_do_not_run_are_python_at_least(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.code, f"{page.name}:{block.line}", "exec")


@pytest.mark.parametrize(("page", "block"), YAML)
def test_yaml_blocks_are_settings(page: Path, block: Block, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(block.code)
    InferenceConfig.from_yaml(file)
