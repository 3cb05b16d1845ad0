"""`oumi show`."""

import json
import shutil

import pytest

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


def test_rows_are_chosen(oumi_here, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.jsonl")
    assert (
        oumi_here("show", "a.jsonl", "--row", "2").stdout == "--- 2" + PLAIN.partition("--- 2")[2]
    )
    assert oumi_here("show", "a.jsonl", "--grep", "FOUR").stdout == PLAIN.partition("--- 2")[0]
    assert oumi_here("show", "a.jsonl", "--grep", "nowhere").stdout == ""
    done = oumi_here("show", "a.jsonl", "--grep", "(")
    assert done.returncode == 2
    assert "no regular expression" in done.stderr


def test_a_run_with_failures(oumi, oumi_here, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ['{"messages": [{"role": "user", "content": "hi"}]}', '{"messages": 7}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = oumi("infer", "in.jsonl", "--bad_rows", "fail", "--output_path", "out.jsonl", "-q")
    assert done.returncode == 6
    failed = "--- 2\nfailed: InputError: in.jsonl:2: messages: Input should be a valid array"
    assert oumi_here("show", "out.jsonl", "--failed").stdout.startswith(failed)
    assert oumi_here("show", "out.jsonl.failures.jsonl").stdout.startswith(failed)
    journal = oumi_here("show", "out.jsonl.journal").stdout
    assert "--- 1\nassistant: Hello! How can I help you?\n" in journal
    assert failed in journal
    assert oumi_here("show", "out.jsonl.journal", "--failed").stdout.startswith(failed)
    done = oumi_here("show", "in.jsonl", "--failed")
    assert done.returncode == 2
    assert "no row failed" in done.stderr


def test_a_table(oumi_here, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("text,answer,error\nhi,\x1b[2Jhello,\nbye,,too long\n")
    done = oumi_here("show", "a.csv")
    first = "--- 1\ntext: hi\nanswer: \\x1b[2Jhello\n\n"
    second = "--- 2\ntext: bye\nerror: too long\n\n"
    assert done.stdout == first + second
    assert oumi_here("show", "a.csv", "--failed").stdout == second


@pytest.mark.skipif(shutil.which("less") is None, reason="needs the pager less")
def test_what_is_long_goes_through_a_pager(tmp_path) -> None:
    (tmp_path / "b.jsonl").write_text((json.dumps(ROWS[1]) + "\n") * 50)
    with Terminal("show", "b.jsonl", cwd=tmp_path) as terminal:
        terminal.expect("add(")
        terminal.expect("\r\n:")
        terminal.type("q")
        assert terminal.wait() == 0
    assert "╭─ 50" not in terminal.shown
    with Terminal("show", "b.jsonl", "--no-pager", cwd=tmp_path) as terminal:
        assert terminal.wait() == 0
    assert "╭─ 50" in terminal.screen()
