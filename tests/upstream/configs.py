"""The YAML files for inference: which of them the engine that they name accepts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.engine_choice import engine_for
from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import effective_settings, load_backend
from oumi.backends.remote.providers import PROVIDERS
from oumi.core.configs import InferenceConfig
from oumi.inference import build_engine
from tests.upstream.counts import Count


def check_configs(checkout: Path) -> tuple[Count, Count, Counter[str]]:
    """How many files are accepted, how many of the templates that they name render what is said,
    and how many of each engine were checked by its runtime as well.
    """
    accepted, templates = Count("YAML files accepted"), Count("templates that render what is said")
    engines: Counter[str] = Counter()
    for path in config_files(checkout):
        name = str(path.relative_to(checkout))
        with accepted.trying(name):
            row, config = _accept(path)
            engines[f"{row.name}{'' if row.is_installed() else ', without its runtime'}"] += 1
            if config.model.chat_template:
                with templates.trying(name):
                    ChatTemplate.from_text(config.model.chat_template, config.model)
    return accepted, templates, engines


def config_files(checkout: Path) -> list[Path]:
    """The files with `infer` in their names, anywhere below `configs/`."""
    return sorted(checkout.glob("configs/**/*infer*.yaml"))


def _accept(path: Path) -> tuple[EngineRow, InferenceConfig]:
    """Load a file, and check it as far as that goes without the model. Raises OumiError."""
    config = InferenceConfig.from_yaml(path)
    if config.remote_params and config.remote_params.api_key_env_varname:
        os.environ[config.remote_params.api_key_env_varname] = "of-a-test"
    row = engine_for(config)
    config = effective_settings(row, config)
    if row.provider is not None:
        build_engine(config).close()  # all but the first request
    elif row.is_installed():
        kind: Any = load_backend(row)
        kind.check_model(config.model)
    return row, config


def _variables(url: str) -> Iterator[tuple[str, str]]:
    """Environment variables that name a server, and a key, for each provider."""
    for provider in PROVIDERS:
        for name in (*provider.key_env, *sum(provider.url_parts.values(), ())):
            yield name, "of-a-test"
        if provider.url_env is not None:
            yield provider.url_env, url


def set_environment(url: str) -> None:
    """Have all engines ask one server, whatever the guide's environment had."""
    os.environ.update(_variables(url))
    os.environ |= {"API_KEY": "k", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
