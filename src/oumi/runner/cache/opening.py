"""From the settings of a run to its cache. SQLite is imported for a run that has one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.logs import logger
from oumi.errors import StorageError

if TYPE_CHECKING:
    from oumi.runner.cache.answers import AnswerCache


@asynccontextmanager
async def opened_cache(
    config: InferenceConfig, engine: str, address: str | None
) -> AsyncIterator[AnswerCache | None]:
    """The cache that the settings name, for answers of an engine and an address; None where they
    name none, or where it cannot be opened, which is said in a warning.
    """
    cache = None
    if config.cache is not False:
        try:
            cache = await asyncio.to_thread(open_cache, config, engine, address)
        except StorageError as error:
            logger.warning("%s. The run goes on without it", error)
    try:
        yield cache
    finally:
        if cache is not None:
            await asyncio.to_thread(cache.close)


def open_cache(config: InferenceConfig, engine: str, address: str | None) -> AnswerCache:
    """The cache that the settings name, which name one. Raises StorageError."""
    from oumi.runner.cache.answers import AnswerCache
    from oumi.runner.cache.file import default_path

    named = config.cache
    path = Path(named).expanduser() if isinstance(named, str) else default_path()
    return AnswerCache(path, engine, config.model.model_name, address)
