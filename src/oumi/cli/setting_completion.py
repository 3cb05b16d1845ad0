"""What a shell completes: names of settings, engines, models and jobs."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def complete_setting(incomplete: str) -> list[CompletionItem]:
    """The settings whose path begins so, as options."""
    if not incomplete.startswith("--"):
        return []
    from oumi.core.configs.groups import setting_paths

    return _items((f"--{path}" for path in setting_paths()), incomplete)


def complete_engine(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The engines, of this package and of others."""
    from oumi.core.configs import InferenceEngineType
    from oumi.core.configs.engine_name import outside_engines

    return _items((*InferenceEngineType, *outside_engines()), incomplete)


def complete_model(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The models of the configs of this package, and files; nobody is asked for a list."""
    from oumi.core.configs import InferenceConfig
    from oumi.core.configs.named import config_names

    models = sorted({InferenceConfig.from_yaml(n).model.model_name for n in config_names()})
    return [*_items(models, incomplete), CompletionItem(incomplete, type="file")]


def complete_job(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of the batch jobs that are known on this machine."""
    from oumi.batch.job_folder import all_folders

    return _items((folder.id for folder in all_folders()), incomplete)


def _items(values: Iterable[str], incomplete: str) -> list[CompletionItem]:
    start = incomplete.lower()
    return [CompletionItem(value) for value in values if value.lower().startswith(start)]
