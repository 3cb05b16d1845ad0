"""What a server does when clients, the network or the engine behind it misbehave."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from oumi.core.types import Conversation
from tests.fault_server import FaultServer
from tests.server.process import Serve

CHAT = "/v1/chat/completions"


def asked(model: str, row: str = "row-1", **fields: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": row}], **fields}


def until(holds: Callable[[], bool]) -> None:
    """Wait for what has to come; a test's own time limit ends what never does."""
    while not holds():
        time.sleep(0.01)


def raw(serve: Serve, data: bytes) -> socket.socket:
    """A connection on which these bytes were sent."""
    place = urlsplit(serve.url)
    connection = socket.create_connection((place.hostname, place.port), timeout=30)
    connection.sendall(data)
    return connection


def test_health_and_readiness_need_no_key(tiny: Serve):
    assert tiny.client.get("/health").json() == {"status": "ok"}
    assert tiny.client.get("/ready").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (CHAT, b"{", 400, "the body is not JSON"),
        (CHAT, b"[]", 400, "the body: "),
        (CHAT, b'{"messages": [' + b"[" * 5000, 400, "the body is not JSON"),
        ("/v1/nothing", b"{}", 404, "no endpoint /v1/nothing"),
        ("/v1/models", b"{}", 405, "/v1/models takes no POST"),
    ],
)
def test_each_path_has_errors_of_one_form(
    tiny: Serve, path: str, body: bytes, status: int, said: str
):
    reply = tiny.client.post(path, content=body)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["message"].startswith(said)
    assert error["type"] == "invalid_request_error"


def test_a_request_id_is_kept_or_made(tiny: Serve):
    given = tiny.client.get("/v1/models", headers={"x-request-id": "mine-1"})
    assert given.headers["x-request-id"] == "mine-1"
    odd = tiny.client.get("/v1/models", headers={"x-request-id": "a b\tc"})
    assert odd.headers["x-request-id"].startswith("req_")


def test_a_body_that_is_too_large_is_refused_before_it_has_come(tiny: Serve):
    head = b"POST %b HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000000\r\n\r\n{"
    with raw(tiny, head % CHAT.encode()) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_of_unknown_length_is_cut_where_it_is_too_large(tiny: Serve):
    def endless() -> object:
        for _ in range(100):
            yield b" " * 1_000_000

    try:
        reply = tiny.client.post(CHAT, content=endless())
    except httpx.TransportError:
        return  # the connection was closed while it was still being sent
    assert reply.status_code == 413


@pytest.mark.parametrize("words", [14_000, 20_000, 200_000])
def test_a_body_may_be_larger_than_a_head(tiny: Serve, words: int):
    body = asked("oumi-tiny", "word " * words)
    for _ in range(3):  # into how many pieces it is cut differs
        reply = tiny.client.post(CHAT, json=body)
        assert reply.json()["error"]["code"] == "context_length_exceeded"


def test_a_head_without_end_is_refused(tiny: Serve):
    data = b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-long: " + b"x" * 400_000
    with raw(tiny, data) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_web_pages_may_not_ask_unless_they_are_named(tiny: Serve, home: str):
    page = {"origin": "https://app.example"}
    assert tiny.client.post(CHAT, headers=page, json=asked("oumi-tiny")).status_code == 403
    assert tiny.client.get("/v1/models", headers={"host": "evil.example"}).status_code == 403
    assert "access-control-allow-origin" not in tiny.client.get("/health", headers=page).headers
    with Serve("--cors", "https://app.example", HOME=home) as named:
        reply = named.client.post(CHAT, headers=page, json=asked("oumi-tiny", max_tokens=2))
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == "https://app.example"
        other = named.client.get("/v1/models", headers={"origin": "https://other.example"})
        assert other.status_code == 403


def test_keys_have_names_and_none_is_shown(relay_config, home: str, server: FaultServer):
    keys = {"OUMI_API_KEYS": "alice:alices-own-key, 0123456789abcdef", "HOME": home}
    with Serve("-c", relay_config, "-v", key="alices-own-key", **keys) as serve:
        assert serve.openai.chat.completions.create(**asked("big")).choices
        assert serve.metric('oumi_tokens_total{key="alice",kind="prompt",model="big"}') > 0
        assert serve.client.get("/health").status_code == 200
        for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": "alices-own-ke"}):
            refused = serve.client.get("/v1/models", headers=headers)
            assert refused.status_code == 401
            assert refused.json()["error"]["code"] == "invalid_api_key"
        serve.client.headers["x-api-key"] = "0123456789abcdef"
        assert serve.client.get("/v1/models").status_code == 200
        serve.terminate()
        code, log = serve.wait()
    assert code == 0
    assert not any(key in log for key in ("alices-own-key", "0123456789", "row-1"))


