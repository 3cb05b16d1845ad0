"""From the paths that the settings name to a source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.json_text import parse_json
from oumi.data.jsonl import JsonlSource
from oumi.data.needs_shape import has_prompt_settings, needs_shape
from oumi.data.paths import find_files
from oumi.data.records.formats import open_records
from oumi.data.records.json_lines import JsonLines
from oumi.data.records.record import Records
from oumi.data.source import Source


def open_files(given: Sequence[str], config: InferenceConfig) -> Source:
    """The rows of all files that are named. Raises InputError, ConfigError."""
    files: list[Records] = []
    paths: list[Path] = []
    for path, name, is_copy in find_files(given):
        try:
            files.append(open_records(path, name))
        finally:
            if is_copy:
                path.unlink()
        paths += [] if is_copy else [path]
    if len(files) == 1 and paths:
        return _source(paths[0], files[0], config)
    return _record_source(files, config, paths)


def open_file(path: Path, name: str, config: InferenceConfig) -> Source:
    """The rows of one file."""
    return _source(path, open_records(path, name), config)


def _source(path: Path, records: Records, config: InferenceConfig) -> Source:
    if isinstance(records, JsonLines) and _is_plain(records, config):
        return JsonlSource(path, records.name)
    return _record_source([records], config, [path])


def _record_source(
    files: Sequence[Records], config: InferenceConfig, paths: Sequence[Path]
) -> Source:
    from oumi.data.record_source import RecordSource  # loads jinja2

    return RecordSource(files, config, paths=paths)


def _is_plain(records: JsonLines, config: InferenceConfig) -> bool:
    """Whether a file is JSONL as the runner itself writes it: it is read in the quickest way then,
    and what is wrong with its rows is said in terms of conversations.
    """
    if has_prompt_settings(config) or records.is_packed:
        return False
    line = records.first_line()
    try:
        row = parse_json(line) if line else None
    except ValueError:
        return True
    return not isinstance(row, dict) or not needs_shape(row, config)
