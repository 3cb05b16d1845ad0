"""What a provider says of a batch in forms that nobody expects: facts that are only shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oumi.batch.api.providers.facts import (
    error_text,
    is_error,
    read_count,
    read_errors,
    read_number,
    read_time,
)
from tests.batch.api import expected, finish, rows
from tests.batch.test_bad_lines import APIS, at
from tests.conftest import answers
from tests.fault_server import FaultServer

SHOWN = {
    "FIREWORKS": ("createTime", "updateTime", "expireTime", "status", "jobProgress"),
    "ANTHROPIC": ("created_at", "expires_at", "ended_at", "request_counts", "archived_at"),
    "MISTRAL": (
        *("created_at", "started_at", "completed_at", "errors", "total_requests", "metadata"),
        *("succeeded_requests", "failed_requests", "completed_requests"),
    ),
}
OF_OPENAI = (
    *("created_at", "in_progress_at", "expires_at", "job_deadline", "errors", "error", "metadata"),
    *("request_counts", "cancelling_at", "completed_at", "progress"),
)
ODD = {
    "null": None,
    "a text": "May 6",
    "digits": "1715000000",
    "milliseconds": 1_715_000_000_000,
    "a huge number": 10**60,
    "a negative number": -1,
    "a fraction": 0.5,
    "a boolean": True,
    "a list": [{"message": "x"}, "y", None],
    "an object": {"data": [None], "total": "x", "completed": {}, "message": ["x"]},
    "an empty list": [],
}
TIME = datetime(2024, 5, 6, 12, 53, 20, tzinfo=UTC)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("api", APIS)
def test_odd_facts_cost_nothing(server: FaultServer, monkeypatch, api: str, odd: str):
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID", raising=False)
    facts = dict.fromkeys(SHOWN.get(api, OF_OPENAI), ODD[odd])
    server.plan(batch={"form": APIS[api][1], "facts": facts})
    with at(server, api) as engine:
        batch_id = engine.infer_batch(rows(3))
        assert finish(engine, batch_id) == "completed"
        assert answers(engine.get_batch_results(batch_id, rows(3))) == expected(range(3))
        assert engine.infer_batch(rows(3)) == batch_id
        [info] = engine.list_batches()
        assert (info.id, info.completed_requests) == (batch_id, 3)
    assert set(server.batches()["rows"].values()) == {1}


@pytest.mark.parametrize(
    "value",
    [
        *(1715000000, "1715000000", 1715000000.0, 1715000000_000, "1715000000000"),
        *(1715000000_000_000, 1715000000_000_000_000),
        *("2024-05-06T12:53:20Z", "2024-05-06T12:53:20", "2024-05-06T14:53:20+02:00"),
    ],
)
def test_a_time_in_each_form(value: object):
    assert read_time(value) == TIME


@pytest.mark.parametrize("value", [None, "", "May 6", 0, -(10**20), 10**400, True, [], {}, "1e999"])
def test_no_time(value: object):
    assert read_time(value) is None or read_time(value).year < 1970


def test_counts_and_numbers():
    assert [read_count(value) for value in (3, "3", 3.0, True, -1, None, "x", 2**60, [3])] == [
        *(3, 3, 3, 0, 0, 0, 0, 0, 0)
    ]
    assert [read_number(value) for value in ("200", 200, None, False, "x", 10**400)] == [
        *(200.0, 200.0, None, None, None, None)
    ]


def test_errors_in_each_form():
    assert [
        read_errors(value) for value in (None, "x", ["x"], {"data": None}, {"data": ["x"]})
    ] == [*([], ["x"], ["x"], [], ["x"])]
    assert error_text({"message": "too long", "line": 3}) == "line 3: too long"
    assert error_text({"code": 7}) == "7"
    assert error_text(["x"]) == "['x']"
    assert not is_error({"code": None, "message": ""})
    assert is_error({"code": "x"})
