"""Audio and PDFs in rows, and bytes beside a path: what a server is sent, and who takes none."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.backends.registry import find_engine
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from oumi.inference import InferenceEngine, LlamaCppInferenceEngine, RemoteInferenceEngine
from oumi.inference.build import load_class
from tests.fault_server import FaultServer
from tests.media.site import open_site
from tests.remote.talks import PNG

WAV = b"RIFF\0\0\0\0WAVEfmt "
PDF = b"%PDF-1.7\n%%EOF"


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def show(*items: ContentItem) -> Conversation:
    return Conversation(messages=[Message(role=Role.USER, content=list(items))])


@pytest.fixture
def remote(server: FaultServer) -> Iterator[InferenceEngine]:
    with engine_of("REMOTE", server) as engine:
        yield engine


def engine_of(name: str, server: FaultServer) -> InferenceEngine:
    params = RemoteParams(api_url=server.api_url, api_key="k", max_retries=0)
    made: RemoteInferenceEngine = load_class(find_engine(name))(
        ModelParams(model_name="m"), remote_params=params
    )
    return made


def sent_parts(server: FaultServer) -> list[dict]:
    bodies = [json.loads(one["body"]) for one in server.stats()["last"]]
    return [part for body in bodies for part in body["messages"][0]["content"]]


def test_audio_and_pdfs_by_path_url_and_bytes(remote, server: FaultServer, tmp_path: Path):
    (tmp_path / "a b.pdf").write_bytes(PDF)
    (tmp_path / "a.wav").write_bytes(WAV)
    items = [
        ContentItem(type=Type.PDF_PATH, content=str(tmp_path / "a b.pdf")),
        ContentItem(type=Type.PDF_BINARY, binary=PDF),
        ContentItem(type=Type.PDF_URL, content=f"data:application/pdf;base64,{text_of(PDF)}"),
        ContentItem(type=Type.AUDIO_PATH, content=str(tmp_path / "a.wav")),
        ContentItem(type=Type.AUDIO_URL, content=(tmp_path / "a.wav").as_uri()),
        ContentItem(type=Type.AUDIO_BINARY, binary=b"\1\2", format="pcm16"),
    ]
    remote.infer([show(*items)])
    pdf = f"data:application/pdf;base64,{text_of(PDF)}"
    names = ["a b.pdf", "document.pdf", "document.pdf"]
    files = [{"type": "file", "file": {"filename": n, "file_data": pdf}} for n in names]
    wav = {"type": "input_audio", "input_audio": {"data": text_of(WAV), "format": "wav"}}
    pcm = {"type": "input_audio", "input_audio": {"data": "AQI=", "format": "pcm16"}}
    assert sent_parts(server) == [*files, wav, wav, pcm]


def test_a_pdf_of_the_web_is_loaded_here(remote, server: FaultServer):
    with open_site(image=PDF) as site:
        row = show(ContentItem(type=Type.PDF_URL, content=f"{site.url}/image.png"))
        refused = remote.infer_partial([row])
        assert "allowed_media_hosts" in refused.error_messages[0]
        remote.infer([row], InferenceConfig(allowed_media_hosts=["127.0.0.1"]))
    [part] = sent_parts(server)
    assert part["file"] == {
        "filename": "image.png",
        "file_data": f"data:application/pdf;base64,{text_of(PDF)}",
    }


def test_bytes_beside_a_path_or_a_url_are_sent(remote, server: FaultServer):
    items = [
        ContentItem(type=Type.IMAGE_PATH, content="/nowhere/a.png", binary=PNG, detail="low"),
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png", binary=PNG),
    ]
    remote.infer([show(*items)])
    url = f"data:image/png;base64,{text_of(PNG)}"
    assert [part["image_url"] for part in sent_parts(server)] == [
        {"url": url, "detail": "low"},
        {"url": url},
    ]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (ContentItem(type=Type.PDF_BINARY, binary=b"<html>"), "a PDF: not a PDF document"),
        (ContentItem(type=Type.AUDIO_BINARY, binary=b"text"), "none of the audio formats wav,"),
        (ContentItem(type=Type.PDF_URL, content="s3://a/b.pdf"), "not loaded before"),
        (ContentItem(type=Type.PDF_PATH, content="/nowhere/a.pdf"), "No such file"),
    ],
)
def test_what_is_none_fails_its_row(remote, server: FaultServer, item: ContentItem, reason: str):
    result = remote.infer_partial([show(item), show(ContentItem(type=Type.TEXT, content="x"))])
    assert result.rows == [1]
    assert reason in result.error_messages[0]


@pytest.mark.parametrize(
    ("name", "item", "reason"),
    [
        ("GROQ", ContentItem(type=Type.AUDIO_BINARY, binary=WAV), "GROQ takes no audio; engines"),
        ("GROQ", ContentItem(type=Type.PDF_BINARY, binary=PDF), "GROQ takes no PDFs; engines"),
        ("DEEPSEEK", ContentItem(type=Type.IMAGE_BINARY, binary=PNG), "DEEPSEEK takes no images"),
        ("ANTHROPIC", ContentItem(type=Type.AUDIO_BINARY, binary=WAV), "ANTHROPIC takes no audio"),
    ],
)
def test_an_error_names_who_takes_them(server: FaultServer, name, item, reason):
    with engine_of(name, server) as engine:
        message = engine.infer_partial([show(item)]).error_messages[0]
    assert message.startswith(reason)
    assert "OPENAI" in message
    assert name not in message.partition("engines that do: ")[2]
    assert server.stats()["last"] == []


def test_an_engine_on_this_machine_names_them_too(engine: LlamaCppInferenceEngine):
    row = show(ContentItem(type=Type.PDF_BINARY, binary=PDF))
    message = engine.infer_partial([row]).error_messages[0]
    assert message.startswith("LLAMACPP takes no PDFs; engines that do: ANTHROPIC, ")
