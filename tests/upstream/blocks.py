"""The Python blocks of the guide on inference: which of them run as they stand.

The blocks of a page share their names, as a reader would have it, with those of all public modules
and the few that blocks take for granted. Where one submits a batch job, the next waits for its end.
Engines behind an API ask the fault server. Those on this machine answer with `oumi-tiny`, whatever
model a block names: its settings are checked for the engine that it names, but nothing is loaded.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import oumi.core.configs
import oumi.core.types.conversation
import oumi.inference
from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.llama_cpp.backend import LlamaCppBackend
from oumi.backends.registry import load_backend
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.inference import backend_slot
from tests.upstream.counts import Count

GUIDE = "docs/user_guides/infer"
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>python|\{testcode\}[^\n]*|\{code-block\} python)\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_OPTION = re.compile(r"^:[\w-]+:.*\n+", re.MULTILINE)
_MODULES = (oumi.inference, oumi.core.configs, oumi.core.types.conversation)


class Block(NamedTuple):
    """A block of code, and the line at which it begins."""

    name: str
    code: str


class TinyBackend(LlamaCppBackend):
    """Answers with the model of this package in place of the one that the settings name."""

    @classmethod
    def check_model(cls, model: ModelParams) -> None:
        """What the real engine finds wrong is found before, where its runtime is installed."""

    def _load(self) -> None:
        given = self.config
        self.config = given.model_copy(update={"model": ModelParams()})
        super()._load()
        self.config = given

    def _model_files(self) -> list[Path]:
        return []


def check_blocks(checkout: Path) -> Count:
    """Run the blocks of each page, one after the other."""
    backend_slot.load_backend = _load_tiny
    count = Count("Python blocks of the guide run as they stand")
    for page in sorted((checkout / GUIDE).glob("*.md")):
        names: dict[str, Any] = {"__name__": "__main__"}
        for module in _MODULES:
            names |= {name: getattr(module, name) for name in module.__all__}
        names["inference_config"] = InferenceConfig()
        for block in blocks(page):
            with count.trying(block.name):
                exec(compile(block.code, block.name, "exec"), names)
                if "engine.infer_batch(" in block.code:
                    names["engine"].wait_for_batch(names["batch_id"], poll_interval_s=0.01)
    return count


def blocks(page: Path) -> list[Block]:
    """The Python blocks of a page, without the options of Sphinx above their code."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}",
            _OPTION.sub("", textwrap.dedent(match["code"])),
        )
        for match in _BLOCK.finditer(text)
    ]


def _load_tiny(row: EngineRow, config: InferenceConfig) -> type[Backend]:
    return TinyBackend if row.provider is None else load_backend(row, config)
