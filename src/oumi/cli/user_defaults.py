"""The user's defaults: a YAML file in the platform's folder for settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from oumi.cli.setting_names import suggestions
from oumi.core.configs import InferenceConfig, loading
from oumi.core.configs.setting_text import as_yaml
from oumi.errors import ConfigError
from oumi.runner.storage.atomic import atomic_file

SHORT_NAMES = {
    "model": "model.model_name",
    "temperature": "generation.temperature",
    "max_tokens": "generation.max_new_tokens",
}
"""Names of settings that `oumi config set` takes besides their paths."""

_OF_ONE_RUN = {"input_path", "output_path", "overwrite", "prompt", "prompt_file", "progress_path"}
_SECRET = {"remote_params.api_key", "remote_params.headers"}


def path() -> Path:
    """Where the file is; on Linux XDG_CONFIG_HOME moves its folder."""
    return user_config_path("oumi") / "config.yaml"


def load() -> InferenceConfig:
    """The defaults; none where there is no file. Raises ConfigError."""
    return _read(substitute=True)


def set_default(name: str, value: str) -> None:
    """Save a setting, named by its path or a short name. Raises ConfigError."""
    full = _full_name(name)
    override = (full, as_yaml(InferenceConfig, full, value))
    changed = loading.load(InferenceConfig, None, [override], substitute=False)
    _save(_read(substitute=False).merge(changed))


def unset_default(name: str) -> bool:
    """Remove a setting from the file. Returns whether it was there."""
    data = _read(substitute=False).to_dict(only_set=True)
    was_there = _remove(data, _full_name(name).split("."))
    if was_there:
        _save(InferenceConfig.model_validate(data))
    return was_there


def _read(*, substitute: bool) -> InferenceConfig:
    """The file. Without `substitute` a `${NAME}` in it stays, so that it can be saved again."""
    if not path().exists():
        return InferenceConfig()
    return InferenceConfig.from_yaml(path(), ignore_interpolation=not substitute)


def _full_name(name: str) -> str:
    full = SHORT_NAMES.get(name, name.removeprefix("--"))
    if full.partition(".")[0] in _OF_ONE_RUN:
        raise ConfigError(f"{name}: is of one run, and no default of all")
    if any(full == secret or full.startswith(f"{secret}.") for secret in _SECRET):
        raise ConfigError(
            f"{name}: is not saved, as it may hold a key: set the environment variable of the "
            "provider (`oumi engines NAME` says which)"
        )
    if "." not in full and full not in InferenceConfig.model_fields:
        short = [f"--{one}" for one in SHORT_NAMES]
        similar = [option.removeprefix("--") for option in suggestions(full, short)]
        hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
        raise ConfigError(f"{name}: no such setting{hint}")
    return full


def _remove(data: dict[str, Any], names: list[str]) -> bool:
    """Remove a value and groups that are empty then."""
    name, *below = names
    if name not in data:
        return False
    if not below:
        del data[name]
        return True
    group = data[name]
    was_there = isinstance(group, dict) and _remove(group, below)
    if group == {}:
        del data[name]
    return was_there


def _save(config: InferenceConfig) -> None:
    path().parent.mkdir(parents=True, exist_ok=True)
    given = config.to_dict(only_set=True)
    data = {name: value for name, value in given.items() if value not in (None, {})}
    with atomic_file(path(), "The defaults are as before") as file:
        file.write(loading.to_text(data).encode() if data else b"")
