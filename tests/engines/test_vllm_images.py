"""Images in the VLLM engine, with a small vision model of random weights."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("vllm")

from PIL import Image

from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from oumi.inference import VLLMInferenceEngine
from tests.conftest import answers, ask
from tests.engines.asking import generation
from tests.engines.conftest import vllm_params
from tests.engines.models import write_vision_model
from tests.media.site import open_site


@pytest.fixture(scope="module")
def seeing(
    vllm_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VLLMInferenceEngine]:
    model = write_vision_model(tmp_path_factory.mktemp("models") / "seeing")
    with VLLMInferenceEngine(vllm_params(model_name=str(model))) as engine:
        yield engine


def png(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (20, 20), colour).save(data, "PNG")
    return data.getvalue()


def about(*items: ContentItem) -> Conversation:
    question = ContentItem(type=Type.TEXT, content="What is this?")
    return Conversation(messages=[Message(role=Role.USER, content=[*items, question])])


def image(colour: str) -> ContentItem:
    return ContentItem(type=Type.IMAGE_BINARY, binary=png(colour))


def test_an_image_is_seen_however_it_is_given(seeing, tmp_path: Path):
    file = tmp_path / "red.png"
    file.write_bytes(png("red"))
    by_path = ContentItem(type=Type.IMAGE_PATH, content=str(file))
    by_url = ContentItem(type=Type.IMAGE_URL, content=file_url(png("red")))
    with open_site(image=png("red")) as site:
        by_web = ContentItem(type=Type.IMAGE_URL, content=f"{site.url}/image.png")
        rows = [about(item) for item in (image("red"), by_path, by_url, by_web, image("blue"))]
        refused = seeing.infer_partial(rows[3:4], generation()).error_messages[0]
        assert "allowed_media_hosts" in refused
        assert site.paths == []
        allowed = generation().model_copy(update={"allowed_media_hosts": ["127.0.0.1"]})
        red, *same, blue = answers(seeing.infer(rows, allowed))
        assert site.paths == ["/image.png"]
    assert same == [red] * 3
    assert red != blue
    [usage] = [done.metadata["usage"] for done in seeing.infer([rows[0]], generation())]
    [blind] = [done.metadata["usage"] for done in seeing.infer([about()], generation())]
    assert usage["prompt_tokens"] == blind["prompt_tokens"] + 4


def test_several_images_and_text_in_one_run(seeing):
    rows = [about(image("red"), image("blue")), about(image("blue"), image("red")), ask("Hi")]
    one, other, text = answers(seeing.infer(rows, generation()))
    assert one != other
    assert text == answers(seeing.infer(rows[2:], generation()))[0]


def test_an_image_that_cannot_be_read_fails_its_row(seeing, tmp_path: Path):
    absent = ContentItem(type=Type.IMAGE_PATH, content=str(tmp_path / "absent.png"))
    broken = ContentItem(type=Type.IMAGE_BINARY, binary=png("red")[:40])
    result = seeing.infer_partial([about(absent), about(broken), about(image("red"))], generation())
    assert result.rows == [2]
    assert "absent.png: it cannot be read" in result.error_messages[0]
    assert "the prompt cannot be made" in result.error_messages[1]


def test_a_model_without_eyes_says_so(vllm):
    result = vllm.infer_partial([about(image("red")), ask("Hi")], generation())
    assert result.rows == [1]
    assert "takes no images" in result.error_messages[0]


def file_url(data: bytes) -> str:
    import base64

    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
