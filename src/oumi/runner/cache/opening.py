"""From the settings of a run to its cache. SQLite is imported for a run that has one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.core.logs import logger
from oumi.errors import StorageError
from oumi.runner.session import Session

if TYPE_CHECKING:
    from oumi.runner.cache.answers import AnswerCache


@asynccontextmanager
async def opened_cache(session: Session) -> AsyncIterator[AnswerCache | None]:
    """The cache that the settings name; None where they name none, or where it cannot be opened,
    which is said in a warning.
    """
    cache = None
    if session.config.cache is not False:
        try:
            cache = await asyncio.to_thread(_open, session, session.config.cache)
        except StorageError as error:
            logger.warning("%s. The run goes on without it", error)
    try:
        yield cache
    finally:
        if cache is not None:
            await asyncio.to_thread(cache.close)


def _open(session: Session, named: bool | str) -> AnswerCache:
    from oumi.runner.cache.answers import AnswerCache
    from oumi.runner.cache.file import default_path

    path = Path(named).expanduser() if isinstance(named, str) else default_path()
    return AnswerCache(path, session)
