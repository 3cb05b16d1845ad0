"""Images in the NATIVE engine, by models of two kinds."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("transformers.models.clip.image_processing_pil_clip")

import transformers  # noqa: E402

from oumi.core.configs import ModelParams  # noqa: E402
from oumi.core.types import ContentItem, Conversation, Message, Role, Type  # noqa: E402
from oumi.errors import ConfigError  # noqa: E402
from oumi.inference import NativeTextInferenceEngine  # noqa: E402
from tests.conftest import answers, ask  # noqa: E402
from tests.engines.asking import generation  # noqa: E402
from tests.engines.vision import write_llava, write_qwen  # noqa: E402
from tests.media.site import open_site  # noqa: E402

WRITERS = {"llava": write_llava, "qwen": write_qwen}


@pytest.fixture(scope="module", params=WRITERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return WRITERS[request.param](tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="module")
def seeing(folder: Path) -> Iterator[NativeTextInferenceEngine]:
    model = ModelParams(model_name=str(folder), torch_dtype="float32")
    with NativeTextInferenceEngine(model) as engine:
        yield engine


def png(*colors: str) -> bytes:
    """Stripes of colors."""
    image = Image.new("RGB", (64, 48))
    for number, color in enumerate(colors):
        image.paste(color, (number * 64 // len(colors), 0, 64, 48))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def show(*images: bytes | ContentItem, text: str = "What is it?") -> Conversation:
    items = [
        image
        if isinstance(image, ContentItem)
        else ContentItem(type=Type.IMAGE_BINARY, binary=image)
        for image in images
    ]
    content = [*items, ContentItem(type=Type.TEXT, content=text)]
    return Conversation(messages=[Message(role=Role.USER, content=content)])


def by_hand(folder: Path, conversation: Conversation, tokens: int) -> str:
    """What Transformers makes of the conversation alone."""
    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype="float32")
    content: list[dict[str, Any]] = []
    for item in conversation[0].content_items:
        if item.is_text():
            content.append({"type": "text", "text": item.content})
        else:
            content.append({"type": "image", "image": Image.open(io.BytesIO(item.binary))})
    encoded = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    made = model.eval().generate(**encoded, max_new_tokens=tokens, do_sample=False)
    ids = made[0, encoded["input_ids"].shape[1] :]
    return processor.tokenizer.decode(ids, skip_special_tokens=True)


def test_rows_with_and_without_images_are_answered_as_if_alone(seeing, folder: Path):
    rows = [show(png("red")), ask("Hi"), show(png("red", "blue"), png("green"))]
    rows += [show(png("white", "black", "red"), text="How many " * 9), ask("What is 2 plus 3?")]
    # A letter that is cut in half is left out at the end.
    expected = [by_hand(folder, row, 16).rstrip("\N{REPLACEMENT CHARACTER}") for row in rows]
    config = generation(max_new_tokens=16, batch_size=3)
    assert answers(seeing.infer(rows, config)) == expected
    assert len(set(expected)) == len(rows), "different images give different answers"


def test_an_image_may_come_in_any_form(seeing, tmp_path: Path):
    image = png("red", "blue")
    path = tmp_path / "image.png"
    path.write_bytes(image)
    url = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    forms = [
        ContentItem(type=Type.IMAGE_BINARY, binary=image),
        ContentItem(type=Type.IMAGE_PATH, content=str(path)),
        ContentItem(type=Type.IMAGE_URL, content=url),
        ContentItem(type=Type.IMAGE_URL, content=f"file://{path}"),
    ]
    with open_site(image=image) as site:
        forms.append(ContentItem(type=Type.IMAGE_URL, content=f"{site.url}/image.png"))
        allowed = generation().model_copy(update={"allowed_media_hosts": ["127.0.0.1"]})
        found = answers(seeing.infer([show(form) for form in forms], allowed))
        assert site.paths == ["/image.png"]
    assert found == found[:1] * 5
    pieces = list(seeing.stream(show(forms[0]), generation()))
    assert "".join(piece.content for piece in pieces) == found[0]


def test_the_prompt_of_a_row_with_an_image(seeing, folder: Path):
    processor = transformers.AutoProcessor.from_pretrained(folder)
    content = [{"type": "image"}, {"type": "text", "text": "What is it?"}]
    expected = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    assert seeing.apply_chat_template(show(png("red"))) == expected


def test_an_image_that_cannot_be_read_fails_its_row(seeing, tmp_path: Path):
    def item(kind: Type, content: str) -> ContentItem:
        return ContentItem(type=kind, content=content)

    secret = tmp_path / "image.png"
    secret.write_bytes(png("red"))
    with open_site() as site:
        rows = [
            show(item(Type.IMAGE_PATH, str(tmp_path / "none.png"))),
            show(item(Type.IMAGE_URL, str(secret))),
            show(item(Type.IMAGE_URL, f"file://{tmp_path}/none.png")),
            show(item(Type.IMAGE_URL, "data:image/png;base64,bm90IGFuIGltYWdl")),
            show(item(Type.IMAGE_URL, f"{site.url}/image.png")),
            show(png("red")),
        ]
        result = seeing.infer_partial(rows, generation())
    assert result.rows == [5]
    assert site.paths == []
    reasons = ["cannot be read", "no URL of an image", "cannot be read"]
    reasons += ["cannot be read", "allowed_media_hosts"]
    for row, reason in enumerate(reasons):
        assert reason in result.error_messages[row]


def test_a_model_of_text_takes_none():
    with NativeTextInferenceEngine() as engine:
        result = engine.infer_partial([show(png("red")), ask("Hi")], generation())
    assert result.rows == [1]
    assert result.failures[0].error_class == "UnsupportedError"
    assert "oumi-tiny takes no images" in result.error_messages[0]
    with pytest.raises(ConfigError, match="takes no images"):
        NativeTextInferenceEngine(ModelParams(processor_kwargs={"max_pixels": 1}))


def test_processor_kwargs_reach_the_processor(tmp_path: Path):
    folder = write_qwen(tmp_path / "qwen")
    lengths = []
    for pixels in (56 * 56, 112 * 112):
        model = ModelParams(
            model_name=str(folder), processor_kwargs={"min_pixels": pixels, "max_pixels": pixels}
        )
        with NativeTextInferenceEngine(model) as engine:
            [done] = engine.infer([show(png("red"))], generation())
            lengths.append(done.metadata["usage"]["prompt_tokens"])
    assert lengths[0] < lengths[1]
