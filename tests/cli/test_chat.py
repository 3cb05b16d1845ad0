"""The chat on a terminal, and one message from a pipe."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ENDLESS
from tests.cli.terminal import Terminal
from tests.fault_server import FaultServer
from tests.remote.talks import PNG

CTRL_D = "\x04"
CTRL_C = "\x03"
ALT_ENTER = "\x1b\r"


@pytest.fixture
def openai(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A server in place of OpenAI."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    return server


def asked(server: FaultServer) -> list[list[dict]]:
    """The messages of each request."""
    return [json.loads(one["body"])["messages"] for one in server.stats()["last"]]


def say(terminal: Terminal, text: str, seen: str) -> None:
    """Type a line at the prompt, and wait for what comes of it and for the next prompt."""
    terminal.expect_prompt()
    terminal.type(f"{text}\r")
    terminal.expect_screen(seen)
    terminal.expect_prompt()


def test_commands(openai: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    with Terminal("chat", "-m", "gpt-4o-mini", cwd=tmp_path) as terminal:
        say(terminal, "row-1", "answer to row-1")
        say(terminal, "/system Be short.", "system prompt set")
        say(terminal, "/image a.png", "a.png stands before the next question")
        say(terminal, "row-2", "answer to row-2")
        say(terminal, "/retry", "answer to row-2")
        say(terminal, "/save chat.jsonl", "5 messages added to chat.jsonl")
        say(terminal, "/model gpt-4o", "gpt-4o at OPENAI answers")
        say(terminal, "/reset", "conversation forgotten")
        say(terminal, "//etc/row-3", "answer to row-3")
        say(terminal, "/load chat.jsonl", "5 messages from chat.jsonl")
        say(terminal, "row-4", "answer to row-4")
        say(terminal, "/sav", "did you mean /save?")
        say(terminal, "/save", "/save needs a path")
        say(terminal, "/save no/such/folder", "No such file")
        say(terminal, "/load none.jsonl", "none.jsonl: cannot be read")
        say(terminal, "/model nobody", "ollama/nobody")
        say(terminal, "/help", "//text")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    first, second, again, third, fourth = asked(openai)
    assert [message["content"] for message in first] == ["row-1"]
    image, text = second[3]["content"]
    assert (image["type"], text["text"]) == ("image_url", "row-2")
    assert second[0] == {"role": "system", "content": "Be short."}
    assert again == second
    assert [message["content"] for message in third[1:]] == ["/etc/row-3"]
    assert [message["role"] for message in fourth] == [
        "system", "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip
    models = [json.loads(one["body"])["model"] for one in openai.stats()["last"]]
    assert models == ["gpt-4o-mini"] * 3 + ["gpt-4o"] * 2
    assert terminal.screen().rstrip().splitlines()[-1].endswith(" out, $0.0006")


def test_messages_of_many_lines(openai: FaultServer, tmp_path: Path) -> None:
    with Terminal("chat", "-m", "gpt-4o-mini", cwd=tmp_path) as terminal:
        terminal.expect_prompt()
        terminal.type("\x1b[200~row-1 is\nthis\n\nand that\x1b[201~\r")  # as terminals send a paste
        terminal.expect_screen("answer to row-1")
        terminal.expect_prompt()
        terminal.type(f"row-2 is{ALT_ENTER}this\r")
        terminal.expect_screen("answer to row-2")
        say(terminal, '"""\rrow-3 is\rthat\r"""', "answer to row-3")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    texts = [messages[-1]["content"] for messages in asked(openai)]
    assert texts == ["row-1 is\nthis\n\nand that", "row-2 is\nthis", "row-3 is\nthat"]


def test_a_question_is_changed_and_the_history_lasts(openai: FaultServer, tmp_path: Path) -> None:
    with Terminal("chat", "-m", "gpt-4o-mini", "row-1", cwd=tmp_path) as terminal:
        terminal.expect_screen("answer to row-1")
        terminal.expect_prompt()
        terminal.type("/edit\r")
        terminal.expect_screen("> row-1")
        terminal.type("0\r")
        terminal.expect_screen("answer to row-10")
        terminal.expect_prompt()
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    with Terminal("chat", "-m", "gpt-4o-mini", "-c", cwd=tmp_path) as terminal:
        terminal.expect_screen("2 messages from before")
        terminal.expect_prompt()
        terminal.type("\x1b[A")  # the arrow upwards
        terminal.expect_screen("> row-10")
        terminal.type("0\r")
        terminal.expect_screen("answer to row-100")
        terminal.expect_prompt()
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    assert [[message["content"] for message in one] for one in asked(openai)] == [
        ["row-1"],
        ["row-10"],
        ["row-10", "answer to row-10", "row-100"],
    ]


def test_tokens_and_cost_stand_below(openai: FaultServer, tmp_path: Path) -> None:
    with Terminal("chat", "-m", "gpt-4o-mini", cwd=tmp_path) as terminal:
        say(terminal, "row-1", "answer to row-1")
        terminal.expect_screen("gpt-4o-mini · ")
        terminal.expect_screen(" out, $0.0000")
        terminal.type("/exit\r")
        assert terminal.wait() == 0


def test_an_error_does_not_end_a_chat(openai: FaultServer, tmp_path: Path) -> None:
    openai.plan(faults=[{"kind": "status", "code": 401}])
    with Terminal("chat", "-m", "gpt-4o-mini", cwd=tmp_path) as terminal:
        say(terminal, "row-1", "error: ")
        say(terminal, "row-1", "answer to row-1")
        openai.plan(faults=[{"kind": "status", "code": 401}])
        say(terminal, "/retry", "error: ")
        say(terminal, "/copy", "copied by")
        terminal.type("/exit\r")
        assert terminal.wait() == 0
    assert [len(messages) for messages in asked(openai)] == [1]


def test_ctrl_c_stops_one_answer(tmp_path: Path) -> None:
    with Terminal("infer", "-i", *ENDLESS, cwd=tmp_path) as terminal:
        terminal.expect_prompt()
        terminal.type("Hello\r")
        terminal.expect_more(300)
        terminal.press_ctrl("c")
        terminal.expect_screen("[stopped]")
        say(terminal, "/save chat.jsonl", "2 messages added to chat.jsonl")
        terminal.type("half a line")
        terminal.expect_screen("half a line")
        terminal.type(CTRL_C)
        terminal.expect_screen("(Ctrl-C again, or Ctrl-D, leaves)")
        terminal.expect_prompt()
        terminal.type(CTRL_C)
        assert terminal.wait() == 0
    question, answer = json.loads((tmp_path / "chat.jsonl").read_text())["messages"]
    assert question["content"] == "Hello"
    assert 5 < len(answer["content"]) < 1500


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_code_keeps_its_lines_at_any_width(columns: int, tmp_path: Path) -> None:
    with Terminal("chat", cwd=tmp_path, size=(20, columns)) as terminal:
        say(terminal, "How do I read a file in Python?", "print(content)")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    lines = terminal.screen().splitlines()
    at = lines.index('with open("example.txt", encoding="utf-8") as file:')
    assert lines[at + 1] == "    content = file.read()"
    assert max(map(len, lines)) <= columns
    assert "```" not in terminal.screen()


def test_a_pipe_is_one_message(oumi, openai: FaultServer) -> None:
    lines = "/system x\n\nrow-1\n/exit\n"
    for command in (("chat",), ("infer", "-i")):
        done = oumi(*command, "-m", "gpt-4o-mini", stdin=lines)
        assert (done.returncode, done.stdout) == (0, "answer to row-1\n")
    assert [messages[-1]["content"] for messages in asked(openai)] == [lines.strip()] * 2
    done = oumi("chat")
    assert done.returncode == 2
    assert "Standard input holds no message" in done.stderr


def test_a_chat_has_one_answer_a_turn(tmp_path: Path) -> None:
    with Terminal("chat", "-n", "2", "-t", "1", cwd=tmp_path) as terminal:
        assert terminal.wait() == 2
    assert "leave out -n" in terminal.screen()
