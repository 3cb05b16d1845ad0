"""A table in, and the same table with its answers out."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from oumi.backends.engine_choice import with_engine
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.data.tables.beside import beside
from oumi.data.tables.parser import Parse, Parser
from oumi.errors import InputError
from oumi.inference import InferenceEngine, build_engine
from oumi.progress.showing import showing_progress
from oumi.runner import loop
from oumi.runner.answer_table import AnswerTable
from oumi.runner.inference_job import InferenceJob

TableT = TypeVar("TableT")


def infer_table(
    table: TableT,
    *,
    prompt: str | None = None,
    schema: Any = None,
    parse: Parse | None = None,
    output_path: str | None = None,
    config: InferenceConfig | None = None,
    engine: InferenceEngine | None = None,
    prompt_file: str | None = None,
    system: str | None = None,
    image_column: str | None = None,
    id_column: str | None = None,
    settings_column: str | None = None,
    samples: str | None = None,
    progress: bool | None = None,
    **generation: Any,
) -> TableT:
    """The table with further columns: `answer`, or one for each property of `schema`, then
    `finish_reason`, `prompt_tokens`, `completion_tokens`, `cost_usd` and `error`.

    `table` is a data frame of pandas or Polars, a table of PyArrow, or a list of dicts; of anything
    else with `__arrow_c_stream__` a table of PyArrow comes back. `prompt` is a template over its
    columns; without one they have a known shape. `schema` is whatever `guided_decoding.json` takes.
    `parse` is called with each row and its answer, and gives a dict of further columns. With
    `output_path` answers are recorded, and the same call again asks only for what is missing; the
    file holds the table as well. With `num_samples`, or `n`, each row comes that often, with a
    column `sample`; with `samples="list"` it comes once, with lists. Further arguments are
    generation settings. A row that failed has nulls, and the reason in `error`; what ends the whole
    run is raised. `progress` is that of `InferenceEngine.infer`.
    """
    if schema is not None:
        generation["guided_decoding"] = GuidedDecodingParams(json=schema)
    given = {
        "prompt": prompt,
        "prompt_file": prompt_file,
        "output_path": output_path,
        "system": system,
        "image_column": image_column,
        "id_column": id_column,
        "settings_column": settings_column,
        "samples": samples,
    }
    settings = (config or InferenceConfig()).merge(
        InferenceConfig(
            generation=GenerationParams(**generation),
            **{name: value for name, value in given.items() if value is not None},
        )
    )
    if engine is not None:
        return _run(table, settings, engine, parse, progress)
    settings = with_engine(settings)
    with build_engine(settings) as own:
        return _run(table, settings, own, parse, progress)


def _run(
    table: TableT,
    config: InferenceConfig,
    engine: InferenceEngine,
    parse: Parse | None,
    progress: bool | None,
) -> TableT:
    parser = None if parse is None else Parser(parse)
    session = engine.session(config.model_copy(update={"input_path": None}))
    with showing_progress(progress, None) as listener:
        job = InferenceJob(session, _rows_of(table), listener, parser)
        result = loop.call(job.run(), job)
    answers = AnswerTable(session, job.source, parser, result)
    if isinstance(table, list):
        return cast(TableT, answers.rows())
    return cast(TableT, beside(table, answers.table(), answers.whole, answers.rows_of_row))


def _rows_of(table: Any) -> Any:
    """The rows as sources take them. Raises InputError for what is no table."""
    if isinstance(table, list) or hasattr(table, "__arrow_c_stream__"):
        return table
    lazy = "; collect it first" if hasattr(table, "collect") else ""
    raise InputError(
        f"infer_table takes a data frame, a table of Arrow or a list of dicts, not "
        f"{type(table).__name__}{lazy}"
    )
