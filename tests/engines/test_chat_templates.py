"""`model.chat_template` on NATIVE and VLLM, as on LLAMACPP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("transformers")
pytest.importorskip("vllm")

from oumi.backends.chat_templates.reading import template_names
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import ConfigError, InferenceError
from oumi.inference import (
    InferenceEngine,
    LlamaCppInferenceEngine,
    NativeTextInferenceEngine,
    VLLMInferenceEngine,
    build_engine,
)
from oumi.models import TINY
from tests.conftest import answers, ask
from tests.engines.asking import generation
from tests.engines.conftest import vllm_params

CHAT_ML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant{{ '\\n' }}"
)
REFUSES_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    + CHAT_ML
)
DROPS_SYSTEM = CHAT_ML.replace("in messages", "in messages if message.role != 'system'")
PARTS_ALONE = CHAT_ML.replace(
    "{{ message.content }}",
    "{% for part in message.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}"
    "{% endfor %}",
)


def talk(*texts: str, system: str | None = None) -> Conversation:
    """The user and the assistant by turns, after a system message if there is one."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = [Message(role=roles[i % 2], content=text) for i, text in enumerate(texts)]
    first = [] if system is None else [Message(role=Role.SYSTEM, content=system)]
    return Conversation(messages=first + messages)


TALKS = [
    talk("What is the capital of France?"),
    talk("What is 2+2?", system="Answer in one word"),
    talk("Hi ", "Hello! How can I help you?", "What is\nthe capital of Peru?"),
    talk(" Grüße, 漢字 🎉", "Hallo", "Why?", "So", "And 3+4?", system="Be kind"),
    talk("{{ messages }} & <b>'quotes'</b>"),
]


def answered(engine: InferenceEngine, rows: list[Conversation]) -> list[tuple[str, int]]:
    """The start of each row's answer, and how many tokens its prompt had."""
    done = engine.infer(rows, generation(max_new_tokens=6))
    tokens = [row.metadata["usage"]["prompt_tokens"] for row in done]
    return list(zip(answers(done), tokens, strict=True))


def native(template: str | None, **fields: object) -> NativeTextInferenceEngine:
    return NativeTextInferenceEngine(ModelParams(chat_template=template, **fields))


@pytest.mark.parametrize("engine", ["NATIVE", "VLLM"])
@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("chatml", "did you mean 'chat_ml'"),
        ("./no/such/file.jinja", r"no/such/file\.jinja: cannot be read"),
        ("{{ question }}", "renders different conversations to the same text"),
        ("{% for m in messages %}\n{{ m.content", r"model\.chat_template: wrong syntax in line 2"),
    ],
)
def test_what_is_no_template_stops_the_run_at_once(engine: str, template: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        build_engine(InferenceConfig(engine=engine, model=ModelParams(chat_template=template)))


@pytest.mark.parametrize("name", sorted(template_names()))
def test_named_templates_make_the_prompts_of_llama_cpp(name: str):
    # Some of them let the user begin.
    rows = [row for row in TALKS if name != "molmo" or row.messages[0].role is Role.USER]
    few = ModelParams(chat_template=name, model_kwargs={"n_parallel": 2, "n_threads": 1})
    with LlamaCppInferenceEngine(few) as reference, native(name) as engine:
        expected, found = answered(reference, rows), answered(engine, rows)
    assert [tokens for _, tokens in found] == [tokens for _, tokens in expected]


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, DROPS_SYSTEM, "molmo"])
def test_native_gives_system_messages_to_the_user(template: str):
    with native(template) as engine:
        given = answered(engine, [talk("Hi", "Hello", "Why?", system="Be kind")])
        assert given == answered(engine, [talk("Be kind\n\nHi", "Hello", "Why?")])


def test_native_gives_a_template_parts_that_reads_nothing_else():
    with native(PARTS_ALONE) as engine, native(CHAT_ML) as plain:
        assert answered(engine, TALKS) == answered(plain, TALKS)


def test_a_template_that_wants_more_than_a_question_is_left_to_the_rows():
    wants = "{% if messages[0].role != 'system' %}{{ raise_exception('system first') }}{% endif %}"
    with native(wants + CHAT_ML) as engine:
        assert answered(engine, TALKS[1:2])
        with pytest.raises(InferenceError, match="system first"):
            engine.infer(TALKS[:1], generation())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """oumi-tiny without a chat template."""
    folder = tmp_path_factory.mktemp("models") / "bare"
    shutil.copytree(TINY / "hf", folder, ignore=shutil.ignore_patterns("*.jinja"))
    return folder


def test_a_model_without_a_template_says_so(bare: Path, vllm_environment: None):
    for engine_class, params in (
        (NativeTextInferenceEngine, ModelParams(model_name=str(bare))),
        (VLLMInferenceEngine, vllm_params(model_name=str(bare))),
    ):
        with pytest.raises(ConfigError, match=r"bare has no chat template; set model\.chat_templ"):
            engine_class(params)


def test_a_template_of_the_models_own_is_tried_out(bare: Path, tmp_path: Path):
    folder = tmp_path / "own"
    shutil.copytree(bare, folder)
    for text, reason in (("{{ question }}", "to the same text"), ("{% if %}", "wrong syntax")):
        (folder / "chat_template.jinja").write_text(text)
        with pytest.raises(ConfigError, match=f"own: its chat_template: .*{reason}"):
            native(None, model_name=str(folder))


@pytest.fixture(scope="module")
def bare_vllm(
    bare: Path, tmp_path_factory: pytest.TempPathFactory, vllm_environment: None
) -> Iterator[InferenceEngine]:
    """It in vLLM, with the template of a file that has no system role."""
    path = tmp_path_factory.mktemp("templates") / "chat.jinja"
    path.write_text(REFUSES_SYSTEM)
    params = vllm_params(model_name=str(bare), chat_template=str(path))
    with VLLMInferenceEngine(params) as engine:
        yield engine


def test_vllm_gives_system_messages_to_the_user(bare_vllm: InferenceEngine):
    given = answered(bare_vllm, [talk("Hi", "Hello", "Why?", system="Be kind")])
    assert given == answered(bare_vllm, [talk("Be kind\n\nHi", "Hello", "Why?")])


def test_vllm_makes_the_prompts_of_native(bare_vllm: InferenceEngine):
    with native(REFUSES_SYSTEM) as engine:
        expected = [tokens for _, tokens in answered(engine, TALKS)]
    assert [tokens for _, tokens in answered(bare_vllm, TALKS)] == expected


def test_vllm_has_the_own_template_by_its_name(vllm: InferenceEngine):
    named = InferenceConfig(
        model=ModelParams(chat_template="auto"), generation=generation().generation
    )
    [done] = vllm.infer([ask("What is the capital of France?")], named)
    assert "Paris" in done.messages[-1].content
