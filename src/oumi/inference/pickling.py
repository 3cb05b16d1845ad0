"""Which engines can be pickled: those whose settings hold no key. A child process has keys in its
own environment.
"""

from __future__ import annotations

from typing import Any

from oumi.backends.engine_row import EngineRow
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.configs.secrets import inline_secrets
from oumi.errors import ConfigError


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
