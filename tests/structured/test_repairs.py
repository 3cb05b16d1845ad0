"""Answers of every wrong kind from a real server: repaired, or failed with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oumi.cli.summary import finished
from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.core.types.completion import Usage
from oumi.core.types.failure import Failure
from oumi.errors import InferenceError, StructuredOutputError
from oumi.runner.cost import find_price
from oumi.runner.events import Event, RowRepaired
from oumi.runner.stats import RunStats
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.structured.scripts import (
    GOOD,
    WRONG,
    bodies,
    engine,
    reply,
    rows,
    settings,
    write_rows,
)

LONG = '{"name": "lamp, standing, with a'
REPAIRED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "fits": ([reply(GOOD)], "native"),
    "wrong type": ([reply(WRONG), reply(GOOD)], "repaired"),
    "fenced": ([reply(f"```json\n{GOOD}\n```")], "native"),
    "chatter": ([reply(f"Sure! {GOOD} Anything else?")], "native"),
    "fenced and wrong": ([reply(f"```\n{WRONG}\n```"), reply(f"```\n{GOOD}\n```")], "repaired"),
    "half": ([reply(LONG), reply(GOOD)], "repaired"),
    "empty": ([reply(""), reply(GOOD)], "repaired"),
    "cut off": ([reply(LONG, "length"), reply(GOOD)], "native"),
    "cut off, then wrong": ([reply(LONG, "length"), reply(WRONG), reply(GOOD)], "repaired"),
}
FAILED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "wrong type": ([reply(WRONG), reply(WRONG)], '/price: "nine" is not of type "number"'),
    "missing": ([reply(WRONG), reply('{"name": "lamp"}')], '"price" is a required property'),
    "half": ([reply(LONG), reply(LONG)], "not JSON: EOF"),
    "empty": ([reply(""), reply("")], "the answer is empty"),
    "words": ([reply("Sorry, no."), reply("No!")], "not JSON: expected value"),
    "refusal": ([reply(None, refusal="I can't do that.")], "refused: I can't do that."),
    "filter": ([reply(None, "content_filter")], "withheld or refused: no reason given"),
    "cut off": ([reply(LONG, "length"), reply(LONG, "length")], "raise max_new_tokens"),
    "white space": ([reply('{"name":' + " \n" * 99, "length")], "an endless run of white space"),
    "endless list": ([reply('{"name": [' + '"a", ' * 99, "length")], """run of '"a", '"""),
}


@pytest.mark.parametrize("kind", REPAIRED)
def test_what_can_be_repaired_is(server: FaultServer, kind: str):
    script, structured = REPAIRED[kind]
    server.plan(scripts={"row-0": script})
    with engine(server) as opened:
        [conversation] = opened.infer(rows(1), settings())
    assert conversation.messages[-1].content == GOOD
    assert conversation.parsed() == json.loads(GOOD)
    metadata = conversation.metadata
    assert metadata["structured"] == structured
    raw = script[-1]["message"]["content"]
    assert metadata.get("raw_content") == (None if raw == GOOD else raw)
    stats = server.stats()
    assert stats["requests"] == len(script)
    assert metadata["usage"]["prompt_tokens"] == stats["prompt_tokens"]
    assert metadata["usage"]["completion_tokens"] == stats["completion_tokens"] == 5 * len(script)


@pytest.mark.parametrize("kind", FAILED)
def test_what_cannot_be_repaired_says_why(server: FaultServer, kind: str):
    script, reason = FAILED[kind]
    server.plan(scripts={"row-0": script})
    with engine(server) as opened:
        failure = opened.infer_partial(rows(1), settings()).failures[0]
    assert failure.error_class == "StructuredOutputError"
    assert reason in failure.error_message
    assert failure.structured == "failed"
    last = script[-1]["message"]
    assert failure.reply == (last["content"] or last.get("refusal", ""))
    stats = server.stats()
    assert stats["requests"] == failure.attempts == len(script)
    assert failure.usage == Usage(stats["prompt_tokens"], stats["completion_tokens"])


OPTIONAL = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "note": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("form", "script", "wanted"),
    [
        ({"json": OPTIONAL}, [reply('{"name": "lamp", "note": null}')], '{"name":"lamp"}'),
        ({"json": OPTIONAL}, [reply('{"name": null, "note": null}'), reply("{}")], "name"),
        ({"choice": ["red", 'gr"een']}, [reply('{"value": "gr\\"een"}')], 'gr"een'),
        ({"choice": ["red", 'gr"een']}, [reply("red")], "red"),
        ({"regex": "[0-9]{3}"}, [reply('{"value": "12"}'), reply('{"value": "123"}')], "123"),
    ],
)
def test_answers_come_back_from_the_form_that_openai_takes(
    server: FaultServer, tmp_path: Path, form: dict, script: list, wanted: str
):
    server.plan(scripts={"row-0": script})
    generation = GenerationParams(guided_decoding=GuidedDecodingParams(**form))
    config = InferenceConfig(
        generation=generation,
        input_path=str(write_rows(tmp_path / "in.jsonl", 1)),
        output_path=str(tmp_path / "out.jsonl"),
    )
    with engine(server) as opened:
        result = opened.infer_partial(None, config)
        assert server.stats()["requests"] == len(script)
        if result.failures:
            assert f'"{wanted}" is a required property' in result.failures[0].error_message
            return
        [conversation] = result.conversations
        assert conversation.messages[-1].content == wanted
        assert "raw_content" not in conversation.metadata
        (tmp_path / "out.jsonl").unlink()
        [again] = opened.infer(None, config)
    assert again == conversation
    assert server.stats()["requests"] == len(script), "it is told from the journal as well"


def test_the_model_is_shown_its_answer_and_the_error(server: FaultServer):
    server.plan(scripts={"row-0": [reply(WRONG), reply(GOOD)]})
    with engine(server) as opened:
        [conversation] = opened.infer(rows(1), settings())
    first, second = bodies(server)
    assert second["messages"][:-2] == first["messages"]
    shown, request = second["messages"][-2:]
    assert (shown["role"], shown["content"]) == ("assistant", WRONG)
    assert '/price: "nine" is not of type "number"' in request["content"]
    assert '"required":["name","price"]' in request["content"]
    assert {**second, "messages": 0} == {**first, "messages": 0}, "all else is asked as before"
    assert len(conversation.messages) == 2, "the repair is no part of the conversation"


def test_what_was_cut_off_is_asked_again_with_twice_the_budget(server: FaultServer):
    server.plan(scripts={"row-0": [reply(LONG, "length"), reply(GOOD)]})
    with engine(server) as opened:
        opened.infer(rows(1), settings())
    first, second = bodies(server)
    assert (first.pop("max_tokens"), second.pop("max_tokens")) == (100, 200)
    assert first == second


def test_repairs_as_many_as_are_allowed(server: FaultServer):
    server.plan(scripts={"row-0": [reply(WRONG)] * 3 + [reply(GOOD)]})
    with engine(server) as opened:
        assert opened.infer_partial(rows(1), settings(max_repairs=0)).has_failures
        assert server.stats()["requests"] == 1
        server.reset()
        [conversation] = opened.infer(rows(1), settings(max_repairs=3))
    assert conversation.metadata["structured"] == "repaired"
    assert server.stats()["requests"] == 4


def test_an_answer_that_calls_tools_is_not_checked(server: FaultServer):
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    server.plan(message={"content": None, "tool_calls": [call]}, finish_reason="tool_calls")
    tool = {"type": "function", "function": {"name": "look"}}
    question = ask("row-0").model_copy(update={"tools": None})
    question = type(question).model_validate({**question.to_dict(), "tools": [tool]})
    with engine(server) as opened:
        [conversation] = opened.infer([question], settings())
    assert conversation.messages[-1].tool_calls[0].function.name == "look"
    assert "structured" not in conversation.metadata


def test_a_server_that_fails_in_a_repair(server: FaultServer):
    down = {"kind": "status", "code": 500, "times": None}
    server.plan(scripts={"row-0": [reply(WRONG), down]})
    with engine(server, max_retries=1, retry_backoff_base=0.01) as opened:
        failure = opened.infer_partial(rows(1), settings()).failures[0]
    assert failure.error_class == "UnavailableError"
    assert failure.error_message.startswith('/price: "nine" is not of type "number"; asked again:')
    assert failure.status_code == 500
    assert failure.reply == WRONG
    assert failure.usage.completion_tokens == 5


def test_a_try_that_fails_is_made_again_in_a_repair(server: FaultServer):
    down = {"kind": "status", "code": 503}
    server.plan(scripts={"row-0": [down, reply(WRONG), down, reply(GOOD)]})
    with engine(server, max_retries=1, retry_backoff_base=0.01) as opened:
        [conversation] = opened.infer(rows(1), settings())
    assert conversation.metadata["structured"] == "repaired"
    assert server.stats()["requests"] == 4


def all_kinds(paths: tuple[Path, Path], server: FaultServer) -> tuple[list[str], list[str]]:
    """An input file and a plan with a row of each kind; those repaired, those failed."""
    scripts = [script for script, _ in [*REPAIRED.values(), *FAILED.values()]]
    server.plan(scripts={f"row-{i}": script for i, script in enumerate(scripts)})
    write_rows(paths[0], len(scripts))
    return list(REPAIRED), list(FAILED)


def test_counts_and_cost_of_a_file_add_up(server: FaultServer, tmp_path: Path):
    paths = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    repaired, failed = all_kinds(paths, server)
    config = settings(input_path=str(paths[0]), output_path=str(paths[1]))
    with engine(server) as opened, pytest.raises(InferenceError) as caught:
        opened.infer(None, config)

    lines = [json.loads(line) for line in paths[1].read_text().splitlines()]
    assert [line["messages"][-1]["content"] for line in lines] == [GOOD] * len(repaired)
    assert [line["metadata"]["structured"] for line in lines] == [
        structured for _, structured in REPAIRED.values()
    ]
    assert [c.to_dict() for c in caught.value.result.conversations] == lines
    path = tmp_path / "out.jsonl.failures.jsonl"
    failures = [json.loads(line)["failure"] for line in path.read_text().splitlines()]
    assert [failure["structured"] for failure in failures] == ["failed"] * len(failed)
    assert list(caught.value.result.failures.values()) == list(map(Failure.from_dict, failures))

    stats = server.stats()
    facts = json.loads((tmp_path / "out.jsonl.run.json").read_text())
    usage = Usage(stats["prompt_tokens"], stats["completion_tokens"])
    assert (facts["done"], facts["failed"]) == (len(repaired), len(failed))
    assert facts["usage"] == facts["last_session"]["usage"] == usage.to_dict()
    assert facts["cost_usd"] == round(find_price("gpt-4o-mini", "openai").cost(usage), 6)
    asked_again = stats["requests"] - len(repaired) - len(failed)
    assert facts["last_session"]["asked_again"] == asked_again
    per_row = [line["metadata"]["usage"] for line in lines] + [f["usage"] for f in failures]
    assert sum(row["total_tokens"] for row in per_row) == usage.total_tokens


def test_with_more_repairs_allowed_a_row_goes_on_from_its_answers(
    server: FaultServer, tmp_path: Path
):
    source = write_rows(tmp_path / "in.jsonl", 2)
    server.plan(
        scripts={"row-0": [reply(WRONG), reply(WRONG), reply(GOOD)], "row-1": [reply(GOOD)]}
    )
    files = {"input_path": str(source), "output_path": str(tmp_path / "out.jsonl")}
    with engine(server) as opened:
        assert opened.infer_partial(None, settings(**files)).failed_indices == [0]
        result = opened.infer(None, settings(max_repairs=2, **files))
    assert [conversation.metadata["structured"] for conversation in result] == [
        "repaired",
        "native",
    ]
    assert server.stats()["requests"] == 4
    assert result[0].metadata["usage"]["completion_tokens"] == 15


@pytest.mark.parametrize(("seed", "seeds"), [(5, [5, 5, 4, 3]), (None, [None] * 4)])
def test_what_was_asked_before_is_asked_with_another_seed(
    server: FaultServer, seed: int | None, seeds: list[int | None]
):
    server.plan(scripts={"row-0": [reply(WRONG)] * 4})
    generation = settings(max_repairs=3).generation.model_copy(update={"seed": seed})
    with engine(server) as opened:
        opened.infer_partial(rows(1), InferenceConfig(generation=generation))
    assert [body.get("seed") for body in bodies(server)] == seeds
    assert {body["temperature"] for body in bodies(server)} == {0}


def test_limits_count_each_try(server: FaultServer):
    server.plan(scripts={f"row-{i}": [reply(WRONG), reply(GOOD)] for i in range(4)})
    with engine(server, requests_per_minute=6000, output_tokens_per_minute=60_000) as opened:
        events: list[Event] = []
        opened.infer(rows(4), settings(), on_event=events.append)
    stats = RunStats()
    for event in events:
        stats.update(event)
    assert "repairs   4 answers did not fit" in finished(stats, settings(output_path="-"))
    assert sum(isinstance(event, RowRepaired) for event in events) == 4
    assert stats.limits.starts == server.stats()["requests"] == 8


def test_a_stream_is_checked_but_not_repaired(server: FaultServer):
    with engine(server) as opened:
        server.plan(message={"content": f"Here: {GOOD}"})
        *pieces, last = opened.stream(ask("row-0"), settings())
        assert "".join(piece.content for piece in pieces) == f"Here: {GOOD}"
        assert last.completion.message.content == GOOD
        assert last.completion.raw_content == f"Here: {GOOD}"
        server.plan(message={"content": WRONG})
        pieces = []
        with pytest.raises(StructuredOutputError, match="/price") as caught:
            pieces.extend(opened.stream(ask("row-0"), settings()))
    assert "".join(piece.content for piece in pieces) == WRONG
    assert caught.value.reply == WRONG
    assert caught.value.usage.completion_tokens == 5
    assert server.stats()["requests"] == 1
