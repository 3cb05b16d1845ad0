"""The chat: from a pipe and on a terminal."""

import json

from tests.cli.conftest import ENDLESS
from tests.cli.terminal import Terminal

SHORT = ("--generation.max_new_tokens", "8")


def roles(line: str) -> list[str]:
    return [message["role"] for message in json.loads(line)["messages"]]


def test_piped_turns(oumi, tmp_path) -> None:
    turns = (
        "Hello\n"
        "\n"
        "/system Answer in one word.\n"
        "What is 2+2?\n"
        "/save chat.jsonl\n"
        "/reset\n"
        "//etc\n"
        "/save chat.jsonl\n"
        "/system\n/reset\n/sav\n/save\n/save no/such/folder\n/help\n"
        "/exit\n"
        "Not asked any more\n"
    )
    done = oumi("infer", "-i", *SHORT, stdin=turns)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    first, second = (tmp_path / "chat.jsonl").read_text().splitlines()
    assert roles(first) == ["system", "user", "assistant", "user", "assistant"]
    assert roles(second) == ["system", "user", "assistant"]
    assert json.loads(second)["messages"][1]["content"] == "/etc"
    said = ("did you mean /save?", "/save needs a path", "not saved: No such", "/reset  ")
    assert all(text in done.stderr for text in said)


def test_ctrl_c_stops_one_answer(tmp_path) -> None:
    with Terminal("infer", "-i", *ENDLESS, cwd=tmp_path) as terminal:
        terminal.expect("> ")
        terminal.type("Hello\r")
        terminal.expect("\n")
        terminal.expect_more(20)
        terminal.press_ctrl("c")
        terminal.expect("[stopped]")
        terminal.expect("> ")
        terminal.type("/save chat.jsonl\r")
        terminal.expect("2 messages added to chat.jsonl")
        terminal.expect("> ")
        terminal.type("Again\r")
        terminal.expect("\n")
        terminal.expect_more(20)
        terminal.press_ctrl("c")
        terminal.expect("[stopped]")
        terminal.expect("> ")
        terminal.type("half a line")
        terminal.expect("half a line")
        terminal.press_ctrl("c")
        terminal.expect("leaves")
        terminal.expect("> ")
        terminal.press_ctrl("d")
        assert terminal.wait() == 0
    question, answer = json.loads((tmp_path / "chat.jsonl").read_text())["messages"]
    assert question["content"] == "Hello"
    assert 5 < len(answer["content"]) < 1500


def test_two_ctrl_c_at_the_prompt_leave(tmp_path) -> None:
    with Terminal("infer", "-i", cwd=tmp_path) as terminal:
        terminal.expect("> ")
        terminal.press_ctrl("c")
        terminal.expect("> ")
        terminal.press_ctrl("c")
        assert terminal.wait() == 0
