"""The model that ships with the package."""

from __future__ import annotations

from pathlib import Path

TINY = Path(__file__).parent / "tiny"
"""Folder of `oumi-tiny`: `oumi-tiny.gguf`, and `hf/` in the layout of the Hugging Face hub. In a
wheel `hf/` has no weights."""

TINY_GGUF = TINY / "oumi-tiny.gguf"


def tiny_folder() -> Path:
    """The folder of `oumi-tiny` as Transformers and vLLM load it.

    Where the package came without these weights, it is made once in the user's cache folder, of
    the GGUF file. Raises OSError where it cannot be.
    """
    from oumi.models.tiny_weights import WEIGHTS, write_folder

    if (TINY / "hf" / WEIGHTS).exists():
        return TINY / "hf"
    from importlib.metadata import version

    from platformdirs import user_cache_path

    folder = user_cache_path("oumi") / f"oumi-tiny-{version('oumi-infer')}"
    if not folder.exists():
        write_folder(folder, TINY)
    return folder