def test_other_machines_are_let_in_by_a_key_alone(oumi):
    done = oumi("serve", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--api_key" in done.stderr


def test_a_taken_port_is_said(tiny: Serve, oumi):
    done = oumi("serve", "--port", tiny.url.rpartition(":")[2])
    assert done.returncode == 5
    assert "cannot be listened on" in done.stderr


def test_a_client_that_leaves_frees_its_place(relay: Serve, server: FaultServer):
    server.plan(scripts={"row-1": [{"kind": "hang", "times": None}]})
    body = json.dumps(asked("small", "row-1")).encode()
    head = b"POST %b HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b"
    with raw(relay, head % (CHAT.encode(), len(body), body)):
        server.wait_until(lambda stats: stats["in_flight"] == 1)
    server.wait_until(lambda stats: stats["left"] == 1)
    assert relay.openai.chat.completions.create(**asked("small", "row-2")).choices
    until(lambda: relay.metric('oumi_in_flight{model="small"}') == 0)
    assert relay.metric('oumi_requests_total{path="/v1/chat/completions",status="499"}') > 0


def test_a_client_that_leaves_a_stream_ends_it(relay: Serve, server: FaultServer):
    idle = 2.0  # the server's own task, and that of the request for this number
    until(lambda: relay.metric("oumi_tasks") == idle)
    server.plan(event_gap_ms=200, message={"content": "word " * 500})
    with relay.client.stream("POST", CHAT, json=asked("small", stream=True)) as reply:
        parts = reply.iter_bytes()  # the client leaves with it, too
        assert next(parts)
        assert relay.metric("oumi_tasks") > idle
    until(lambda: relay.metric("oumi_tasks") == idle)
    assert relay.metric('oumi_in_flight{model="small"}') == 0
    assert relay.metric("process_resident_memory_bytes") > 0
    assert relay.openai.chat.completions.create(**asked("other", "row-2")).choices


def test_a_local_model_stops_for_a_client_that_leaves(tiny: Serve):
    long = asked("oumi-tiny", "Tell me a story.", stream=True, max_tokens=1500,
                 logit_bias={"2": -100}, temperature=2.0)  # fmt: skip
    with tiny.client.stream("POST", CHAT, json=long) as reply:
        assert reply.status_code == 200
        assert next(reply.iter_bytes())
    until(lambda: tiny.metric('oumi_in_flight{model="oumi-tiny"}') == 0)


def test_who_finds_the_queue_full_is_told_when_to_come_again(relay: Serve, server: FaultServer):
    server.plan(scripts={f"row-{n}": [{"kind": "hang", "times": None}] for n in (1, 2)})
    with ThreadPoolExecutor() as threads:
        hanging = [
            threads.submit(relay.client.post, CHAT, json=asked("small", f"row-{n}"), timeout=20)
            for n in (1, 2)
        ]
        until(lambda: relay.metric('oumi_waiting{model="small"}') == 1)
        refused = relay.client.post(CHAT, json=asked("small", "row-3"))
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        server.go_away()
        assert all(one.result().status_code == 503 for one in hanging)
        server.come_back()


def test_a_server_that_is_busy_is_asked_again(relay: Serve, server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 503, "times": 2}])
    assert relay.openai.chat.completions.create(**asked("other")).choices
    assert server.stats()["requests"] == 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        {"code": 503}, {"code": 429, "error": "insufficient_quota"}, {"code": 401}, {"code": 400},
    ],
)  # fmt: skip
def test_another_model_answers_where_one_cannot(
    relay: Serve, server: FaultServer, fault: dict, stream: bool
):
    broken = {"kind": "status", "times": 1, **fault}
    times = 40 if fault["code"] == 503 else 1
    server.plan(scripts={"row-1": [{**broken, "times": times}]})
    if times > 1:
        server.plan(faults=[{"kind": "status", "code": 400, "times": 1}])
    reply = relay.client.post(CHAT, json=asked("big", stream=stream))
    assert reply.status_code == 200
    assert reply.headers["x-oumi-model"] == "other"
    assert "row-1" in reply.text
    assert json.loads(server.stats()["last"][-1]["body"])["model"] == "gpt-other"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "status", "code": 401}, 502, "upstream_access_denied"),
        ({"kind": "status", "code": 404}, 502, "upstream_model_not_found"),
        ({"kind": "status", "code": 400}, 400, "context_length_exceeded"),
        ({"kind": "status", "code": 429, "retry_after_s": 1}, 429, "rate_limit_exceeded"),
        ({"kind": "status", "code": 409}, 503, "unavailable"),
    ],
)
def test_what_errors_of_the_api_become(
    relay: Serve, server: FaultServer, fault: dict, status: int, code: str
):
    server.plan(faults=[{**fault, "times": None}])
    reply = relay.client.post(CHAT, json=asked("small"))
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code
    assert "sk-of-the-server" not in reply.text
    if "retry_after_s" in fault:
        assert int(reply.headers["retry-after"]) >= 1


