"""Keys with limits and budgets: what official clients are told, and what outlives the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import yaml

from oumi.core.types import Usage
from oumi.runner.limits.budget import Spent
from oumi.runner.limits.reservation import Tokens
from oumi.server.accounts.account import Account
from oumi.server.accounts.spending import SpendingFile
from oumi.server.key_settings import KeySettings
from tests.fault_server import FaultServer
from tests.server.process import Serve
from tests.server.test_behaviour import CHAT, asked, until

SECRET = "a-long-secret-of-"
StartServe = Callable[..., Serve]


@pytest.fixture
def start(server: FaultServer, tmp_path: Path) -> Iterator[StartServe]:
    """Starts servers in one home with these keys, in front of the fault server; the price of a
    prompt token is $1 a million, that of an answer's $2.
    """
    model = {
        "engine": "OPENAI",
        "model": {"model_name": "gpt-big"},
        "price": {"input_per_million": 1.0, "output_per_million": 2.0},
        "remote_params": {"api_url": server.api_url, "api_key": "sk-0123456789", "max_retries": 0},
    }
    with ExitStack() as stack:

        def new(key: str = "alice", **keys: dict[str, Any]) -> Serve:
            whole = {name: {"key": SECRET + name, **one} for name, one in keys.items()}
            path = tmp_path / "serve.yaml"
            path.write_text(yaml.safe_dump({"models": {"big": model}, "keys": whole}))
            serve = Serve("-c", path, "-v", key=SECRET + key, HOME=str(tmp_path))
            return stack.enter_context(serve)

        yield new


def ask(serve: Serve, row: str = "row-1", **fields: Any) -> Any:
    return serve.openai.chat.completions.create(**asked("big", row, **fields))


def test_more_than_the_requests_of_a_minute_are_told_when_to_come_again(
    start: StartServe, server: FaultServer
):
    serve = start(alice={"requests_per_minute": 3}, bob={})
    for row in range(3):
        assert ask(serve, f"row-{row}").choices
    with pytest.raises(openai.RateLimitError) as refused:
        ask(serve)
    assert refused.value.code == "rate_limit_exceeded"
    assert refused.value.type == "rate_limit_error"
    assert "'alice' has reached requests_per_minute = 3" in refused.value.message
    assert 50 < int(refused.value.response.headers["retry-after"]) <= 60
    with pytest.raises(anthropic.RateLimitError) as refused_too:
        serve.anthropic.messages.create(
            model="big", max_tokens=5, messages=asked("big")["messages"]
        )
    assert refused_too.value.body["error"]["type"] == "rate_limit_error"
    assert int(refused_too.value.response.headers["retry-after"]) > 50
    with pytest.raises(openai.RateLimitError):
        ask(serve, stream=True)
    assert server.stats()["requests"] == 3
    bobs = {"authorization": f"Bearer {SECRET}bob"}
    assert serve.client.post(CHAT, json=asked("big"), headers=bobs).status_code == 200
    refusals = 'oumi_key_refused_total{key="alice",setting="requests_per_minute"}'
    assert serve.metric(refusals) == 3
    assert serve.metric('oumi_answers_total{key="alice",model="big"}') == 3
    assert serve.metric('oumi_answers_total{key="bob",model="big"}') == 1


def test_no_more_are_in_flight_than_a_key_may_have(start: StartServe, server: FaultServer):
    serve = start(alice={"max_in_flight": 1})
    server.plan(scripts={"row-1": [{"kind": "hang", "times": None}]})
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(serve.client.post, CHAT, json=asked("big"), headers=_bearer())
        until(lambda: serve.metric('oumi_key_in_flight{key="alice"}') == 1)
        with pytest.raises(openai.RateLimitError, match="max_in_flight = 1"):
            ask(serve, "row-2")
        server.go_away()
        assert hanging.result().status_code == 503
        server.come_back()
    assert ask(serve, "row-2").choices


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_of_a_minute_are_those_of_the_answers(
    start: StartServe, server: FaultServer, stream: bool
):
    server.plan(answer_tokens=[40, 40])
    serve = start(alice={"output_tokens_per_minute": 100})
    for row in range(2):  # estimated with 60, and taken at 40
        reply = serve.client.post(
            CHAT, json=asked("big", f"row-{row}", max_tokens=60, stream=stream), headers=_bearer()
        )
        assert reply.status_code == 200
    with pytest.raises(openai.RateLimitError, match="output_tokens_per_minute = 100"):
        ask(serve, max_tokens=60)
    assert ask(serve, max_tokens=20).choices
    with pytest.raises(openai.BadRequestError, match="allows in a whole minute"):
        ask(serve, max_tokens=101)


@pytest.mark.parametrize("stream", [False, True])
def test_a_budget_in_dollars_ends_what_a_key_may_ask_also_after_a_kill(
    start: StartServe, server: FaultServer, stream: bool
):
    server.plan(answer_tokens=[50, 50])
    keys = {"alice": {"max_cost_usd": 0.001}, "bob": {}}
    serve = start(**keys)
    count = _ask_until_refused(serve, stream=stream)
    spent_usd, stats = serve.metric('oumi_key_spent_usd{key="alice"}'), server.stats()
    paid_usd = stats["prompt_tokens"] * 1e-6 + stats["completion_tokens"] * 2e-6
    assert spent_usd == pytest.approx(paid_usd)
    assert 0.0008 <= spent_usd <= 0.001
    serve.kill()

    serve = start(**keys)
    assert serve.metric('oumi_key_spent_usd{key="alice"}') == pytest.approx(spent_usd)
    with pytest.raises(openai.RateLimitError) as refused:
        ask(serve, max_tokens=200)
    assert refused.value.code == refused.value.type == "insufficient_quota"
    assert "max_cost_usd = 0.001 is reached" in refused.value.message
    assert "the budget of the key 'alice'" in refused.value.message
    assert refused.value.response.headers["x-should-retry"] == "false"
    with pytest.raises(anthropic.RateLimitError) as refused_too:
        serve.anthropic.messages.create(
            model="big", max_tokens=200, messages=asked("big")["messages"]
        )
    assert refused_too.value.body["error"]["type"] == "billing_error"
    assert server.stats()["requests"] == count


def test_embeddings_count_too(start: StartServe):
    keys = {"alice": {"requests_per_minute": 1}, "bob": {"max_total_tokens": 40}}
    alice = start(**keys).openai
    assert alice.embeddings.create(model="big", input="a").data
    with pytest.raises(openai.RateLimitError, match="requests_per_minute = 1"):
        alice.embeddings.create(model="big", input="a")

    bob = alice.with_options(api_key=SECRET + "bob")
    assert bob.embeddings.create(model="big", input="short").data
    with pytest.raises(openai.RateLimitError, match="max_total_tokens = 40 is reached"):
        bob.embeddings.create(model="big", input="far longer than forty tokens " * 10)


def test_official_clients_do_not_try_again_what_is_beyond_a_budget(start: StartServe):
    serve = start(alice={"max_total_tokens": 10})
    client = serve.openai.with_options(max_retries=5)
    with pytest.raises(openai.RateLimitError, match="max_total_tokens = 10 is reached"):
        client.chat.completions.create(**asked("big"))
    assert serve.metric('oumi_key_refused_total{key="alice",setting="max_total_tokens"}') == 1


def test_what_was_in_flight_at_a_kill_counts_at_its_most(start: StartServe, server: FaultServer):
    serve = start(alice={"max_total_tokens": 1000})
    assert ask(serve, max_tokens=10).choices
    server.plan(scripts={"row-2": [{"kind": "hang", "times": None}]})
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(
            serve.client.post, CHAT, json=asked("big", "row-2", max_tokens=500), headers=_bearer()
        )
        server.wait_until(lambda stats: stats["in_flight"] == 1)
        serve.kill()
        assert hanging.exception() is not None
    again = start(alice={"max_total_tokens": 1000})
    spent = again.metric('oumi_key_spent_tokens{key="alice"}')
    assert 505 < spent < 600, "500 of the answer, and the bytes of its prompt"
    with pytest.raises(openai.RateLimitError, match="max_total_tokens = 1,000"):
        ask(again, "row-3", max_tokens=500)


def test_a_days_budget_is_renewed_at_midnight(start: StartServe, tmp_path: Path):
    daily = {"alice": {"max_total_tokens": 5000, "budget_per": "day"}}
    serve = start(**daily)
    with pytest.raises(openai.RateLimitError, match="gets as much again at 00:00 UTC") as refused:
        ask(serve, max_tokens=5001)
    assert 0 < int(refused.value.response.headers["retry-after"]) <= 24 * 3600
    assert ask(serve).choices
    [file] = tmp_path.rglob("spending.jsonl")
    serve.terminate()
    assert serve.wait()[0] == 0
    last = json.loads(file.read_text().splitlines()[-1])
    assert last["tokens"] > 0
    file.write_text(json.dumps({**last, "period": "2020-01-31", "tokens": 5000}) + "\n")
    assert ask(start(**daily)).choices


def test_what_ends_after_midnight_counts_in_the_day_in_which_it_began(tmp_path: Path):
    now = [datetime(2026, 1, 31, 23, 59, tzinfo=UTC)]
    settings = KeySettings(max_total_tokens=1000, budget_per="day")

    async def run() -> None:
        with SpendingFile(tmp_path / "spending.jsonl") as spending:
            account = Account("alice", settings, spending, lambda: now[0])
            late = await account.budget.reserve(Tokens(100, 400), None)
            late.sent()
            now[0] += timedelta(minutes=2)
            early = await account.budget.reserve(Tokens(100, 900), None)
            early.sent()
            early.spend(Usage(10, 20))
            late.spend(Usage(100, 300))
            assert account.spent == Spent(30)
        with SpendingFile(tmp_path / "spending.jsonl") as spending:
            assert Account("alice", settings, spending, lambda: now[0]).spent == Spent(30)

    asyncio.run(run())


def test_the_file_of_spending_stays_small(tmp_path: Path):
    path = tmp_path / "spending.jsonl"
    with SpendingFile(path) as spending:
        for tokens in range(20_000):
            spending.save(f"key-{tokens % 3}", "", Spent(tokens))
        assert path.stat().st_size < 1_100_000
    with SpendingFile(path) as spending:
        assert len(path.read_text().splitlines()) == 3
        assert [spending.spent(f"key-{n}", "").tokens for n in range(3)] == [19998, 19999, 19997]


def test_no_key_stands_in_what_is_kept_or_said(start: StartServe, tmp_path: Path):
    serve = start(alice={"max_total_tokens": 5000, "requests_per_minute": 1})
    assert ask(serve).choices
    with pytest.raises(openai.RateLimitError) as refused:
        ask(serve)
    metrics = serve.client.get("/metrics", headers=_bearer()).text
    [file] = tmp_path.rglob("spending.jsonl")
    serve.terminate()
    _, log = serve.wait()
    said = [log, metrics, refused.value.message, "".join(serve.first_lines), file.read_text()]
    assert not any(SECRET in text for text in said)
    assert "alice" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0


def test_a_torn_line_is_passed_over_and_a_damaged_one_is_said(start: StartServe, tmp_path: Path):
    keys = {"alice": {"max_total_tokens": 5000}}
    serve = start(**keys)
    assert ask(serve).choices
    spent = serve.metric('oumi_key_spent_tokens{key="alice"}')
    serve.kill()
    [file] = tmp_path.rglob("spending.jsonl")
    with file.open("a") as torn:
        torn.write('{"name":"alice","per')
    serve = start(**keys)
    assert serve.metric('oumi_key_spent_tokens{key="alice"}') == spent
    serve.kill()
    file.write_text('{"name": 1}\n')
    with pytest.raises(RuntimeError, match=r"spending.jsonl: a line is damaged"):
        start(**keys)


def test_two_servers_do_not_count_in_one_file(start: StartServe):
    start(alice={"max_total_tokens": 5000})
    with pytest.raises(RuntimeError, match="counts the spending of keys in it"):
        start(alice={"max_total_tokens": 5000})


def test_batches_are_not_for_keys_with_a_budget(start: StartServe):
    serve = start(alice={"max_total_tokens": 5000}, bob={"requests_per_minute": 5})
    with pytest.raises(openai.PermissionDeniedError, match="'alice' has a budget"):
        serve.openai.batches.create(
            input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
        )
    with pytest.raises(openai.NotFoundError):
        serve.openai.with_options(api_key=SECRET + "bob").batches.create(
            input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
        )


def test_secrets_may_stand_in_the_environment_and_limits_in_the_file(
    tmp_path: Path, server: FaultServer
):
    path = tmp_path / "keys.yaml"
    path.write_text("keys: {alice: {requests_per_minute: 1}, bob: {key: '${BOBS_KEY}'}}\n")
    given = {"OUMI_API_KEYS": f"alice:{SECRET}alice, carol:{SECRET}carol", "BOBS_KEY": SECRET}
    model = ["--engine=REMOTE", "--model.model_name=big", f"--remote_params.api_url={server.url}"]
    with Serve("-c", path, *model, key=SECRET + "alice", HOME=str(tmp_path), **given) as serve:
        assert ask(serve).choices
        with pytest.raises(openai.RateLimitError):
            ask(serve)
        for key in (SECRET, SECRET + "carol"):
            other = serve.openai.with_options(api_key=key)
            for row in range(2):
                assert other.chat.completions.create(**asked("big", f"row-{row}")).choices


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("{alice: {}}", "keys.alice: it has no `key`"),
        ("{alice: {key: short}}", "expected at least 8 ASCII characters"),
        ("{'a b': {key: long-enough}}", "keys.a b"),
        ("{alice: {key: long-enough, rpm: 5}}", "unknown setting"),
        ("{a: {key: long-enough}, b: {key: long-enough}}", "keys 'a' and 'b' are the same"),
        ("{a: {key: long-enough, max_cost_usd: 1}}", "max_cost_usd: no model here has a price"),
    ],
)
def test_what_is_wrong_with_keys_is_said_and_no_key_is_shown(
    oumi, tmp_path: Path, keys: str, said: str
):
    (tmp_path / "serve.yaml").write_text(f"keys: {keys}\n")
    done = oumi("serve", "-c", "serve.yaml", "--port", "0")
    assert done.returncode == 2
    assert said in done.stderr
    assert "long-enough" not in done.stderr
    assert "short" not in done.stderr


def _bearer() -> dict[str, str]:
    return {"authorization": f"Bearer {SECRET}alice"}


def _ask_until_refused(serve: Serve, *, stream: bool) -> int:
    for count in range(100):
        body = asked("big", f"row-{count}", max_tokens=60, stream=stream)
        reply = serve.client.post(CHAT, json=body, headers=_bearer())
        if reply.status_code != 200:
            assert reply.json()["error"]["code"] == "insufficient_quota"
            return count
    raise AssertionError("the budget was never reached")
