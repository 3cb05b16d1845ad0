"""What the ending of an output's name says of its content has to be true."""

from __future__ import annotations

from pathlib import Path

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.run_choices import OutputFormat, SampleLayout
from oumi.core.urls import is_url, mask_url
from oumi.errors import ConfigError

_OF_OTHER_FORMATS = {
    ".json": "one JSON document",
    **dict.fromkeys((".arrow", ".feather", ".ipc"), "Arrow"),
    ".avro": "Avro",
    ".orc": "ORC",
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "a spreadsheet"),
    **dict.fromkeys((".db", ".sqlite", ".duckdb"), "a database"),
    **dict.fromkeys((".yaml", ".yml"), "YAML"),
    **dict.fromkeys((".html", ".xml"), "markup"),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip", ".tar"), "a compressed file"),
}
"""Endings by which programs open a file as something that no output here is."""


def check_output_name(config: InferenceConfig) -> None:
    """Raise ConfigError for an output whose ending means another format than it will have."""
    kind, path = config.output_format, config.output_path
    if path is None:
        if kind is not None:
            raise ConfigError(f"output_format: {kind} of what: set output_path")
        return
    if is_url(path) and config.part is None:
        raise ConfigError(
            f"output_path: {mask_url(path)}: a run in parts writes there. Set part, to 1/1 for all "
            "rows, and then run `oumi merge`"
        )
    cache = config.cache if isinstance(config.cache, str) else None
    if cache is not None and Path(cache).resolve() == Path(path).resolve():
        raise ConfigError(f"cache and output_path are the same file: {cache}")
    if config.samples == SampleLayout.LIST and not config.writes_table:
        raise ConfigError("samples: a list is for tables; conversations have a row a sample")
    if kind == OutputFormat.CONVERSATIONS and config.ends_as_table:
        raise ConfigError(f"output_format: {path} is a table by its ending, and {kind} are JSONL")
    meant = _OF_OTHER_FORMATS.get(Path(path).suffix.lower())
    if meant is not None:
        raise ConfigError(
            f"output_path: {path} is {meant} by its ending: .jsonl holds conversations, .parquet, "
            ".csv or .tsv a table"
        )
