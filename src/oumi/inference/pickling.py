"""Engines in pickles: as their settings, without keys, which a child process has in its own
environment. Its model is loaded, or its API reached, when it is first used there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.backends.engine_row import EngineRow
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.configs.secrets import inline_secrets
from oumi.errors import ConfigError

if TYPE_CHECKING:
    from oumi.inference.engine import InferenceEngine


def reduced(engine: InferenceEngine, state: dict[str, Any]) -> tuple[Any, ...]:
    """What `__reduce__` has to return. A class that is made for an engine of another package has no
    place to be imported from, and goes by the engine's name.
    """
    from oumi.inference.build import load_class

    kind, row = type(engine), engine.row()
    return _new_engine, (row.name if kind is load_class(row) else kind,), state


def check_picklable(row: EngineRow, config: InferenceConfig, arguments: dict[str, Any]) -> None:
    """Raise ConfigError for settings that hold a key, and for what belongs to this process."""
    if arguments.get("transport") is not None:
        raise ConfigError(
            f"{row.name}: an engine with a transport of one's own cannot be pickled: make the "
            "engine in the process that uses it"
        )
    remote = config.remote_params or RemoteParams()
    secrets = [name for name, value in inline_secrets(remote).items() if value]
    if secrets:
        where = {"api_key": _key_advice, "api_url": _url_advice, "headers": _headers_advice}
        advice = "; ".join(where[name](row, remote) for name in secrets)
        raise ConfigError(
            f"{row.name}: an engine whose settings hold a key cannot be pickled, as keys go into "
            f"no file and no pipe: {advice}"
        )


def _new_engine(kind: str | type[InferenceEngine]) -> InferenceEngine:
    from oumi.backends.registry import find_engine
    from oumi.inference.build import load_class

    cls = load_class(find_engine(kind)) if isinstance(kind, str) else kind
    return cls.__new__(cls)


def _key_advice(row: EngineRow, remote: RemoteParams) -> str:
    names = row.provider.key_env if row.provider else ()
    named = f" {' or '.join(names)}," if names else ""
    return (
        f"leave remote_params.api_key out and set the environment variable{named} or the one that "
        "remote_params.api_key_env_varname names, which the other process reads too"
    )


def _url_advice(row: EngineRow, remote: RemoteParams) -> str:
    name = row.provider.url_env if row.provider else None
    instead = f"set {name} to it" if name else "make the engine in the process that uses it"
    return (
        f"leave the address with its password or query out of remote_params.api_url and {instead}"
    )


def _headers_advice(row: EngineRow, remote: RemoteParams) -> str:
    return (
        "remote_params.headers has one that may be a key: give it to the calls, or make the engine "
        "in the process that uses it"
    )
