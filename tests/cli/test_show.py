"""`oumi show`."""

import json

from tests.cli.terminal import Terminal

CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
ROWS = [
    {
        "conversation_id": "sum",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": [{"type": "text", "content": "What is 2+2?"}]},
            {"role": "assistant", "content": "4\n\x1b[31mfour"},
        ],
        "metadata": {"usage": {"completion_tokens": 3}, "finish_reason": "stop"},
    },
    {"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]},
]
PLAIN = """\
--- 1 · sum
system: Be short.
user: What is 2+2?
assistant: 4
\\x1b[31mfour

--- 2
assistant: → add({"a":1})

"""


def write(path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def test_plain(oumi, tmp_path) -> None:
    write(tmp_path / "a.jsonl")
    assert oumi("show", "a.jsonl").stdout == PLAIN
    assert oumi("show", "-", stdin=(tmp_path / "a.jsonl").read_bytes()).stdout == PLAIN
    first = oumi("show", "a.jsonl", "--rows", "1").stdout
    assert first == PLAIN.partition("--- 2")[0]


def test_unreadable(oumi, tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text('{"messages": [{"role": "user", "content": "a"}]}\nnoise\n')
    done = oumi("show", "a.jsonl")
    assert done.returncode == 2
    assert done.stdout == "--- 1\nuser: a\n\n"
    assert "a.jsonl:2: not JSON" in done.stderr
    assert oumi("show", "b.jsonl").returncode == 2


def test_panels_on_a_terminal(tmp_path) -> None:
    write(tmp_path / "a.jsonl")
    with Terminal("show", "a.jsonl", cwd=tmp_path) as terminal:
        assert terminal.wait() == 0
    assert "╭" in terminal.shown
    assert "3 tokens, stop" in terminal.shown
    assert "\x1b[31mfour" not in terminal.shown
