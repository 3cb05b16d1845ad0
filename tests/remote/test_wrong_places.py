"""Requests that go to the wrong place: the run ends at once, and says where they went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig
from oumi.errors import (
    AccessError,
    ConfigError,
    InferenceError,
    OumiError,
    RequestError,
    UnavailableError,
)
from oumi.runner.events import RowDone
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.outages import BackgroundRun, expected, make, rows

KEY = "sk-key-of-the-test"
LOGIN = "<!-- sso -->\n<html><head><title>Log in &ndash;\n Example</title></head></html>"


def status(code: int, body: Any = "", **headers: str) -> dict[str, Any]:
    return {"kind": "status", "code": code, "body": body, "headers": headers, "times": None}


def page(text: str = LOGIN, kind: str = "text/html; charset=utf-8") -> dict[str, Any]:
    headers = {"content-type": kind}
    return {"kind": "raw", "body": text, "headers": headers, "times": None}


def refused(engine: Any, count: int = 200) -> OumiError:
    """The error that ends a run before all rows are asked."""
    with pytest.raises(OumiError) as caught:
        engine.infer(rows(count))
    assert not isinstance(caught.value, InferenceError)
    assert caught.value.ends_run
    return caught.value


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_ends_the_run_and_names_its_target(server: FaultServer, code: int):
    target = f"{server.url}/elsewhere/v1/chat/completions"
    server.plan(faults=[status(code, location="/elsewhere/v1/chat/completions")])
    with make(server, num_workers=4, api_key=KEY) as engine:
        error = refused(engine)
        with pytest.raises(ConfigError, match=f"a redirect to {target}"):
            list(engine.stream(ask("row-1")))
    assert isinstance(error, ConfigError)
    assert f"answered {code}: a redirect to {target}." in str(error)
    assert server.stats()["requests"] <= 5
    assert {call["path"] for call in server.stats()["last"]} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (f"https://bob:pass-word@h/{KEY}?next=%2Fv1", "https://***@h/***?next=***"),
        ("//h/login", "http://h/login"),
        ("http://[", "http://["),
        ("", "names no target"),
    ],
)
def test_what_is_secret_in_a_target_is_not_shown(server: FaultServer, location: str, shown: str):
    server.plan(faults=[status(302, location=location)])
    with make(server, api_key=KEY) as engine:
        error = refused(engine)
    assert shown in str(error)
    assert KEY not in str(error)
    assert "pass-word" not in str(error)


def test_a_redirect_of_one_row_is_the_rows_once_others_were_answered(server: FaultServer):
    """A filter that sends a request to a page of its own, because of what is in it."""
    server.plan(scripts={"row-20": [status(302, location="https://filter/blocked")]})
    with make(server, num_workers=2) as engine:
        result = engine.infer_partial(rows(40))
    assert result.failed_indices == [20]
    assert "https://filter/blocked" in result.failures[20].error_message


def test_a_method_that_is_not_allowed(server: FaultServer):
    server.plan(faults=[status(405, "Method Not Allowed")])
    with make(server, num_workers=1) as engine:
        error = refused(engine)
    assert "takes no POST: check remote_params.api_url" in str(error)
    assert server.stats()["requests"] == 1


def test_a_proxy_that_nobody_has_named(server: FaultServer):
    server.plan(faults=[status(407)])
    with make(server, num_workers=1) as engine:
        error = refused(engine)
    assert isinstance(error, AccessError)
    assert "a proxy on the way" in str(error)


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize(
    ("reply", "title"),
    [
        (page(), "Log in – Example"),
        (page("<html>Please <b>log in</b><script>x</script></html>"), "Please log in"),
        (page("Please log in"), "Please log in"),
        (page("", "text/html"), ""),
        (page(LOGIN, "application/json"), "Log in – Example"),
    ],
)
def test_a_page_to_log_in_ends_the_run_by_its_title(
    server: FaultServer, reply: dict[str, Any], title: str, workers: int
):
    server.plan(faults=[reply])
    with make(server, num_workers=workers) as engine:
        error = refused(engine)
    assert isinstance(error, UnavailableError)
    assert f"a page of HTML in place of an answer: {title!r}" in str(error)
    assert error.reply == (reply["body"] or None)
    assert server.stats()["requests"] <= 20


def test_so_it_does_in_a_stream(server: FaultServer):
    server.plan(faults=[page()])
    with make(server) as engine, pytest.raises(UnavailableError, match="Log in – Example"):
        list(engine.stream(ask("row-1")))


def test_a_page_for_one_row_is_the_rows_once_others_were_answered(
    server: FaultServer, tmp_path: Path
):
    server.plan(scripts={"row-20": [page()]})
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with make(server, num_workers=1, max_retries=1) as engine:
        result = engine.infer_partial(rows(25), output)
    assert result.failed_indices == [20]
    assert (result.failures[20].attempts, result.failures[20].reply) == (2, LOGIN)


def test_many_rows_with_a_page_end_the_run(server: FaultServer):
    server.plan(latency_ms=3)
    with (
        make(server, num_workers=4, max_retries=0) as engine,
        BackgroundRun(engine, rows(2000)) as run,
    ):
        run.wait_for(RowDone, 20)
        server.plan(faults=[page()], latency_ms=3)
        with pytest.raises(UnavailableError, match="Log in"):
            run.result()
    assert server.stats()["requests"] <= 8 + 4


@pytest.mark.parametrize("text", ['{"choices": 1', "data: x"])
def test_what_is_sent_as_html_and_is_none_is_no_page(server: FaultServer, text: str):
    server.plan(faults=[page(text)])
    with make(server, max_retries=0) as engine:
        result = engine.infer_partial(rows(1))
    assert "page" not in result.failures[0].error_message


def test_an_answer_that_is_sent_as_html_is_an_answer(server: FaultServer):
    body = '{"choices": [{"finish_reason": "stop", "message": {"content": "hi"}}]}'
    server.plan(faults=[page(body)])
    with make(server) as engine:
        assert answers(engine.infer(rows(1))) == ["hi"]


UNKNOWN = {"error": {"message": "Unrecognized request argument: foo (request req_0a1b2c3d4e)"}}


@pytest.mark.parametrize("code", [400, 415, 422])
def test_what_each_of_the_first_rows_is_refused_for_ends_the_run(server: FaultServer, code: int):
    server.plan(faults=[status(code, UNKNOWN)], latency_ms=2)
    with make(server, num_workers=4) as engine:
        error = refused(engine, 300)
    assert isinstance(error, RequestError)
    assert error.status == code
    assert "Unrecognized request argument: foo" in str(error)
    assert "the first 8 rows" in str(error)
    assert 8 <= server.stats()["requests"] <= 8 + 8


def test_the_number_of_a_request_makes_no_other_refusal(server: FaultServer):
    words = "Unrecognized argument (request req_{:08x})"
    scripts = {f"row-{i}": [status(400, words.format(i * 7919))] for i in range(300)}
    server.plan(scripts=scripts)
    with make(server, num_workers=1) as engine:
        refused(engine, 300)
    assert server.stats()["requests"] == 8


@pytest.mark.parametrize(
    "message",
    [
        "The response was filtered due to our content management policy",
        "This model's maximum context length is 8192 tokens",
        "Input is too long for requested model.",
        "Invalid image data",
    ],
)
def test_what_is_about_a_row_never_ends_a_run(server: FaultServer, message: str):
    server.plan(faults=[status(400, {"error": {"message": message}})])
    with make(server) as engine:
        assert len(engine.infer_partial(rows(30)).failures) == 30


def test_different_refusals_and_those_after_an_answer_end_no_run(server: FaultServer):
    various = {f"row-{i}": [status(400, f"reason {i}")] for i in range(20)}
    server.plan(scripts=various)
    with make(server, num_workers=1) as engine:
        assert len(engine.infer_partial(rows(20)).failures) == 20
    server.plan(scripts={f"row-{i}": [status(400, "no")] for i in range(1, 30)})
    with make(server, num_workers=1) as engine:
        result = engine.infer_partial(rows(31))
    assert answers(result.conversations) == [expected(31)[0], expected(31)[30]]


def test_the_rows_that_were_refused_are_asked_again(server: FaultServer, tmp_path: Path):
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    server.plan(faults=[status(400, UNKNOWN)])
    with make(server, num_workers=1) as engine:
        with pytest.raises(RequestError, match="first 8 rows"):
            engine.infer(rows(20), output)
        server.plan()
        assert answers(engine.infer(rows(20), output)) == expected(20)
