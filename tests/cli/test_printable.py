"""What a model, a server, a file or a row says cannot steer the terminal that shows it."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from oumi.core.logs import logger
from oumi.core.printable import printable, printable_json, printable_line
from oumi.core.types import Conversation
from tests.cli.terminal import Terminal
from tests.conftest import ask
from tests.fault_server import FaultServer

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\x7f\u202egpj.exe\u2066"
SHOWN = r"\x1b]0;pwned\x07\x1b[2J\x9b31m\x7f\u202egpj.exe\u2066"
_OF_OURS = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]|[\r\b]")
"""Colours and moves of the cursor, which are not among those of EVIL."""
_BIDI = [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]


def assert_harmless(text: str) -> None:
    text = _OF_OURS.sub("", text.replace("\x1b[2J", "CLEARED"))
    assert printable(text) == text
    assert "CLEARED" not in text


def options(server: FaultServer) -> list[str]:
    remote = ["--remote_params.api_url", server.api_url, "--remote_params.max_retries", "0"]
    return ["--engine", "REMOTE", "--model.model_name", f"m{EVIL}", *remote]


def test_each_character() -> None:
    for code in (*range(32), *range(127, 160), *_BIDI):
        character = chr(code)
        if character not in "\n\t":
            assert printable(character).isascii()
            assert printable(character).isprintable()
        assert printable_line(character).isprintable()
        if code > 126:
            assert json.loads(printable_json(f'"{character}"')) == character
            assert printable_json(character).isascii()
    kept = "Tab\tand\nline, né, 日本語, שלום, مرحبا, 👩\u200d🚀, a\u00a0b"
    assert printable(kept) == printable_json(kept) == kept


def test_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        logger.warning("it says %s, %d times", EVIL, 2)
    assert caplog.messages == [f"it says {SHOWN}, 2 times"]


def test_models(oumi, server: FaultServer) -> None:
    server.plan(models=[f"a{EVIL}", "b\nc"])
    words = ["REMOTE", "--remote_params.api_url", server.api_url]
    assert oumi("models", *words).stdout == f"a{SHOWN}\nb\\nc\n"
    as_json = oumi("models", *words, "--json").stdout
    assert json.loads(as_json) == [f"a{EVIL}", "b\nc"]
    assert_harmless(as_json.replace("\x7f", ""))


def test_errors(oumi, server: FaultServer, tmp_path: Path) -> None:
    refused = {"kind": "status", "code": 401, "body": EVIL, "times": None}
    server.plan(faults=[refused])
    (tmp_path / "a.jsonl").write_text(ask("row-1").to_json())
    done = oumi("infer", *options(server), "--input_path", "a.jsonl")
    assert done.returncode != 0
    assert SHOWN in done.stderr
    assert_harmless(done.stderr)


def test_failures_and_names_of_files(oumi, server: FaultServer, tmp_path: Path) -> None:
    refused = {"kind": "status", "code": 400, "body": EVIL, "times": None}
    server.plan(faults=[refused])
    (tmp_path / "a.jsonl").write_text(ask("row-1").to_json())
    output = f"{EVIL.replace('/', '')}.jsonl"
    done = oumi("infer", *options(server), "--input_path", "a.jsonl", "--output_path", output)
    assert done.returncode == 6
    assert f"answered 400: {SHOWN}" in done.stderr
    assert f"{SHOWN}.jsonl.failures.jsonl" in done.stderr
    assert_harmless(done.stderr)
    for words in (["show", f"no{EVIL}"], ["infer", f"--no{EVIL}", "1"], ["engines", f"no{EVIL}"]):
        done = oumi(*words)
        assert done.returncode == 2
        assert_harmless(done.stderr)


def test_rows(oumi, tmp_path: Path) -> None:
    row = {"conversation_id": f"{EVIL}\n2", "messages": [{"role": "user", "content": EVIL}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    assert oumi("show", "a.jsonl").stdout == f"--- 1 · {SHOWN}\\n2\nuser: {SHOWN}\n\n"
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": [{"role": EVIL}]}) + "\n")
    done = oumi("show", "a.jsonl")
    assert done.returncode == 2
    assert_harmless(done.stderr)


def chunk(**delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def test_a_streamed_chat(server: FaultServer, tmp_path: Path) -> None:
    events = [chunk(reasoning_content=letter) for letter in EVIL]  # each escape is cut to pieces
    events += [chunk(content=letter) for letter in f"{EVIL}\n\tend"]
    call = {"index": 0, "id": "1", "function": {"name": EVIL, "arguments": '{"a":\n1}'}}
    events += [chunk(tool_calls=[call])]
    stop = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    server.plan(events=[*events, stop])
    with Terminal("infer", "-i", *options(server), cwd=tmp_path, size=(24, 120)) as terminal:
        terminal.expect_prompt()
        terminal.type("row-1\r")
        terminal.expect_screen(f"→ {SHOWN}(")
        terminal.expect_prompt()
        terminal.press_ctrl("d")
        assert terminal.wait() == 0
    assert terminal.screen().count(SHOWN) == 4  # the model's name, reasoning, content, the call
    assert f"{SHOWN}\nend" in terminal.screen()
    assert_harmless(terminal.shown.replace("\x07", ""))


def test_answers_on_a_terminal_are_json_of_the_same_value(
    oumi, server: FaultServer, tmp_path: Path
) -> None:
    server.plan(message={"content": EVIL})
    (tmp_path / "a.jsonl").write_text(ask("row-1").to_json())
    words = ["infer", "-q", *options(server), "--input_path", "a.jsonl"]
    piped = oumi(*words).stdout
    assert "\u202e" in piped  # byte for byte what a file would hold
    with Terminal(*words, cwd=tmp_path, size=(24, 500)) as terminal:
        assert terminal.wait() == 0
    assert_harmless(terminal.shown)
    [line] = [line for line in terminal.shown.splitlines() if line.startswith("{")]
    assert Conversation.from_json(line) == Conversation.from_json(piped)


def test_batches(oumi, server: FaultServer, tmp_path: Path) -> None:
    server.plan(batch={"states": [f"odd{EVIL}"], "hold": True})
    (tmp_path / "a.jsonl").write_text(ask("row-1").to_json())
    words = ["--engine", "OPENAI", "--model.model_name", f"gpt-4{EVIL}"]
    remote = ["--remote_params.api_url", server.api_url, "--remote_params.api_key", "sk-1"]
    done = oumi("batch", "submit", *words, *remote, "--input_path", "a.jsonl")
    assert done.returncode == 0, done.stderr
    job = done.stdout.strip()
    for command in (["status", job, *remote], ["list"]):
        done = oumi("batch", *command)
        assert done.returncode == 0, done.stderr
        assert f"gpt-4{SHOWN}" in done.stdout
        assert_harmless(done.stdout)
        assert_harmless(done.stderr)
