"""All settings of a run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from oumi.core.configs import loading, setting_text
from oumi.core.configs.base import Settings
from oumi.core.configs.cluster_params import ClusterParams
from oumi.core.configs.embedding_params import EmbeddingParams
from oumi.core.configs.engine_name import parse_engine_name
from oumi.core.configs.engine_type import InferenceEngineType
from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.input_folder import folder_of
from oumi.core.configs.media_hosts import check_host
from oumi.core.configs.model_params import ModelParams
from oumi.core.configs.named import find_config
from oumi.core.configs.part import Part
from oumi.core.configs.path_text import path_text
from oumi.core.configs.price_params import PriceParams
from oumi.core.configs.remote_params import RemoteParams
from oumi.core.configs.run_choices import BadRows, OutputFormat, SampleLayout
from oumi.errors import ConfigError

MAX_MEDIA_BYTES = 50_000_000
"""OpenAI takes 50 MB a request (https://platform.openai.com/docs/guides/images-vision), and no
other API more, so that nothing is refused here that would be taken there."""


_TABLE_SUFFIXES = (".parquet", ".csv", ".tsv")
_ONE_PROMPT = ("prompt", "prompt_file", "text_column")


class InferenceConfig(Settings):
    """All settings of a run."""

    model: ModelParams = Field(default_factory=ModelParams)
    """Which model answers, and how it is loaded."""

    generation: GenerationParams = Field(default_factory=GenerationParams)
    """How an answer is generated."""

    embedding: EmbeddingParams = Field(default_factory=EmbeddingParams)
    """How texts become vectors, where these are asked for."""

    remote_params: RemoteParams | None = None
    """How an API is reached, and which limits are kept to."""

    cluster: ClusterParams | None = None
    """The Ray cluster on whose workers the model runs. None: it runs in this process."""

    engine: InferenceEngineType | str | None = None
    """Which engine answers, of this package or of another one that is installed. None: what
    the [name of the model](engines.md#by-the-name-of-the-model) says."""

    input_path: str | list[str] | None = None
    """A file of conversations or a table, a folder or a pattern of such files, a URL, several of
    these, or `-` for standard input."""

    prompt: str | None = None
    """What each row of a table asks: a Jinja template over its columns, such as `Translate to
    French: {{ text }}`. None: what a known shape of rows says."""

    prompt_file: str | None = None
    """A file with that template."""

    text_column: str | None = None
    """The column whose values are asked as they are, or embedded. Other columns are read then only
    where a setting names them. None: for embeddings `text`; else what a known shape of rows says.
    """

    system: str | None = None
    """A template of the system message, for rows without one."""

    image_column: str | None = None
    """The column of images: paths, URLs or bytes. None: `image` or `images`, where there is one."""

    id_column: str | None = None
    """The column whose values become the `conversation_id`."""

    settings_column: str | None = None
    """The column with generation settings of the row, as an object or JSON text. None: columns
    called `temperature`, `max_new_tokens`, `seed`, `schema` and `adapter` are settings of their
    row; an empty text: no column is."""

    output_path: str | None = None
    """A file for the finished rows, in input order, or `-` for standard output. By its ending it
    holds conversations or a table (`.parquet`, `.csv`, `.tsv`)."""

    output_format: OutputFormat | None = None
    """Whether the output is `conversations` or a `table`. None: what the ending of `output_path`
    says."""

    samples: SampleLayout = SampleLayout.ROWS
    """How several answers a row stand in a table: as `rows` with a column `sample`, or as a `list`
    in each column of the answer."""

    cache: bool | str = False
    """Whether answers of earlier runs are taken from a cache, and new ones kept in it. A path names
    a cache of one's own."""

    part: str | None = None
    """Which part of the rows is asked, such as `3/16`, where several runs share an input. `oumi
    merge` makes one output of them; limits per minute are divided by their number."""

    progress_path: str | None = None
    """A JSON file that says about once a second how far the run is: `total`, which is an estimate
    or null until all rows are checked, `completed`, `failed` and `updated_at`."""

    bad_rows: BadRows = BadRows.STOP
    """Whether an unreadable row of the input stops the run, before it starts or in a large input
    when it is found (`stop`), or fails alone (`fail`)."""

    overwrite: bool = False
    """Whether an output file that is not of this run may be replaced. No file but the output is."""

    batch: bool | Literal["auto"] = False
    """Whether the rows go to the batch API of the provider, and the run waits for the answers:
    `true`, or `auto` for where that costs less. `auto` waits no longer than
    `remote_params.batch_completion_window`, and then asks what is left over one by one."""

    allowed_media_path: str | None = None
    """The folder below which rows may name files, such as images; `/` allows any. None: the folder
    of the input file; for standard input or a pipe the working directory; any for a list in Python.
    """

    allowed_media_hosts: list[str] = Field(default_factory=list)
    """Hosts, addresses or networks (`10.0.0.0/8`) outside of the public internet from which the
    images of rows may be loaded for a local engine, and audio and PDFs for any. An API loads images
    by itself."""

    max_media_bytes: int = Field(default=MAX_MEDIA_BYTES, ge=1)
    """Most bytes of all images, audio and PDFs of one row together."""

    max_cost_usd: float | None = Field(default=None, gt=0.0)
    """Most dollars that a run may cost, with what earlier calls of it cost. Nothing is asked that
    could pass it."""

    max_total_tokens: int | None = Field(default=None, ge=1)
    """Most tokens that a run may take, of prompts and answers together. It counts as
    `max_cost_usd` does."""

    max_rows: int | None = Field(default=None, ge=1)
    """Most rows that are asked: the first ones of the input. No further row is begun."""

    price: PriceParams | None = None
    """What tokens cost, in place of the published price of the model."""

    @field_validator("engine", mode="before")
    @classmethod
    def _check_engine(cls, value: Any) -> InferenceEngineType | str | None:
        return None if value is None else parse_engine_name(value)

    @field_validator("batch", mode="before")
    @classmethod
    def _check_batch(cls, value: Any) -> Any:
        if value not in (True, False, "auto"):
            raise ValueError("expected true, false or auto")
        return value

    @model_validator(mode="after")
    def _check_one_prompt(self) -> Self:
        given = [name for name in _ONE_PROMPT if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give {given[0]} or {given[1]}, not both")
        return self

    @field_validator("input_path")
    @classmethod
    def _check_input_path(cls, value: str | list[str] | None) -> str | list[str] | None:
        if value == []:
            raise ValueError("expected at least one path")
        return value

    @field_validator("cache", mode="before")
    @classmethod
    def _check_cache(cls, value: Any) -> bool | str:
        if isinstance(value, str) and value.strip():
            return value
        if not isinstance(value, bool | None):
            raise ValueError("expected true, false or a path")
        return bool(value)

    # After the others, because the last of those that come before the check by type runs first.
    _paths_as_text = field_validator(
        "input_path",
        "prompt_file",
        "output_path",
        "progress_path",
        "allowed_media_path",
        "cache",
        mode="before",
    )(path_text)

    @field_validator("cluster", mode="before")
    @classmethod
    def _cluster_by_default(cls, value: Any) -> Any:
        """`true` is a cluster under default settings, `false` none."""
        return ({} if value else None) if isinstance(value, bool) else value

    @field_validator("part")
    @classmethod
    def _check_part(cls, value: str | None) -> str | None:
        return value if value is None else str(Part.parse(value))

    @field_validator("allowed_media_path")
    @classmethod
    def _check_media_path(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("expected a folder; . is the working directory, / allows any file")
        return value

    @field_validator("allowed_media_hosts")
    @classmethod
    def _check_media_hosts(cls, value: list[str]) -> list[str]:
        for host in value:
            check_host(host)
        return value

    @property
    def media_folder(self) -> Path:
        """The folder below which rows may name files: `allowed_media_path` or what stands for it.

        It may be relative to the working directory.
        """
        if self.allowed_media_path is not None:
            return Path(self.allowed_media_path).expanduser()
        if self.input_path is None:
            return Path("/")
        folders = {folder_of(path) for path in self.input_paths}
        if len(folders) == 1:
            return folders.pop()
        return Path(os.path.commonpath([folder.resolve() for folder in folders]))

    @property
    def input_paths(self) -> list[str]:
        """`input_path` as a list."""
        if self.input_path is None:
            return []
        return [self.input_path] if isinstance(self.input_path, str) else self.input_path

    @property
    def writes_table(self) -> bool:
        """Whether the output is a table rather than conversations."""
        if self.output_format is not None:
            return self.output_format == OutputFormat.TABLE
        return self.ends_as_table

    @property
    def ends_as_table(self) -> bool:
        """Whether the ending of `output_path` is that of a table."""
        return self.output_path is not None and self.output_path.lower().endswith(_TABLE_SUFFIXES)

    def merge(self, other: Self | None) -> Self:
        """A copy that takes over each field set explicitly in `other`, group by group."""
        merged = super().merge(other)
        if other is None:
            return merged
        groups: dict[str, Settings | None] = {
            "model": self.model.merge(other.model),
            "generation": self.generation.merge(other.generation),
            "embedding": self.embedding.merge(other.embedding),
            "remote_params": (self.remote_params or RemoteParams()).merge(other.remote_params)
            if self.remote_params or other.remote_params
            else None,
            "cluster": (self.cluster or ClusterParams()).merge(other.cluster)
            if self.cluster or other.cluster
            else None,
        }
        return merged.model_copy(update=groups)

    @classmethod
    def from_yaml(
        cls,
        path: str | Path,
        overrides: Iterable[tuple[str, str]] = (),
        *,
        ignore_interpolation: bool = False,
    ) -> Self:
        """Read a YAML file; `overrides` are pairs such as `("generation.temperature", "0.5")`.

        Besides a path, `path` may be the name of a config of this package, such as `llama3.1-8b`,
        or an `oumi://` path, which is looked for in `$OUMI_DIR` and among these configs.
        `${NAME}` and `${NAME:-default}` stand for environment variables, unless
        `ignore_interpolation` is set. Raises ConfigError, which names the file, the line and the
        field, and suggests a name for an unknown one.
        """
        return loading.load(cls, find_config(path), overrides, substitute=not ignore_interpolation)

    @classmethod
    def from_str(cls, text: str) -> Self:
        """Read a YAML text, as `from_yaml` reads a file. Raises ConfigError."""
        return loading.load_text(cls, text)

    @classmethod
    def from_overrides(cls, overrides: Iterable[tuple[str, str]]) -> Self:
        """The defaults with overrides applied. Raises ConfigError."""
        return loading.load(cls, None, overrides)

    @classmethod
    def from_yaml_and_arg_list(
        cls,
        path: str | Path | None,
        arg_list: Iterable[str],
        logger: logging.Logger | None = None,
        *,
        ignore_interpolation: bool = False,
    ) -> Self:
        """Read a YAML file, if any, and arguments such as `generation.temperature=0.5`, which win.

        Arguments may begin with `--`. Raises ConfigError, after it was logged to `logger`.
        """
        try:
            pairs = setting_text.parse_arguments(cls, arg_list)
            at = find_config(path) if path is not None else None
            return loading.load(cls, at, pairs, substitute=not ignore_interpolation)
        except ConfigError as error:
            if logger is not None:
                logger.error("%s", error)
            raise

    def to_yaml(self, path: str | Path) -> None:
        """Write the settings that were set to a YAML file, without API keys."""
        loading.save(self, Path(path))

    def print_config(self, logger: logging.Logger | None = None) -> None:
        """Print all settings as YAML, without API keys; to `logger`, at INFO, where it is given."""
        text = loading.to_text(self.to_dict())
        if logger is None:
            print(text, end="")
        else:
            logger.info("settings:\n%s", text)
