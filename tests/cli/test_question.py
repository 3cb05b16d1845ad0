"""One question on the command line: where it comes from, who is asked, what is printed."""

import json
import sys
from pathlib import Path

import pytest

from oumi.cli import last_conversation
from tests.cli.terminal import Terminal
from tests.fault_server import FaultServer

HELLO = "Hello! How can I help you?\n"


@pytest.fixture
def openai(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A server in place of OpenAI."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    return server


def asked(server: FaultServer) -> list[dict]:
    """The bodies of all requests."""
    return [json.loads(one["body"]) for one in server.stats()["last"]]


def test_a_question_without_any_command(oumi) -> None:
    done = oumi("hi")
    assert (done.returncode, done.stdout, done.stderr) == (0, HELLO, "")
    assert oumi("infer", "hi").stdout == HELLO


def test_the_conversation_as_json(oumi) -> None:
    done = oumi("-o", "json", "-s", "Be kind.", "hi")
    row = json.loads(done.stdout)
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    assert row["metadata"]["finish_reason"] == "stop"


def test_a_text_from_a_pipe_and_a_question_are_one_request(oumi, openai: FaultServer) -> None:
    done = oumi("-m", "gpt-4o-mini", "Summarise.", stdin="First line.\n\nLast line.\n")
    assert done.returncode == 0, done.stderr
    [body] = asked(openai)
    assert body["model"] == "gpt-4o-mini"
    [message] = body["messages"]
    assert message["content"] == "First line.\n\nLast line.\n\nSummarise."
    assert done.stderr == "gpt-4o-mini: answered by OPENAI (--engine names another)\n"


def test_a_pipe_alone_is_the_question(oumi) -> None:
    assert oumi("infer", stdin="hi\n").stdout == HELLO


def test_short_options_are_settings(oumi, openai: FaultServer) -> None:
    options = ("-m", "openai/gpt-4o", "-s", "Be short.", "-t", "0.7", "--max-tokens=9", "-q")
    done = oumi(*options, "row-1")
    assert (done.returncode, done.stderr) == (0, "")
    [body] = asked(openai)
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("gpt-4o", 0.7, 9)
    assert [message["content"] for message in body["messages"]] == ["Be short.", "row-1"]


def test_a_schema_in_short(oumi) -> None:
    done = oumi("--schema", "name, age int", "--max_tokens", "60", "Who is it?")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {name: type(value) for name, value in answer.items()} == {"name": str, "age": int}


def test_the_last_conversation_goes_on(oumi, openai: FaultServer) -> None:
    assert oumi("-c", "What else?").returncode == 2
    assert oumi("-m", "gpt-4o-mini", "-s", "Be short.", "row-1").returncode == 0
    done = oumi("-c", "row-2 at last")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "answer to row-2\n"
    first, second = asked(openai)
    assert second["model"] == "gpt-4o-mini"
    assert [message["role"] for message in second["messages"]] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert second["messages"][:2] == first["messages"]
    kept = Path.home() / ".local/state/oumi/last_conversation.json"
    assert sys.platform != "linux" or kept.stat().st_mode & 0o777 == 0o600
    assert "sk-of-a-test" not in kept.read_text()


def test_an_error_has_its_exit_code(oumi, openai: FaultServer) -> None:
    openai.plan(faults=[{"kind": "status", "code": 401}])
    done = oumi("-m", "gpt-4o-mini", "row-1")
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""


def test_an_answer_of_another_form_is_an_error(oumi, openai: FaultServer) -> None:
    done = oumi("-q", "-m", "gpt-4o-mini", "--schema", "age int", "row-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: " in done.stderr
    assert "bug" not in done.stderr


def test_a_file_by_its_bare_name(oumi, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("text\nhi\nhello\n")
    done = oumi("infer", "q.csv", "{{ text }}", "-q")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["messages"][0]["content"] for row in rows] == ["hi", "hello"]


@pytest.mark.parametrize(
    ("args", "stdin", "said"),
    [
        (("infr",), "", "Did you mean infer?"),
        (("what", "is", "this"), "", 'in quotes: oumi infer "what is this"'),
        (("infer", "notes.txt"), "", 'oumi infer "…" < notes.txt'),
        (("infer",), '{"messages": []}\n', "--input_path -"),
        (("infer",), "", "Nothing to answer"),
        (("missing.csv",), "", "missing.csv: cannot be read"),
        (("-m", "nobody-knows", "hi"), "", "nobody-knows"),
        (("-c", "nobody-knows", "hi"), "", "no config 'nobody-knows'"),
        (("--schema", "age in", "hi"), "", "no type 'in'"),
    ],
)
def test_what_cannot_be_asked(
    oumi_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args, stdin: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("Some text.\n")
    done = oumi_here(*args, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_broken_last_conversation_is_named(oumi_here) -> None:
    last_conversation.path().parent.mkdir(parents=True)
    last_conversation.path().write_text("{")
    done = oumi_here("-c", "and now?")
    assert done.returncode == 2
    assert "last_conversation.json: the last conversation cannot be read" in done.stderr


def test_an_answer_on_a_terminal_comes_in_colours(openai: FaultServer, tmp_path: Path) -> None:
    with Terminal("-m", "gpt-4o-mini", "row-1", cwd=tmp_path) as terminal:
        assert terminal.wait() == 0
    assert asked(openai)[0]["stream"] is True
    assert "answer to row-1" in terminal.screen()


def test_a_long_question_is_no_name_of_a_file(oumi, openai: FaultServer) -> None:
    question = "row-1" + "長い" * 2000
    done = oumi("-q", "-m", "gpt-4o-mini", question)
    assert (done.returncode, done.stdout) == (0, "answer to row-1\n")
    [[message]] = [body["messages"] for body in asked(openai)]
    assert message["content"] == question


def test_an_answer_in_a_file(oumi, tmp_path: Path) -> None:
    done = oumi("hi", "--output_path", "out.jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    [line] = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["messages"][-1]["content"] == HELLO.strip()
    assert oumi("hi", "--output_path", "-").stdout == HELLO


def test_several_answers(oumi, openai: FaultServer) -> None:
    done = oumi("-q", "-m", "gpt-4o-mini", "-t", "0.7", "-n", "3", "row-1")
    assert (done.returncode, done.stdout) == (0, "\n".join(["answer to row-1\n"] * 3))
    assert len(asked(openai)) == 3
