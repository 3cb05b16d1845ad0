"""Configs by name, such as `llama3.1-8b`, and by `oumi://` paths. Nothing is ever downloaded.

A `.yaml` file in this folder is the config of its name.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from oumi.core.logs import logger
from oumi.core.names import nearest
from oumi.errors import ConfigError

PREFIX = "oumi://"
_FOLDER = Path(__file__).parent
_OWN_FOLDER = "OUMI_DIR"
"""The environment variable for the folder of configs that the user has downloaded."""
_OWN_FOLDER_BY_DEFAULT = "~/.oumi/fetch"

# Paths of the upstream library, below `configs/` and without `.yaml`. Here is a config for the same
# model and engine.
_PATHS = {
    "apis/anthropic/infer_claude_3_7_sonnet": "claude-3-7-sonnet",
    "apis/anthropic/infer_claude_opus_4_1": "claude-opus-4-1",
    "apis/gemini/infer_gemini_2_5_pro": "gemini-2-5-pro",
    "apis/openai/infer_gpt_4_1": "gpt-4-1",
    "apis/openai/infer_gpt_4o": "gpt-4o",
    "apis/openai/infer_gpt_4o_mini": "gpt-4o-mini",
    "apis/openai/infer_gpt_5": "gpt-5",
    "apis/openai/infer_gpt_5_mini": "gpt-5-mini",
    "apis/openai/infer_o3_mini": "o3-mini",
    "apis/openrouter/infer_claude_4_5_sonnet": "claude-4-5-sonnet-openrouter",
    "recipes/deepseek_r1/inference/671b_together/infer": "deepseek-r1-671b",
    "recipes/deepseek_r1/inference/distill_llama_8b/infer": "deepseek-r1-distill-llama-8b",
    "recipes/deepseek_r1/inference/distill_qwen_1_5b/infer": "deepseek-r1-distill-qwen-1.5b",
    "recipes/gemma3/inference/12b_instruct_infer": "gemma3-12b",
    "recipes/gemma3/inference/4b_instruct_infer": "gemma3-4b",
    "recipes/gpt_oss/inference/20b_infer": "gpt-oss-20b",
    "recipes/llama3_1/inference/8b_infer": "llama3.1-8b",
    "recipes/llama3_2/inference/1b_infer": "llama3.2-1b",
    "recipes/llama3_2/inference/3b_infer": "llama3.2-3b",
    "recipes/llama3_3/inference/70b_infer": "llama3.3-70b",
    "recipes/olmo3/inference/7b_infer": "olmo3-7b",
    "recipes/qwen3/inference/30b_a3b_infer": "qwen3-30b-a3b",
    "recipes/qwen3/inference/32b_infer": "qwen3-32b",
    "recipes/smollm/inference/135m_infer": "smollm-135m",
    "recipes/vision/qwen2_5_vl_3b/inference/infer": "qwen2.5-vl-3b",
    "recipes/vision/smolvlm/inference/infer": "smolvlm",
}


def find_config(given: str | Path) -> Path:
    """The file of a config: a path, a name, or an `oumi://` path.

    An `oumi://` path is looked for in the folder of `OUMI_DIR`, among the configs of this package,
    and in the working directory, in this order. Raises ConfigError, which suggests the nearest
    name, where there is none.
    """
    text = str(given)
    if text.lower().startswith(PREFIX):
        return _find_path(text, text[len(PREFIX) :].lstrip("/"))
    path, own = Path(given).expanduser(), _own_file(text)
    if path.exists() or (own is None and (path.suffix == ".yaml" or len(path.parts) > 1)):
        return path
    if own is None:
        raise ConfigError(_unknown(text))
    logger.info("config %s: %s", text, own)
    return own


def config_names() -> list[str]:
    """The names of the configs of this package."""
    return sorted(file.name.removesuffix(".yaml") for file in _FOLDER.glob("*.yaml"))


def _find_path(given: str, path: str) -> Path:
    if not path or ".." in PurePosixPath(path).parts:
        raise ConfigError(f"{given}: expected {PREFIX} and a path below a folder of configs")
    folder = Path(os.environ.get(_OWN_FOLDER) or _OWN_FOLDER_BY_DEFAULT).expanduser()
    for found in (folder / path, _own_file(path), Path(path)):
        if found is not None and found.is_file():
            logger.info("config %s: %s", given, found)
            return found
    raise ConfigError(
        f"{_unknown(path)}. It would also be taken from {folder / path} ({_OWN_FOLDER}) or "
        f"{path}; nothing is downloaded"
    )


def _own_file(given: str) -> Path | None:
    """The file of this package with that name, or in place of that path."""
    below = PurePosixPath(given).as_posix().removeprefix("configs/").removesuffix(".yaml")
    name = _PATHS.get(below, given.lower())
    return _FOLDER / f"{name}.yaml" if name in config_names() else None


def _unknown(given: str) -> str:
    spellings = {name: name for name in config_names()} | _PATHS
    guesses = nearest(given.removeprefix("configs/").removesuffix(".yaml"), spellings, least=0)
    return (
        f"no config {given!r}; did you mean {spellings[guesses[0]]!r}? `oumi infer --list` shows "
        "all names, and the path of a YAML file is taken too"
    )
