"""The logger of this package. A program that uses oumi decides where its warnings go."""

from __future__ import annotations

import logging
from functools import cache

from oumi.core.printable import printable

logger = logging.getLogger("oumi")


class _PrintableMessages(logging.Filter):
    """Writes out what could steer a terminal: messages quote servers, files and rows."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), ()
        return True


logger.addFilter(_PrintableMessages())


@cache
def warn_once(text: str) -> None:
    """Log a warning the first time that this text comes up in the process."""
    logger.warning(text)
