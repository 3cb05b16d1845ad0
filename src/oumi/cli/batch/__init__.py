"""`oumi batch`: jobs that are submitted now and collected later."""

from __future__ import annotations

import click

from oumi.cli.lazy import LazyCommand

_COMMANDS = {
    "submit": "Submit a file of conversations, and print the job's id.",
    "status": "Tell how far a job is.",
    "wait": "Wait until a job has ended.",
    "results": "Print or save the answers of a job.",
    "cancel": "Stop a job.",
    "resubmit": "Submit again what a job has no answers to.",
}


@click.group("batch")
def command() -> None:
    """Jobs that are submitted now and collected later, at half the price where an
    API offers that, or worked off on this machine in the background.

    \b
    id=$(oumi batch submit -c run.yaml)
    oumi batch wait $id
    oumi batch results $id --output_path answers.jsonl
    """


for _name, _help in _COMMANDS.items():
    command.add_command(LazyCommand(_name, f"oumi.cli.batch.commands:{_name}", help=_help))
command.add_command(
    LazyCommand(
        "list",
        "oumi.cli.batch.listing:command",
        help="List the jobs that are known on this machine.",
    )
)
