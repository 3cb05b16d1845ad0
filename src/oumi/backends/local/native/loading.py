"""Loading a model, its tokenizer and its image processor with Transformers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from oumi.backends.chat_templates.template import TOOL_CALL, ChatTemplate
from oumi.backends.local.adapters import check_adapter
from oumi.backends.local.native.arguments import loading_args
from oumi.backends.local.native.guidance import Guidance
from oumi.backends.local.native.load_check import check_memory, check_weights
from oumi.backends.local.native.settings import HUB, PROCESSOR, TOKENIZER
from oumi.backends.local.special_tokens import find_special_tokens
from oumi.backends.local.token_bytes import TokenBytes
from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError, OumiError
from oumi.models import tiny_folder

# For a model whose configuration names no longest context. Most models since 2023 take as much.
_DEFAULT_CONTEXT_LENGTH = 4096


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode, its tokenizer, and its longest context in tokens.

    `template` says what the tokenizer's chat template can render.
    `processor` prepares text and images for a vision model; None for a model of text only.
    """

    model: Any
    tokenizer: Any
    processor: Any
    context_length: int
    template: ChatTemplate

    @cached_property
    def decoding_tokenizer(self) -> Any:
        """A copy of the tokenizer for the worker's thread: tokenizers are not safe for threads."""
        return deepcopy(self.tokenizer)

    @cached_property
    def token_bytes(self) -> TokenBytes:
        """The bytes of tokens, beside their log-probabilities."""
        return TokenBytes(self.tokenizer)

    @cached_property
    def forward_parameters(self) -> frozenset[str]:
        """Names of the parameters of the model's `forward`; the names differ between models."""
        model = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        return frozenset(inspect.signature(model.forward).parameters)

    @cached_property
    def end_ids(self) -> list[int]:
        """Ids of the tokens that end an answer, by the tokenizer and by the model's settings."""
        own = self.model.generation_config.eos_token_id
        ids = own if isinstance(own, list) else [own]
        unique = dict.fromkeys([self.tokenizer.eos_token_id, *ids])
        return [token for token in unique if token is not None]

    @cached_property
    def guidance(self) -> Guidance:
        """Compiles grammars for this model; made when the first one is needed."""
        vocabulary_size = self.model.config.get_text_config(decoder=True).vocab_size
        return Guidance(self.tokenizer, vocabulary_size, self.end_ids)


def load(params: ModelParams, *, needs_template: bool = True) -> LoadedModel:
    """Load a model, with a chat template if it `needs_template`.

    Raises ModelNotFoundError, MissingDependencyError for a package that it needs, or ConfigError
    for settings that do not go with this model.
    """
    name = _find(params.model_name)
    args = loading_args(params)
    with _translated_errors(params.model_name):
        config = AutoConfig.from_pretrained(name, **_hub_args(params))
        tokenizer, processor = _load_tokenizer(name, config, params)
        _prepare_tokenizer(tokenizer, processor, params)
        template_text = _template_text(tokenizer)
    template = ChatTemplate.from_text(template_text, params, may_be_missing=not needs_template)
    context_length = _context_length(config, params)
    auto_class = AutoModelForCausalLM if processor is None else AutoModelForImageTextToText
    with _translated_errors(params.model_name):
        check_memory(params, config, args, auto_class, context_length)
        model = _load_weights(name, auto_class, params, args)
    if params.adapter_model:
        model = _with_adapter(model, params.adapter_model)
    has_call_token = find_special_tokens(tokenizer).find(TOOL_CALL) is not None
    template = replace(template, has_call_token=has_call_token)
    return LoadedModel(model.eval(), tokenizer, processor, context_length, template)


def _load_weights(name: str, auto_class: Any, params: ModelParams, args: dict[str, Any]) -> Any:
    # With wrong shapes ignored, Transformers says which ones, so that the error can name them.
    model, found = auto_class.from_pretrained(
        name,
        **_hub_args(params),
        **args,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
    )
    check_weights(params.model_name, found)
    return model


def _hub_args(params: ModelParams) -> dict[str, Any]:
    return HUB.encode(SimpleNamespace(model=params))


