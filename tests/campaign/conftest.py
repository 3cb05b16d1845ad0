"""The library that makes the disk fail."""

from tests.runner.conftest import library

__all__ = ["library"]
