"""Names of engines: those of this package, and those that other packages add.

Another package adds an engine by an entry point of the group `oumi.engines`, whose name is the
engine's. Only names are read here; the registry of `backends` loads what stands behind them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from oumi.core.configs.engine_type import InferenceEngineType

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "oumi.engines"


@cache
def outside_engines() -> dict[str, EntryPoint]:
    """The entry points of other packages by the name of their engine, in alphabetical order.

    A name of this package's own engines cannot be taken over, and is left out.
    """
    # Most runs name an engine of this package; the search for others is imported when needed.
    from importlib.metadata import entry_points

    found = {entry.name.upper(): entry for entry in entry_points(group=GROUP)}
    return {name: found[name] for name in sorted(found.keys() - InferenceEngineType.__members__)}


def parse_engine_name(value: object) -> InferenceEngineType | str:
    """The engine that `value` names in any case of letters; a plain string for one of another
    package. Raises ValueError, which names the nearest engine.
    """
    name = str(value).upper()
    try:
        return InferenceEngineType(name)
    except ValueError:
        pass
    if name in outside_engines():
        return name
    from oumi.core.names import did_you_mean

    known = [*InferenceEngineType, *outside_engines()]
    hint = did_you_mean(name, known, show=str) or f"known are {', '.join(known)}"
    raise ValueError(f"no engine {value!r}; {hint}")
