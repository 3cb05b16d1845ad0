"""The Bedrock engine against a real server process, which checks what was signed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import Conversation, FinishReason, Message, Role
from oumi.errors import (
    AccessError,
    ConfigError,
    ModelNotFoundError,
    OumiError,
    UnavailableError,
)
from oumi.inference import BedrockInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.talks import TOOL
from tests.shapes import PRODUCT

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG"
CALL = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def engine(server: FaultServer) -> Iterator[BedrockInferenceEngine]:
    with make(server) as engine:
        yield engine


def make(server: FaultServer, model: str = MODEL, **fields: Any) -> BedrockInferenceEngine:
    quick = {"retry_backoff_base": 0.01, "connection_timeout": 5.0}
    return BedrockInferenceEngine(
        ModelParams(model_name=model),
        remote_params=RemoteParams(**{"api_url": server.url, **quick, **fields}),
    )


def seen(server: FaultServer) -> dict[str, Any]:
    """The last request as the server saw it."""
    return server.stats()["last"][-1]


def signature_due(request: dict[str, Any], access: str, secret: str) -> str:
    """The signature that AWS would work out for what came in."""
    headers = request["headers"]
    signed = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])[1].split(";")
    url = f"http://{headers['host']}{request['path']}"
    again = AWSRequest(
        request["method"], url, {name: headers[name] for name in signed}, request["body"]
    )
    again.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(access, secret), "bedrock", "eu-central-1")
    return auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)


@pytest.mark.parametrize(
    "model", [MODEL, "arn:aws:bedrock:eu-central-1:1:application-inference-profile/a b"]
)
def test_what_the_server_saw_was_signed(server: FaultServer, model: str):
    with make(server, model) as engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
    request = seen(server)
    authorization = request["headers"]["authorization"]
    assert f"Credential={ACCESS}/" in authorization
    assert "/eu-central-1/bedrock/aws4_request" in authorization
    assert authorization.endswith("Signature=" + signature_due(request, ACCESS, SECRET))
    assert json.loads(request["body"])["messages"] == [
        {"role": "user", "content": [{"text": "row-1"}]}
    ]


def test_a_stream_is_signed_too(server: FaultServer, engine: BedrockInferenceEngine):
    server.plan(piece_bytes=7, message={"reasoning_content": "Hm."})
    pieces = list(engine.stream(ask("row-1")))
    assert "".join(piece.content for piece in pieces) == "answer to row-1"
    assert "".join(piece.reasoning_content for piece in pieces) == "Hm."
    assert pieces[-1].completion.message.content == "answer to row-1"
    request = seen(server)
    assert request["path"].endswith("/converse-stream")
    due = signature_due(request, ACCESS, SECRET)
    assert request["headers"]["authorization"].endswith(due)


def test_a_key_of_bedrock_is_a_bearer_token(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1")
    with make(server) as engine:
        engine.infer([ask("row-1")])
    assert seen(server)["headers"]["authorization"] == "Bearer bedrock-api-key-1"


def test_credentials_that_expire_are_renewed(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """A profile whose credentials come from a program and are due for renewal at once."""
    program = tmp_path / "credentials.py"
    program.write_text(
        "import datetime, json, pathlib\n"
        f"count = pathlib.Path({str(tmp_path / 'count')!r})\n"
        "number = int(count.read_text()) + 1 if count.exists() else 1\n"
        "count.write_text(str(number))\n"
        "end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'KEY{number}',\n"
        "    'SecretAccessKey': 's', 'SessionToken': f'token{number}',\n"
        "    'Expiration': end.isoformat()}))\n"
    )
    config = tmp_path / "config"
    config.write_text(f"[profile x]\ncredential_process = {sys.executable} {program}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "x")
    with make(server) as engine:
        tokens = []
        for _ in range(2):
            engine.infer([ask("row-1")])
            tokens.append(seen(server)["headers"]["x-amz-security-token"])
    assert tokens[0] != tokens[1]


def test_without_credentials_or_region(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with make(server) as engine, pytest.raises(AccessError, match="AWS_ACCESS_KEY_ID"):
        engine.infer([ask("row-1")])
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ConfigError, match="AWS_REGION"):
        BedrockInferenceEngine(ModelParams(model_name=MODEL))


def test_the_region_is_in_the_address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    with BedrockInferenceEngine(ModelParams(model_name=MODEL)) as engine:
        url = engine.session().identity["url"]
    assert url == "https://bedrock-runtime.us-west-2.amazonaws.com"


def test_a_loop_of_tools_with_signed_thoughts(server: FaultServer, engine: BedrockInferenceEngine):
    server.plan(message={"reasoning_content": "Hm.", "content": None, "tool_calls": [CALL]})
    [asked] = engine.infer([ask("row-1", tools=[TOOL])])
    asked = Conversation.from_json(asked.to_json())
    assert asked[-1].reasoning_content == "Hm."
    server.plan()
    result = Message(role=Role.TOOL, content="2", tool_call_id="c1")
    engine.infer([asked.model_copy(update={"messages": [*asked.messages, result]})])
    _, said, told = json.loads(seen(server)["body"])["messages"]
    signed = {"reasoningText": {"text": "Hm.", "signature": "c2lnbmVk"}}
    assert said["content"][0] == {"reasoningContent": signed}
    assert told["content"] == [{"toolResult": {"toolUseId": "c1", "content": [{"text": "2"}]}}]


@pytest.mark.parametrize("model", [MODEL, "amazon.nova-pro-v1:0"])
def test_a_schema(server: FaultServer, model: str):
    product = {"name": "Pen", "price": 20}
    server.plan(message={"content": json.dumps(product)})
    config = InferenceConfig(
        generation=GenerationParams(guided_decoding=GuidedDecodingParams(json=PRODUCT))
    )
    with make(server, model) as engine:
        [answer] = engine.infer([ask("row-1")], config)
        pieces = list(engine.stream(ask("row-1"), config))
    assert json.loads(answer[-1].content) == product
    assert answer.metadata["finish_reason"] == FinishReason.STOP
    assert json.loads("".join(piece.content for piece in pieces)) == product


def test_a_guardrail_stops_an_answer(server: FaultServer, engine: BedrockInferenceEngine):
    server.plan(message={"content": "Blocked."}, finish_reason="content_filter")
    [answer] = engine.infer([ask("row-1")])
    assert answer.metadata["finish_reason"] == FinishReason.CONTENT_FILTER


@pytest.mark.parametrize("kind", ["stream_cut", "stream_error"])
def test_a_stream_that_breaks_is_an_error(
    server: FaultServer, engine: BedrockInferenceEngine, kind: str
):
    server.plan(faults=[{"kind": kind}])
    with pytest.raises(UnavailableError):
        list(engine.stream(ask("row-1")))


@pytest.mark.parametrize(
    "fault",
    [
        *({"kind": "status", "code": code} for code in (408, 424, 429, 500, 503)),
        {"kind": "malformed"},
        {"kind": "wrong_choices", "variant": "null_message"},
    ],
    ids=str,
)
def test_what_is_tried_again(server: FaultServer, engine: BedrockInferenceEngine, fault: dict):
    server.plan(faults=[fault])
    assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
    assert server.stats()["requests"] == 2


@pytest.mark.parametrize(
    ("code", "body", "error"),
    [
        (403, None, AccessError),
        (404, None, ModelNotFoundError),
        (400, {"message": "The provided model identifier is invalid."}, ModelNotFoundError),
    ],
)
def test_what_stops_the_run(
    server: FaultServer,
    engine: BedrockInferenceEngine,
    code: int,
    body: dict | None,
    error: type[OumiError],
):
    fault = {"kind": "status", "times": None, "code": code, "body": body}
    server.plan(faults=[fault])
    with pytest.raises(error) as caught:
        engine.infer([ask("row-1"), ask("row-2")])
    assert SECRET not in str(caught.value)


def test_its_models_are_listed(server: FaultServer, engine: BedrockInferenceEngine):
    server.plan(models=["amazon.nova-pro-v1:0"])
    assert engine.list_models() == ["amazon.nova-pro-v1:0"]
    request = seen(server)
    assert request["path"] == "/foundation-models"
    assert request["headers"]["authorization"].endswith(signature_due(request, ACCESS, SECRET))


def test_without_botocore_the_extra_is_named():
    script = (
        "import sys; sys.modules['botocore'] = None\n"
        "from oumi.core.configs import ModelParams\n"
        "from oumi.errors import MissingDependencyError\n"
        "try:\n"
        "    from oumi.inference import BedrockInferenceEngine\n"
        "    BedrockInferenceEngine(ModelParams(model_name='m'))\n"
        "except MissingDependencyError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "pip install 'oumi-infer[bedrock]'" in done.stdout
