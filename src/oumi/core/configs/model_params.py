"""Which model answers, and how it is loaded."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, field_validator

from oumi.core.configs.base import Settings, unused
from oumi.core.configs.path_text import path_text

EMBEDDED_MODEL = "oumi-tiny"

_LATER = {"adapters"}

# Short names of number formats, in the fields' own words on both sides.
_DTYPES = {
    **dict.fromkeys(("f32", "fp32", "float"), "float32"),
    **dict.fromkeys(("f16", "fp16", "half"), "float16"),
    "bf16": "bfloat16",
    **dict.fromkeys(("f64", "fp64", "double"), "float64"),
}


class ModelParams(Settings):
    """Which model answers, and how it is loaded."""

    renamed: ClassVar[dict[str, str]] = {"torch_dtype_str": "torch_dtype"}

    model_name: str = Field(default=EMBEDDED_MODEL, kw_only=False)
    """A path, a hub id, a provider's model name, or `oumi-tiny`, the model in this package."""

    adapter_model: str | None = None
    """A LoRA adapter applied to the model: a path, a hub id, or its name at the server."""

    adapters: dict[str, str] = Field(default_factory=dict)
    """Further LoRA adapters that rows name by `generation.adapter`: `{name: path or hub id}`."""

    tokenizer_name: str | None = None
    """A tokenizer other than the model's own: a path or a hub id."""

    tokenizer_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Further arguments for loading the tokenizer."""

    tokenizer_pad_token: str | None = None
    """The padding token, if the tokenizer has none."""

    processor_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Further arguments for loading the image processor of a vision model."""

    model_max_length: int | None = Field(default=None, ge=1)
    """Longest context in tokens, prompt and answer together. None: the engine's default."""

    torch_dtype: str = "auto"
    """Number format of the weights: `auto`, `float32`, `float16`, `bfloat16` or `float64`, also as
    `bf16`, `half` and the like. Also accepted under its older name `torch_dtype_str`."""

    device_map: str | None = "auto"
    """Device of the weights: `auto`, `cpu`, `cuda`, `cuda:0`, `mps`."""

    trust_remote_code: bool = False
    """Whether code that comes with a model may run."""

    chat_template: str | None = None
    """The chat template: `auto`, the model's own; a [name](local_models.md#chat-templates) such as
    `llama3-instruct`; the path of a `.jinja` file; or Jinja text. None: `auto`."""

    chat_template_kwargs: dict[str, Any] | None = None
    """Variables for the chat template, such as `enable_thinking`."""

    attn_implementation: str | None = None
    """Attention implementation of Transformers, such as `sdpa`."""

    model_revision: str | None = None
    """Branch, tag or commit of the model on the hub."""

    tool_call_parser: str | None = None
    """Name of the parser that finds tool calls in vLLM's text."""

    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Settings of the engine's own runtime, passed on as they are. A local engine refuses those
    that its runtime does not know; a remote one adds them to the body of each request. Those that
    mean a setting above, such as `device_map`, are taken as that setting."""

    load_pretrained_weights: bool = unused(default=True)
    compile: bool = unused(default=False)
    enable_liger_kernel: bool = unused(default=False)
    shard_for_eval: bool = unused(default=False)
    freeze_layers: list[str] = unused(default=[])

    if not TYPE_CHECKING:  # checkers know the fields, which these arguments would hide

        def __init__(self, model_name: str | None = None, /, **fields: Any):
            """The model's name may stand alone: `ModelParams("gpt-4o")`."""
            super().__init__(**({} if model_name is None else {"model_name": model_name}), **fields)

    _paths_as_text = field_validator(
        "model_name", "adapter_model", "tokenizer_name", "chat_template", mode="before"
    )(path_text)

    @field_validator("torch_dtype", mode="before")
    @classmethod
    def _full_name(cls, value: Any) -> Any:
        """`bfloat16` for `bf16`, for `torch.bfloat16` and for PyTorch's value of that name."""
        name = str(value).removeprefix("torch.")
        is_known = isinstance(value, str) or type(value).__module__ == "torch"
        return _DTYPES.get(name, name) if is_known else value

    def key_values(self, *, without: Collection[str] = ()) -> dict[str, Any]:
        """The fields as JSON-ready values for the key of a row.

        Keys of earlier versions are made without fields of later ones, so those count where set.
        """
        unset = _LATER - self.changed_fields()
        return self.model_dump(mode="json", exclude={*unset, *without})

    @property
    def torch_dtype_str(self) -> str:
        """The same as `torch_dtype`, its newer name."""
        return self.torch_dtype