def test_an_error_in_mid_stream_is_an_event(relay: Serve, server: FaultServer):
    server.plan(faults=[{"kind": "stream_cut", "times": None}])
    with pytest.raises(openai.APIError, match="cut off") as caught:
        list(relay.openai.chat.completions.create(**asked("small"), stream=True))
    assert caught.value.body["request_id"].startswith("req_")


def test_an_answer_that_breaks_its_schema_is_repaired_or_an_error(
    relay: Serve, server: FaultServer
):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    bad = {"kind": "answer", "message": {"content": "{}"}, "times": None}
    server.plan(faults=[bad | {"mended": {"content": '{"a":1}'}}])
    for stream in (False, True):
        reply = relay.client.post(CHAT, json=asked("big", response_format=form, stream=stream))
        assert reply.status_code == 200
        assert '{\\"a\\":1}' in reply.text
    server.plan(faults=[bad])
    reply = relay.client.post(CHAT, json=asked("big", response_format=form))
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_structured_output")


def test_sigterm_lets_what_is_in_flight_end(relay_config, home: str, server: FaultServer):
    server.plan(event_gap_ms=20, message={"content": "word " * 40})
    with Serve("-c", relay_config, HOME=home) as serve:
        with serve.client.stream("POST", CHAT, json=asked("big", stream=True)) as reply:
            parts = reply.iter_text()
            text = next(parts)
            serve.terminate()
            text += "".join(parts)
        assert text.endswith("data: [DONE]\n\n")
        assert text.count("word") == 40
        assert serve.wait() == (0, "stopped\n")


def test_a_second_model_file_is_checked(tmp_path, oumi):
    (tmp_path / "models.yaml").write_text("models:\n  fast: {}\n  big: {fallbacks: [fsat]}\n")
    done = oumi("serve", "-c", "models.yaml")
    assert done.returncode == 2
    assert "models.big.fallbacks: 'fsat' is no other model; did you mean 'fast'?" in done.stderr


def test_nothing_of_a_conversation_is_changed_by_the_way(relay: Serve, server: FaultServer):
    asked_for = Conversation.from_dict(
        {"messages": [{"role": "user", "content": "é\u2028\U0001f600"}]}
    )
    body = {"model": "big", **asked_for.to_dict()}
    reply = relay.client.post(CHAT, json=body)
    assert reply.json()["choices"][0]["message"]["content"] == "answer to é\u2028\U0001f600"


def test_files_are_read_where_each_model_that_may_answer_allows_them(
    relay: Serve, server: FaultServer, relay_config: Path
):
    image = relay_config.with_name("pixel.gif")
    image.write_bytes(b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;")
    item = {"type": "image_path", "content": str(image)}
    asked_for = {"messages": [{"role": "user", "content": [item]}]}
    assert relay.client.post(CHAT, json={"model": "reads", **asked_for}).status_code == 200
    outside = [{"role": "user", "content": [item | {"content": "/etc/hostname"}]}]
    refused = [
        relay.client.post(CHAT, json={"model": "reads", "messages": outside}),
        relay.client.post(CHAT, json={"model": "reads-too", **asked_for}),
        relay.client.post(CHAT, json={"model": "other", **asked_for}),
    ]
    assert [reply.status_code for reply in refused] == [400] * 3
    assert server.stats()["requests"] == 1


@pytest.mark.parametrize("setting", ["--generation.num_samples=3", "--max_total_tokens=9"])
def test_what_only_runs_do_is_refused(oumi, setting: str):
    done = oumi("serve", setting)
    assert done.returncode == 2
    assert setting.removeprefix("--").partition("=")[0] in done.stderr
