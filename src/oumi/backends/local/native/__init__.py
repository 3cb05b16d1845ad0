"""Transformers inside this process."""

from oumi.backends.local.native.backend import NativeTextInferenceEngine

__all__ = ["NativeTextInferenceEngine"]
