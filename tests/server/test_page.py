"""The page on serving, and its example, work against a server as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from oumi.server.docs_page import ENDPOINTS
from tests.docs.pages import ROOT, Block, blocks
from tests.server.process import Serve

PAGE = ROOT / "docs" / "serve.md"
ASKING = [b for b in blocks(PAGE) if b.mark == "not run: it asks the server"]
COMMANDS = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


def run(serve: Serve, *command: str) -> str:
    variables = {
        "OPENAI_BASE_URL": serve.api_url,
        "ANTHROPIC_BASE_URL": serve.url,
        "OPENAI_API_KEY": "any",
        "ANTHROPIC_API_KEY": "any",
    }
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", ASKING, ids=lambda block: f"line-{block.line}")
def test_blocks_that_ask_are_answered(tiny: Serve, block: Block):
    assert "Paris" in run(tiny, *COMMANDS[block.language], block.code)


def test_the_block_that_embeds(tiny: Serve):
    [block] = [b for b in blocks(PAGE) if b.mark == "not run: it embeds"]
    assert run(tiny, sys.executable, "-c", block.code) == "[256, 256]\n"


def test_the_page_has_clients():
    assert [block.language for block in ASKING] == ["bash", "python", "python", "python"]


def test_the_example_asks_with_both_clients(tiny: Serve):
    printed = run(tiny, sys.executable, str(ROOT / "examples" / "serve_clients.py"))
    assert printed.splitlines()[0] == "OpenAI's client: The capital of France is Paris."
    assert "as a Pydantic model: City" in printed
    assert printed.splitlines()[-1] == "Anthropic's client: The capital of France is Paris."


def test_the_keys_of_the_page_are_taken(tmp_path: Path):
    shown = next(b.code for b in blocks(PAGE) if "cat > keys.yaml" in b.code)
    path = tmp_path / "keys.yaml"
    path.write_text(shown.partition("<<'END'\n")[2].partition("\nEND\n")[0])
    keys = {"ALICES_KEY": "a-long-secret", "OUMI_API_KEYS": "bob:another-secret"}
    more = {"OPENAI_API_KEY": "sk-none", "HOME": str(tmp_path)}
    with Serve("-m", "gpt-4o", "-c", path, key="another-secret", **keys, **more) as serve:
        assert [model.id for model in serve.openai.models.list()] == ["gpt-4o"]
        assert serve.metric('oumi_key_in_flight{key="alice"}') == 0
        assert (
            'oumi_key_spent_usd{key="bob"}'
            in serve.client.get("/metrics", headers={"x-api-key": "a-long-secret"}).text
        )


def test_what_the_server_says_when_it_is_ready(tiny: Serve):
    said = "".join([tiny.first_lines[-1], *tiny.rest_of_ready])
    shown = next(b.code for b in blocks(PAGE) if b.code.startswith("ready: "))
    assert said.replace(tiny.url, "http://127.0.0.1:8000") == shown


def test_the_servers_own_page_names_all_that_it_answers(tiny: Serve):
    reply = tiny.client.get("/docs")
    assert reply.headers["content-type"].startswith("text/html")
    assert "<code>oumi-tiny</code>" in reply.text
    assert f"OPENAI_BASE_URL={tiny.api_url}" in reply.text
    page = PAGE.read_text()
    for method, path, _ in ENDPOINTS:
        assert path in reply.text
        assert path.partition("/{")[0] in page
        shown = tiny.client.request(method, path.replace("{id}", "file-0"), content=b"{}")
        assert shown.status_code != 405
        assert "no endpoint" not in shown.text