def _find(name: str) -> str:
    """The model's folder on this machine, or its name on the hub. Raises ModelNotFoundError."""
    if name == EMBEDDED_MODEL:
        return str(tiny_folder())
    path = Path(name).expanduser()
    if path.is_file() or name.lower().endswith(".gguf"):
        raise ModelNotFoundError(
            f"{name}: NATIVE loads the folder of a model, not a file; GGUF files are for LLAMACPP"
        )
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelNotFoundError(f"{name}: no model of Transformers: it has no config.json")
        return str(path)
    if name.startswith(("/", ".", "~")) or name.count("/") > 1:
        raise ModelNotFoundError(f"{name}: no such folder")
    return name


@contextmanager
def _translated_errors(name: str) -> Iterator[None]:
    """Turns what `from_pretrained` raises into our errors, by what the caller can do about it."""
    try:
        yield
    except OumiError:
        raise
    except ImportError as error:
        raise MissingDependencyError(f"{name}: {error}") from error
    except OSError as error:
        raise ModelNotFoundError(f"{name}: Transformers cannot load it: {error}") from error
    except (ValueError, TypeError, KeyError, AssertionError, RuntimeError) as error:
        raise ConfigError(f"{name} cannot be loaded with these model settings: {error}") from error


def _load_tokenizer(name: str, config: Any, params: ModelParams) -> tuple[Any, Any]:
    """The tokenizer, and the processor of a vision model or None."""
    hub_args, processor = _hub_args(params), None
    groups = SimpleNamespace(model=params)
    if type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        processor = AutoProcessor.from_pretrained(name, **hub_args, **PROCESSOR.encode(groups))
    elif params.processor_kwargs:
        raise ConfigError("model.processor_kwargs: this model takes no images")
    if processor is not None and not (params.tokenizer_name or params.tokenizer_kwargs):
        return processor.tokenizer, processor
    tokenizer = AutoTokenizer.from_pretrained(
        params.tokenizer_name or name, **hub_args, **TOKENIZER.encode(groups)
    )
    if processor is not None:
        processor.tokenizer = tokenizer
    return tokenizer, processor


def _with_adapter(model: Any, adapter: str) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingDependencyError("adapter_model needs: pip install peft") from error
    try:
        with warnings.catch_warnings():
            # That weights are missing is a warning to PEFT, and an error here.
            warnings.filterwarnings("ignore", message="Found missing adapter keys")
            adapted = PeftModel.from_pretrained(model, adapter)
            found = adapted.load_adapter(adapter, "default")  # again, for what it tells
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelNotFoundError(f"{adapter}: PEFT cannot load this adapter: {error}") from error
    missing = [key for key in found.missing_keys if "lora_" in key]
    check_adapter(adapter, unknown=found.unexpected_keys, missing=missing)
    return adapted


def _prepare_tokenizer(tokenizer: Any, processor: Any, params: ModelParams) -> None:
    """Set padding and chat template, which are the same for text and for images."""
    tokenizer.padding_side = "left"  # generation continues at the right end
    if params.tokenizer_pad_token:
        tokenizer.pad_token = params.tokenizer_pad_token
    elif tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if params.chat_template:
        tokenizer.chat_template = params.chat_template
    if processor is not None:
        if params.chat_template or not processor.chat_template:
            processor.chat_template = tokenizer.chat_template
        tokenizer.chat_template = tokenizer.chat_template or processor.chat_template


def _template_text(tokenizer: Any) -> str | None:
    """The template that renders messages without tools: a tokenizer may have several, by name."""
    return tokenizer.get_chat_template() if tokenizer.chat_template else None


def _context_length(config: Any, params: ModelParams) -> int:
    """In tokens: as set, else as trained. Raises ConfigError for more than the model has."""
    longest = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    wanted = params.model_max_length
    if wanted and longest and wanted > longest:
        raise ConfigError(
            f"model.model_max_length: {wanted:,} is more than the {longest:,} positions of "
            f"{params.model_name}"
        )
    return wanted or longest or _DEFAULT_CONTEXT_LENGTH
