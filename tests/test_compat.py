"""The module paths that users of the upstream library import from."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import oumi
from oumi.compat.modules import MODULES
from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from oumi.errors import InputError
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.talks import PNG

SCRIPT = """
from oumi.builders.inference_engines import ENGINE_MAP, build_inference_engine
from oumi.core.configs.inference_engine_type import InferenceEngineType
from oumi.core.configs.params.generation_params import GenerationParams
from oumi.core.configs.params.model_params import ModelParams
from oumi.core.configs.params.remote_params import RemoteParams
from oumi.core.inference import BaseInferenceEngine
from oumi.exceptions import OumiConfigError
from oumi.inference import *
from oumi.inference import HuggingFaceRouterInferenceEngine
from oumi.inference.openai_inference_engine import OpenAIInferenceEngine as ByPath
from oumi.inference.remote_inference_engine import BatchStatus
from oumi.utils.io_utils import load_jsonlines, save_jsonlines
from oumi.utils.logging import logger

assert ByPath is OpenAIInferenceEngine
assert ENGINE_MAP[InferenceEngineType.OPENAI] is OpenAIInferenceEngine
assert issubclass(HuggingFaceRouterInferenceEngine, BaseInferenceEngine)
assert BatchStatus.COMPLETED.value == "completed"
import oumi.infer
from oumi.infer import get_engine, infer
assert callable(oumi.infer)
print("all there")
"""


@pytest.mark.parametrize("name", MODULES)
def test_each_path_gives_what_it_names(name: str):
    module = importlib.import_module(name)
    assert set(dir(module)) >= MODULES[name].keys()
    for public in MODULES[name]:
        assert getattr(module, public) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_this_name'"):
        getattr(module, "nothing_of_this_name")  # noqa: B009


def test_no_real_module_is_hidden():
    package = Path(importlib.import_module("oumi").__file__).parent
    for name in MODULES:
        path = package.parent / Path(*name.split("."))
        assert not path.with_suffix(".py").exists()
        assert not (path / "__init__.py").exists()


def test_imports_as_users_write_them():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("all there\n", 0), done.stderr


def test_an_engine_by_its_type(server: FaultServer):
    build = importlib.import_module("oumi.builders").build_inference_engine
    configs = importlib.import_module("oumi.core.configs.params")
    engine = build(
        "REMOTE",
        model_params=configs.ModelParams(model_name="m"),
        remote_params=configs.RemoteParams(api_url=server.api_url),
    )
    with engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]


def test_messages_as_dicts():
    to_dicts = importlib.import_module(
        "oumi.utils.conversation_utils"
    ).create_list_of_message_json_dicts
    messages = [Message(role=Role.USER, content=text) for text in ("a", "b")]
    assert to_dicts(messages, group_adjacent_same_role_turns=False) == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    parts = [{"type": "text", "text": text} for text in ("a", "b")]
    assert to_dicts(messages, group_adjacent_same_role_turns=True) == [
        {"role": "user", "content": parts}
    ]


def test_files_are_read_as_they_were_written(tmp_path: Path):
    io = importlib.import_module("oumi.utils.io_utils")
    rows = [{"a": "line\u2028separator"}, {"b": [1, None]}]
    io.save_jsonlines(tmp_path / "rows.jsonl", rows)
    assert io.load_jsonlines(tmp_path / "rows.jsonl") == rows
    io.save_json(rows, tmp_path / "rows.json")
    assert io.load_json(tmp_path / "rows.json") == rows


def module(name: str) -> Any:
    return importlib.import_module(f"oumi.{name}")


def test_content_as_parts(tmp_path: Path):
    functions = module("utils.conversation_utils")
    (tmp_path / "a.png").write_bytes(PNG)
    items = [
        ContentItem(type=Type.TEXT, content="Look"),
        ContentItem(type=Type.IMAGE_PATH, content=str(tmp_path / "a.png")),
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/b.jpg"),
    ]
    message = Message(role=Role.USER, content=items)
    text, image, linked = functions.convert_message_to_json_content(message)
    assert text == {"type": "text", "text": "Look"}
    assert image["image_url"]["url"] == functions.base64encode_content_item_image_bytes(
        functions.load_image_bytes_to_content_item(items[1])
    )
    assert linked["image_url"]["url"] == "https://example.org/b.jpg"
    plain = Message(role=Role.USER, content="Hi")
    assert functions.convert_message_to_json_content(plain) == "Hi"
    assert functions.convert_message_to_json_content_list(plain) == [{"type": "text", "text": "Hi"}]
    [encoded] = functions.create_list_of_message_json_dicts(
        [message], group_adjacent_same_role_turns=True
    )
    assert encoded["content"] == [text, image, linked]
    with pytest.raises(ValueError, match="an image with its bytes"):
        functions.base64encode_content_item_image_bytes(items[0])
    missing = ContentItem(type=Type.IMAGE_PATH, content=str(tmp_path / "none.png"))
    with pytest.raises(InputError, match=r"none\.png: it cannot be read"):
        functions.load_image_bytes_to_content_item(missing)


@pytest.mark.parametrize(("most", "kept"), [(-1, [2, 1]), (0, [0, 0]), (1, [1, 0]), (2, [2, 0])])
def test_images_beyond_a_number_are_left_out(most: int, kept: list[int]):
    image = ContentItem(type=Type.IMAGE_URL, content="https://example.org/b.jpg")
    text = ContentItem(type=Type.TEXT, content="Look")
    messages = [
        Message(role=Role.USER, content=[image, text, image]),
        Message(role=Role.USER, content=[image, text]),
    ]
    remove = module("utils.conversation_utils").remove_excessive_images_from_conversation
    left = remove(Conversation(messages=messages), max_images=most).messages
    assert [message.count_content_items().image_items for message in left] == kept
    assert [message.compute_flattened_text_content("") for message in left] == ["Look", "Look"]
    assert len(messages[0].content) == 3


def test_inputs_of_chat_templates():
    call = {"id": "1", "function": {"name": "f", "arguments": '{"x": 1}'}}
    row = Conversation(
        messages=[
            Message(role=Role.USER, content="Hi"),
            Message.model_validate({"role": "assistant", "tool_calls": [call]}),
        ],
        tools=[{"type": "function", "function": {"name": "f"}}],
    )
    inputs = module("utils.conversation_utils").create_chat_template_inputs
    messages, tools = inputs(row, tool_arguments_format="mapping", content_format="empty")
    assert messages[1]["content"] == ""
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == {"x": 1}
    assert messages[1]["tool_calls"][0]["type"] == tools[0]["type"] == "function"
    messages, _ = inputs(row, tool_arguments_format="string", content_format="null")
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == '{"x": 1}'
    assert messages[1]["content"] is None


def test_loggers_and_versions(tmp_path: Path):
    logging = module("utils.logging")
    log = logging.get_logger("of-a-test", level="warning", log_dir=tmp_path / "logs")
    log.warning("heard")
    logging.update_logger_level("of-a-test", "error")
    log.warning("not heard")
    assert (tmp_path / "logs" / "of-a-test.log").read_text() == "heard\n"
    assert module("utils.version_utils").get_oumi_version() == oumi.__version__


def test_names_of_the_settings():
    configs = module("core.configs")
    assert issubclass(configs.InferenceConfig, configs.BaseConfig)
    with pytest.raises(configs.OumiConfigError, match="temperature"):
        configs.InferenceConfig.from_str("generation: {temprature: 1}")
    assert "{{" in module("builders").build_chat_template("llama3-instruct")
