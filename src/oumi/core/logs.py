"""The logger of this package. A program that uses oumi decides where its warnings go."""

from __future__ import annotations

import logging
from functools import cache

logger = logging.getLogger("oumi")


@cache
def warn_once(text: str) -> None:
    """Log a warning the first time that this text comes up in the process."""
    logger.warning(text)
