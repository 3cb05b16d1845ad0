"""The model that ships with the package."""

from pathlib import Path

TINY = Path(__file__).parent / "tiny"
"""Folder of `oumi-tiny`: `oumi-tiny.gguf`, and `hf/` in the layout of the Hugging Face hub."""

TINY_GGUF = TINY / "oumi-tiny.gguf"
