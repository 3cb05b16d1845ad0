"""Which files and hosts the rows of a job may name, wherever the job's input is copied to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from oumi.batch.job_spec import JobSpec
from oumi.core.configs.inference_config import InferenceConfig

_SETTINGS = ("allowed_media_path", "allowed_media_hosts", "max_media_bytes")


def pin_media_folder(config: InferenceConfig, *, is_list: bool) -> InferenceConfig:
    """The settings of a new job, with the folder that its input decides written out."""
    if is_list:
        config = config.model_copy(update={"input_path": None})
    folder = str(config.media_folder.absolute())
    return config.model_copy(update={"allowed_media_path": folder})


def media_settings(spec: JobSpec, config: InferenceConfig) -> dict[str, Any]:
    """The settings of a job about media: those of a call where they are set, or else its own."""
    own = spec.config
    return {
        name: getattr(config if name in config.model_fields_set else own, name)
        for name in _SETTINGS
    }


def with_media_settings(spec: JobSpec, config: InferenceConfig) -> JobSpec:
    """The spec with what a call sets about media. None of it shapes an answer."""
    given = {name: getattr(config, name) for name in _SETTINGS if name in config.model_fields_set}
    if given.get("allowed_media_path") is not None:
        given["allowed_media_path"] = str(Path(config.media_folder).absolute())
    return replace(spec, settings={**spec.settings, **given})
