"""A model and what turns text and images into its input, loaded as the settings say."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from oumi.backends.local.native.arguments import loading_args
from oumi.backends.local.native.guidance import Guidance
from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError
from oumi.models import TINY

_CONTEXT = 4096  # for a model that does not say how long it may get


@dataclass(frozen=True)
class Loaded:
    """A model in evaluation mode, its tokenizer, and its longest context in tokens.

    `processor` is that of a vision model, None for a model of text only.
    """

    model: Any
    tokenizer: Any
    processor: Any
    context: int

    @cached_property
    def decoder(self) -> Any:
        """The tokenizer once more, for decoding: one must not be used by two threads at once."""
        return deepcopy(self.tokenizer)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names of what the model takes."""
        model = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        return frozenset(inspect.signature(model.forward).parameters)

    @cached_property
    def ends(self) -> list[int]:
        """Ids that end an answer by themselves."""
        own = self.model.generation_config.eos_token_id
        ids = own if isinstance(own, list) else [own]
        found = dict.fromkeys([self.tokenizer.eos_token_id, *ids])
        return [token for token in found if token is not None]

    @cached_property
    def guidance(self) -> Guidance:
        """Made when the first grammar comes."""
        size = self.model.config.get_text_config(decoder=True).vocab_size
        return Guidance(self.tokenizer, size, self.ends)


def load(model: ModelParams) -> Loaded:
    """Load a model.

    Raises ModelNotFoundError, MissingDependencyError for a package that it needs, or ConfigError
    for a setting that makes no sense.
    """
    name = _find(model.model_name)
    args = loading_args(model)
    with _errors(model.model_name):
        config = AutoConfig.from_pretrained(name, **_common(model))
        tokenizer, processor = _load_tokenizer(name, config, model)
        kind = AutoModelForCausalLM if processor is None else AutoModelForImageTextToText
        loaded = kind.from_pretrained(name, **_common(model), **args)
    if model.adapter_model:
        loaded = _with_adapter(loaded, model.adapter_model)
    _prepare(tokenizer, processor, model)
    return Loaded(loaded.eval(), tokenizer, processor, _context(config, model))


def _common(model: ModelParams) -> dict[str, Any]:
    common = {"revision": model.model_revision, "trust_remote_code": model.trust_remote_code}
    return {key: value for key, value in common.items() if value}


def _find(name: str) -> str:
    """The folder of the model, or its name on the hub."""
    if name == EMBEDDED_MODEL:
        return str(TINY / "hf")
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
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(f"{name}: {error}") from error
    except OSError as error:
        raise ModelNotFoundError(f"{name}: Transformers cannot load it: {error}") from error
    except (ValueError, TypeError, KeyError, AssertionError, RuntimeError) as error:
        raise ConfigError(f"{name} cannot be loaded with these model settings: {error}") from error


def _load_tokenizer(name: str, config: Any, model: ModelParams) -> tuple[Any, Any]:
    """The tokenizer, and the processor of a vision model."""
    processor = None
    if type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        processor = AutoProcessor.from_pretrained(name, **_common(model), **model.processor_kwargs)
    elif model.processor_kwargs:
        raise ConfigError("model.processor_kwargs: this model takes no images")
    if processor is not None and not (model.tokenizer_name or model.tokenizer_kwargs):
        return processor.tokenizer, processor
    tokenizer = AutoTokenizer.from_pretrained(
        model.tokenizer_name or name, **_common(model), **model.tokenizer_kwargs
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
        return PeftModel.from_pretrained(model, adapter)
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(f"{adapter}: PEFT cannot load this adapter: {error}") from error


def _prepare(tokenizer: Any, processor: Any, model: ModelParams) -> None:
    tokenizer.padding_side = "left"
    if model.tokenizer_pad_token:
        tokenizer.pad_token = model.tokenizer_pad_token
    elif tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if model.chat_template:
        tokenizer.chat_template = model.chat_template
    if not (tokenizer.chat_template or getattr(processor, "chat_template", None)):
        raise ConfigError(f"{model.model_name} has no chat template; set model.chat_template")
    if processor is not None and (model.chat_template or not processor.chat_template):
        processor.chat_template = tokenizer.chat_template


def _context(config: Any, model: ModelParams) -> int:
    longest = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    wanted = model.model_max_length
    if wanted and longest and wanted > longest:
        raise ConfigError(
            f"model.model_max_length: {wanted:,} is more than the {longest:,} positions of "
            f"{model.model_name}"
        )
    return wanted or longest or _CONTEXT
