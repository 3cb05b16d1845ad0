"""What the table of a run looks like, from its settings."""

from __future__ import annotations

from pathlib import Path

from oumi.core.configs.run_choices import SampleLayout
from oumi.data.source import Source
from oumi.data.tables.parser import Parser
from oumi.data.tables.table_sink import TableForm
from oumi.runner.session import Session
from oumi.runner.storage.row_store import Answers, ContractAt
from oumi.structured.finish import finish_record


def table_form(
    session: Session, source: Source, path: Path | None = None, parser: Parser | None = None
) -> TableForm:
    """The form of a run's output, or of a table in memory. Where rows may bring schemas of their
    own, there is no schema of all answers. Raises ConfigError for an ending of no format, and what
    `TableForm.check` raises.
    """
    guided = session.config.generation.guided_decoding
    schema = None if guided is None or source.has_schemas else guided.json
    cost_of = None if session.price is None else session.price.cost
    suffix = "" if path is None else TableForm.suffix_of(path)
    has_lists = session.config.samples == SampleLayout.LIST
    form = TableForm(suffix, schema, cost_of, parser, source.num_samples, has_lists)
    form.check(source)
    return form


def parse_answers(
    form: TableForm, source: Source, answers: Answers, contract_at: ContractAt
) -> None:
    """Have the parser see all answers, so that its columns are known before they are written."""
    if form.parser is None:
        return
    columns = form.columns(())
    for index, record in enumerate(source.records()):
        completion = answers.read(index).get("completion")
        if completion is None:
            continue
        try:
            answer = columns.answer(finish_record(contract_at(index), completion))
            form.parser.columns(index, record.columns, answer)
        except Exception:  # noqa: S112  said of the row when it is written
            continue
