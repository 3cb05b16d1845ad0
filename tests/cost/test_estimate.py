"""The price before: nothing is sent or written, and the range holds what the run then costs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, RemoteParams
from oumi.core.types import Conversation, Message, Range, Role, ToolDefinition
from oumi.data.source import ListSource
from oumi.errors import BudgetError, ConfigError, EngineError, InputError
from oumi.inference import LlamaCppInferenceEngine
from oumi.runner.estimate import estimate_run
from tests.conftest import ask, short
from tests.cost.conftest import MOST_TOKENS, StartEngine, asked, cost_of, questions, settings
from tests.fault_server import FaultServer

RANDOM = {"answer_tokens": [20, MOST_TOKENS]}
TOOL = ToolDefinition(
    function={"name": "weather", "parameters": {"type": "object", "properties": {}}}
)


def holds(found: Range | None, value: float) -> bool:
    assert found is not None
    return found.low <= value <= found.high


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_range_holds_the_cost_and_a_pilot_narrows_it(
    start: StartEngine, server: FaultServer, tmp_path: Path
):
    engine, rows = start(num_workers=64), questions(600)
    config = settings(output_path=str(tmp_path / "out.jsonl"))
    server.plan(**RANDOM)
    before = engine.estimate(rows, config)
    assert asked(server) == 0
    assert list(tmp_path.iterdir()) == []
    assert (before.rows, before.answered, before.left) == (600, 0, 600)
    assert before.completion_tokens == (0, 600 * MOST_TOKENS)
    assert (before.counted, before.sample) == (False, 0)

    after = engine.estimate(rows, config, pilot=20)
    assert (after.answered, after.left, after.sample) == (20, 580, 20)
    assert asked(server) == 20
    numbers = sorted(int(row.removeprefix("row-")) for row in server.answered())
    assert all(at * 30 <= number < (at + 1) * 30 for at, number in enumerate(numbers))
    assert engine.estimate(rows, config, pilot=20) == after, "the same rows, which are answered"
    assert asked(server) == 20

    paid = cost_of(server)
    engine.infer(rows, config)
    left = cost_of(server) - paid
    assert asked(server) == 600
    assert holds(before.cost_usd, cost_of(server))
    assert holds(after.cost_usd, left)
    assert after.cost_usd.high - after.cost_usd.low < 0.4 * (
        before.cost_usd.high - before.cost_usd.low
    )
    stats = server.stats()
    assert holds(before.prompt_tokens, stats["prompt_tokens"])
    assert holds(before.completion_tokens, stats["completion_tokens"])


def test_nothing_is_sent_or_written_beside_a_run_that_was_begun(
    start: StartEngine, server: FaultServer, tmp_path: Path
):
    engine, output = start(), tmp_path / "out.jsonl"
    config = settings(output_path=str(output))
    with pytest.raises(BudgetError):
        engine.infer(questions(30), config.model_copy(update={"max_rows": 12}))
    with Path(f"{output}.journal").open("ab") as journal:
        journal.write(b'{"key":"torn')
    before = files_in(tmp_path)
    found = engine.estimate(questions(30), config)
    assert (found.answered, found.left, found.sample) == (12, 18, 12)
    assert found.prompts == [f"user: {row.messages[0].content}" for row in questions(15)[12:]]
    assert engine.estimate(questions(30), config.merge(InferenceConfig(max_rows=20))).left == 8
    assert files_in(tmp_path) == before
    assert asked(server) == 12

    engine.infer(questions(30), config)
    done = engine.estimate(questions(30), config)
    assert (done.answered, done.left, done.prompts) == (30, 0, [])
    assert done.cost_usd == (0, 0)
    Path(f"{output}.journal").unlink()
    assert engine.estimate(questions(30), config).left == 0


def test_prompts_of_a_model_on_this_machine_are_counted(engine: LlamaCppInferenceEngine):
    system = Message(role=Role.SYSTEM, content="Be brief.")
    rows = [
        ask("What is 1 plus 1?"),
        ask("Zwölf Boxkämpfer jagen Viktor — 東京 🎉 <|im_end|>"),
        Conversation(messages=[system, *ask("Go on.").messages]),
        Conversation(messages=ask("How warm is it?").messages, tools=[TOOL]),
    ]
    before = engine._backend.asked
    found = engine.estimate(rows, short())
    assert engine._backend.asked == before
    done = engine.infer_partial(rows, short())
    tokens = sum(row.metadata["usage"]["prompt_tokens"] for row in done.conversations)
    tokens += sum(failure.usage.prompt_tokens for failure in done.failures.values())
    assert found.counted
    assert found.prompt_tokens == (tokens, tokens)
    assert found.completion_tokens == (0, 4 * 16)
    assert found.prompts[0] == engine.apply_chat_template(rows[0])
    assert (found.cost_usd, found.cost_note, found.batch_cost_usd) == (None, None, None)


def test_a_batch_costs_half_and_an_unknown_price_is_said(start: StartEngine):
    found = start().estimate(questions(5), settings())
    assert found.batch_cost_usd == pytest.approx([half / 2 for half in found.cost_usd])
    unknown = start("model-of-nobody").estimate(questions(5), settings())
    assert unknown.cost_usd is unknown.batch_cost_usd is None
    assert unknown.cost_note == "no price is published for model-of-nobody"


@pytest.mark.parametrize(
    ("limits", "setting", "seconds"),
    [
        ({"requests_per_minute": 30}, "requests_per_minute", (120, 120)),
        ({"output_tokens_per_minute": 600}, "output_tokens_per_minute", (0, 600)),
        ({"politeness_policy": 2.0, "num_workers": 4}, "politeness_policy", (30, 30)),
        ({"requests_per_minute": 60, "output_tokens_per_minute": 60}, "output_tokens_per_minute",
         (60, 6000)),
        ({}, None, None),
    ],
)  # fmt: skip
def test_the_time_under_the_limits(start: StartEngine, limits, setting, seconds):
    config = settings(remote_params=RemoteParams(**limits))
    found = start().estimate(questions(60), config)
    assert (found.duration_limit, found.duration_s) == (setting, seconds)


def test_rows_that_cannot_be_asked_are_said(start: StartEngine, tmp_path: Path):
    path = tmp_path / "in.jsonl"
    path.write_text(f"{ask('a').to_json()}\nnonsense\n{ask('b').to_json()}\n")
    with pytest.raises(InputError, match=r"in\.jsonl:2"):
        start().estimate(None, settings(input_path=str(path)))
    found = start().estimate(None, settings(input_path=str(path), bad_rows="fail"))
    assert (found.rows, found.unusable, found.left) == (3, 1, 2)


def test_rows_with_settings_of_their_own_count_by_these(start: StartEngine):
    rows = [{"prompt": "row-1", "max_new_tokens": 7}, {"prompt": "row-2", "max_new_tokens": 9}]
    assert start().estimate(rows, settings()).completion_tokens == (0, 16)


def test_long_prompts_may_come_from_a_cache_and_schemas_may_be_written_into_them(
    start: StartEngine,
):
    rows = [ask("word " * 2_000)]
    plain, price = start().estimate(rows, settings()), start().session(settings()).price
    assert plain.cost_usd.low == pytest.approx(plain.prompt_tokens.low * price.cached)
    schema = {"type": "object", "properties": {"a" * 1_000: {"type": "integer"}}}
    generation = GenerationParams(guided_decoding=GuidedDecodingParams(json=schema))
    more = start().estimate(rows, settings(generation=generation)).prompt_tokens
    assert more.low == plain.prompt_tokens.low
    assert more.high >= plain.prompt_tokens.high + 500


def test_a_pilot_needs_a_place_for_its_answers(start: StartEngine, server: FaultServer):
    with pytest.raises(ConfigError, match="a pilot needs an output_path"):
        start().estimate(questions(20), settings(), pilot=10)
    assert asked(server) == 0


def test_a_pilot_keeps_to_the_budget(start: StartEngine, server: FaultServer, tmp_path: Path):
    config = settings(output_path=str(tmp_path / "out.jsonl"), max_rows=15)
    found = asyncio.run(start().aestimate(questions(90), config, pilot=15))
    assert (found.answered, found.left) == (15, 0)
    assert server.answered() == {f"row-{i}": 1 for i in range(15)}
    few = config.model_copy(update={"max_rows": None, "max_total_tokens": 500})
    with pytest.raises(BudgetError):
        start().estimate(questions(90), few, pilot=30)
    assert asked(server) == 15


def test_an_engine_that_is_closed_counts_nothing():
    engine = LlamaCppInferenceEngine()
    session = engine.session(short())
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        asyncio.run(estimate_run(session, ListSource([ask("Hello")]), 1))
