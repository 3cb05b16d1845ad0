"""`oumi batch results`: the answers of a job."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from oumi.cli.batch_jobs import job_command, reach
from oumi.core.types.result import InferenceResult
from oumi.errors import InferenceError

_REASONS_SHOWN = 3
_EPILOG = """\b
  --output_path FILE       where the answers go; left out: standard output
  --overwrite              replace a file that is not of this job

\b
Of a job that has not ended, what there is by now. Exit codes: 0 all rows are
answered; 6 some are not, and stderr says why; others as for all commands.
"""


@job_command("results", epilog=_EPILOG)
def command(ctx: click.Context, batch_id: str, path: Path | None) -> int:
    """Print or save the answers of the job ID, in the order of its input."""
    with reach(ctx, path, batch_id) as (jobs, given):
        output = None if given.output_path == "-" else given.output_path
        given = given.model_copy(update={"output_path": output})
        result = jobs.get_batch_results_partial(batch_id, None, given)
        if output is None:
            for conversation in result.conversations:
                click.echo(conversation.to_json())
        for line in _summary(result, output):
            click.echo(line, err=True)
    return InferenceError.exit_code if result.has_failures else 0


def _summary(result: InferenceResult, output: str | None) -> Iterator[str]:
    failed = len(result.failures)
    where = f" in {output}" if output else ""
    yield f"{len(result.rows):,} answers{where}, {failed:,} rows without one"
    for row, failure in islice(result.failures.items(), _REASONS_SHOWN):
        yield f"  row {row}: {failure.error_type}: {failure.error_message}"
    if failed > _REASONS_SHOWN:
        yield f"  … and {failed - _REASONS_SHOWN:,} more"
