"""Transformers inside this process."""

from oumi.inference.local.native.engine import NativeTextInferenceEngine

__all__ = ["NativeTextInferenceEngine"]
