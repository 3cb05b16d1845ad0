"""`model.chat_template` on LLAMACPP: names, paths and texts; what is tried out; the system role."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from oumi.errors import ConfigError, ModelNotFoundError
from oumi.inference import LlamaCppInferenceEngine
from oumi.models import TINY, TINY_GGUF
from tests.conftest import answers, ask, short

FEW = {"n_parallel": 2, "n_threads": 1}
CHAT_ML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant{{ '\n' }}"
)
REFUSES_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    + CHAT_ML
)
DROPS_SYSTEM = CHAT_ML.replace("in messages", "in messages if message.role != 'system'")


def load(template: str | None, **fields: object) -> LlamaCppInferenceEngine:
    return LlamaCppInferenceEngine(
        ModelParams(**{"chat_template": template, "model_kwargs": FEW, **fields})
    )


def talk(*messages: tuple[Role, str | list[ContentItem]]) -> Conversation:
    return Conversation(messages=[Message(role=role, content=text) for role, text in messages])


def answered(engine: LlamaCppInferenceEngine, row: Conversation) -> tuple[str, int]:
    """The answer, and how many tokens the prompt had."""
    [done] = engine.infer([row], short())
    return answers([done])[0], done.metadata["usage"]["prompt_tokens"]


FRANCE = ask("What is the capital of France?")


def test_the_own_template_by_its_name(engine):
    with load("auto") as named:
        assert answered(named, FRANCE) == answered(engine, FRANCE)
        assert dict(named.session().identity["model"])["chat_template"] is None


def test_the_content_of_a_template_is_part_of_the_key_and_its_name_is_not(tmp_path: Path):
    path = tmp_path / "some.jinja"
    path.write_text(CHAT_ML)
    with load(CHAT_ML) as by_text, load(str(path)) as by_path, load("internvl3") as by_name:
        assert by_path.session().job_keys.settings_key == by_text.session().job_keys.settings_key
        assert by_name.session().job_keys.settings_key != by_text.session().job_keys.settings_key
        found = {answered(one, FRANCE) for one in (by_text, by_path, by_name)}
    assert len(found) == 1
    assert "Paris" in found.pop()[0]


def test_the_caller_keeps_the_name():
    model = ModelParams(chat_template="internvl3", model_kwargs=FEW)
    with LlamaCppInferenceEngine(model) as engine:
        assert model.chat_template == "internvl3"
        engine.infer([FRANCE], InferenceConfig(model=model, generation=short().generation))


def test_a_token_that_the_model_does_not_have_is_no_other_token():
    with load("{{ bos_token }}" + CHAT_ML) as with_token, load(CHAT_ML) as plain:
        assert answered(with_token, FRANCE) == answered(plain, FRANCE)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("chatml", "did you mean 'chat_ml'"),
        ("llama3", "did you mean 'llama3-instruct'"),
        ("phi-3", "did you mean 'phi3-instruct'"),
        ("qwen2-vl", "did you mean 'qwen2-vl-instruct'"),
        ("You are a bot.", r"is no chat template; .* the path of a \.jinja file"),
        ("./no/such/file.jinja", r"no/such/file\.jinja: cannot be read: .*No such file"),
        ("{{ question }}", "renders different conversations to the same text"),
        ("{% for m in messages %}{{ m.role }}{% endfor %}", "to the same text"),
        ("{% for m in messages %}\n{{ m.content", r"model\.chat_template: wrong syntax in line 2"),
        ("\n{{ messages | shout }}", "wrong syntax in line 2: No filter named 'shout'"),
    ],
)
def test_what_is_no_template_says_why(template: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        load(template)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"just text", r"some\.jinja: holds no template"),
        (b"\xff{{ messages }}", r"some\.jinja: cannot be read: .*utf-8"),
        (b"{{ messages }}\n{% if %}", r"some\.jinja: wrong syntax in line 2: .*: {% if %}"),
    ],
)
def test_a_file_that_holds_no_template_says_why(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "some.jinja"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        load(str(path))


def changed_gguf(path: Path, old: bytes, new: bytes) -> str:
    """The model in this package with some bytes of its metadata replaced."""
    data = TINY_GGUF.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    return str(path)


def test_a_model_without_a_template_says_so(tmp_path: Path):
    name = changed_gguf(tmp_path / "a.gguf", b"tokenizer.chat_template", b"tokenizer.chat_templat_")
    for template in (None, "auto"):
        with pytest.raises(ConfigError, match=r"a\.gguf has no chat template; set model\.chat_tem"):
            load(template, model_name=name)
    with load((TINY / "hf" / "chat_template.jinja").read_text(), model_name=name) as engine:
        assert "Paris" in answered(engine, FRANCE)[0]


def test_a_model_whose_template_is_wrong_says_where(tmp_path: Path):
    name = changed_gguf(tmp_path / "a.gguf", b"{%- endmacro -%}", b"{%- endmacr0 -%}")
    with pytest.raises(ConfigError, match=r"a\.gguf: its chat_template: wrong syntax in line 9"):
        load(None, model_name=name)


def test_a_template_of_the_models_own_is_tried_out(tmp_path: Path):
    # The macro that writes out a content is given it under another name than it reads.
    name = changed_gguf(tmp_path / "a.gguf", b"macro text_of(content)", b"macro text_of(conten_)")
    with pytest.raises(ConfigError, match="different conversations to the same text"):
        load(None, model_name=name)


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, DROPS_SYSTEM])
def test_system_messages_are_the_users_where_a_template_has_no_system_role(
    template: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    # A model of its own name, since each is warned of once in a process.
    path = tmp_path / "tiny.gguf"
    path.symlink_to(TINY_GGUF)
    given = talk((Role.SYSTEM, "Be brief."), *pairs("What is the capital of France?"))
    by_hand = talk(*pairs("Be brief.\n\nWhat is the capital of France?"))
    with load(template, model_name=str(path)) as engine, caplog.at_level(logging.WARNING):
        answered(engine, FRANCE)
        assert not caplog.messages
        assert answered(engine, given) == answered(engine, by_hand) == answered(engine, given)
        *_, last = engine.stream(given, short())
        assert last.completion.message.content == answered(engine, by_hand)[0]
        assert given.messages[0].role is Role.SYSTEM
    [warning] = caplog.messages
    assert "has no system role" in warning


def pairs(text: str) -> list[tuple[Role, str | list[ContentItem]]]:
    return [(Role.USER, text)]


def test_each_system_message_goes_to_the_users_next_message():
    item = ContentItem(type=Type.TEXT, content="Hi")
    given = talk(
        (Role.SYSTEM, "A"),
        (Role.SYSTEM, "B"),
        (Role.USER, [item]),
        (Role.ASSISTANT, "Hello"),
        (Role.SYSTEM, "C"),
        (Role.USER, "Why?"),
        (Role.ASSISTANT, "So"),
        (Role.SYSTEM, "D"),
    )
    by_hand = talk(
        (Role.USER, "A\n\nB\n\nHi"),
        (Role.ASSISTANT, "Hello"),
        (Role.USER, "C\n\nWhy?"),
        (Role.ASSISTANT, "So"),
        (Role.USER, "D"),
    )
    with load(REFUSES_SYSTEM) as engine:
        assert answered(engine, given) == answered(engine, by_hand)


def test_a_template_that_llama_cpp_refuses_stops_the_run():
    template = "{% if messages[0].role != 'system' %}{{ raise_exception('no') }}{% endif %}"
    with pytest.raises(ModelNotFoundError, match="with a chat template that it cannot use"):
        load(template + CHAT_ML)


def test_a_text_in_several_parts_is_one_text(engine):
    parts = [ContentItem(type=Type.TEXT, content=text) for text in ("What is the ", "capital of ")]
    row = talk((Role.USER, [*parts, ContentItem(type=Type.TEXT, content="France?")]))
    assert answered(engine, row) == answered(engine, FRANCE)
