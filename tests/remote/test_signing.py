"""APIs that take no fixed key: tokens of Google, renewed in time, and signatures of AWS."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from oumi.backends.remote.auth import open_auth
from oumi.backends.remote.http.call import Call
from oumi.backends.remote.http.transport import open_transport
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import ModelParams, RemoteParams
from oumi.errors import AccessError, ConfigError, InferenceError
from oumi.inference import GoogleVertexInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def account(server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A service account of Google's whose tokens come from the server."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    facts = {
        "type": "service_account",
        "client_email": "me@mine.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "token_uri": f"{server.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(facts))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("PROJECT_ID", "mine")
    monkeypatch.setenv("REGION", "europe-west4")
    return server


def vertex(server: FaultServer, **remote: object) -> GoogleVertexInferenceEngine:
    return GoogleVertexInferenceEngine(
        ModelParams(model_name="google/gemini-2.5-pro"),
        remote_params=RemoteParams(
            api_url=server.url, retry_backoff_base=0.01, num_workers=1, **remote
        ),
    )


def test_one_token_of_google_serves_all_rows(account: FaultServer):
    with vertex(account) as engine:
        asked = [ask(f"row-{i}") for i in range(5)]
        assert answers(engine.infer(asked)) == [f"answer to row-{i}" for i in range(5)]
        list(engine.stream(ask("row-9")))
    stats = account.stats()
    assert stats["rows"]["POST /token"][0] == 1
    assert stats["authorizations"] == ["Bearer token-1"]
    assert stats["last"][-1]["path"] == (
        "/v1/projects/mine/locations/europe-west4/endpoints/openapi/chat/completions"
    )


def test_a_token_is_renewed_before_it_expires(account: FaultServer):
    account.plan(token_s=60)  # less than the time before the end at which one is renewed
    with vertex(account) as engine:
        engine.infer([ask(f"row-{i}") for i in range(3)])
    stats = account.stats()
    assert stats["rows"]["POST /token"][0] == 3
    assert stats["authorizations"] == [f"Bearer token-{i}" for i in (1, 2, 3)]


def test_many_rows_at_once_share_the_first_token(account: FaultServer):
    account.plan(latency_ms=20)
    with GoogleVertexInferenceEngine(
        ModelParams(model_name="google/gemini-2.5-pro"),
        remote_params=RemoteParams(api_url=account.url, num_workers=20),
    ) as engine:
        engine.infer([ask(f"row-{i}") for i in range(20)])
    assert account.stats()["authorizations"] == ["Bearer token-1"]


def test_a_token_that_is_refused_stops_the_run(account: FaultServer):
    said = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    refusal = {"kind": "status", "code": 400, "body": said, "times": None}
    account.plan(scripts={"POST /token": [refusal]})
    with vertex(account) as engine, pytest.raises(AccessError, match="Invalid JWT Signature"):
        engine.infer([ask("row-1"), ask("row-2")])
    assert "row-1" not in account.stats()["rows"]


def test_without_credentials_the_error_says_what_to_set(account: FaultServer, monkeypatch):
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with vertex(account) as engine, pytest.raises(AccessError, match="credentials"):
        engine.infer([ask("row-1")])


def test_a_token_of_ones_own_needs_no_account(account: FaultServer, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with vertex(account, api_key="ya29.mine") as engine:
        engine.infer([ask("row-1")])
    assert account.stats()["authorizations"] == ["Bearer ya29.mine"]


def test_the_key_may_be_the_file_of_an_account(account: FaultServer, monkeypatch):
    file = os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    with vertex(account, api_key=file) as engine:
        engine.infer([ask("row-1")])
    assert account.stats()["authorizations"] == ["Bearer token-1"]
    with vertex(account, api_key="/nowhere.json") as engine, pytest.raises(AccessError) as caught:
        engine.infer([ask("row-2")])
    assert "No such file" in str(caught.value)


def test_a_server_of_tokens_that_is_away_is_tried_again(account: FaultServer):
    account.plan(scripts={"POST /token": [{"kind": "reset", "times": 10}]})
    with vertex(account, max_retries=1) as engine, pytest.raises(InferenceError) as caught:
        engine.infer([ask("row-1")])
    failure = caught.value.result.failures[0]
    assert (failure.attempts, failure.is_retryable) == (2, True)


def sign_and_send(server: FaultServer, url: str, body: bytes) -> dict:
    """What the server sees of a call that was signed as AWS has it."""

    async def main() -> None:
        call = Call("POST", url, {"content-type": "application/json"}, body, 5)
        transport = open_transport()
        await transport.send(await open_auth(find_provider("BEDROCK")).apply(call))
        await transport.close()

    asyncio.run(main())
    return server.stats()["last"][-1]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_a_signature_covers_what_the_server_sees(server: FaultServer, aws):
    aws.setenv("AWS_SESSION_TOKEN", "session-token")
    path = f"/model/{quote('anthropic.claude-v1:0', safe='')}/converse"
    seen = sign_and_send(server, server.url + path, '{"text": "Grüße"}'.encode())
    assert seen["path"] == path
    assert seen["headers"]["x-amz-security-token"] == "session-token"
    assert seen["headers"]["authorization"] == signature_of(seen)
    assert SECRET not in json.dumps(seen)


def signature_of(seen: dict) -> str:
    """The signature that the request needs, worked out by the book.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    headers, when = seen["headers"], seen["headers"]["x-amz-date"]
    scope = f"{when[:8]}/eu-central-1/bedrock/aws4_request"
    names = sorted(["content-type", "host", "x-amz-date", "x-amz-security-token"])
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    digest = hashlib.sha256(seen["body"].encode()).hexdigest()
    twice = quote(seen["path"], safe="/")  # encoded once more, but at S3
    request = f"{seen['method']}\n{twice}\n\n{lines}\n{';'.join(names)}\n{digest}"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    made = hmac.new(key, f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashed}".encode(), "sha256")
    return (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={made.hexdigest()}"
    )


def test_aws_without_region_or_credentials(server: FaultServer, aws):
    aws.delenv("AWS_REGION")
    with pytest.raises(ConfigError, match="AWS_REGION or AWS_DEFAULT_REGION"):
        sign_and_send(server, f"{server.url}/model/m/converse", b"{}")
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AccessError, match="AWS_ACCESS_KEY_ID"):
        sign_and_send(server, f"{server.url}/model/m/converse", b"{}")
    assert server.stats()["requests"] == 0


def test_the_region_stands_in_the_host(aws):
    aws.delenv("AWS_REGION")
    host = "https://bedrock-runtime.us-gov-west-1.amazonaws.com/model/m/converse"
    call = Call("POST", host, {"content-type": "application/json"}, b"{}", 5)
    signed = asyncio.run(open_auth(find_provider("BEDROCK")).apply(call))
    assert "/us-gov-west-1/bedrock/aws4_request" in signed.headers["authorization"]
    assert "authorization" not in repr(signed)
