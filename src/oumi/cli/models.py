"""`oumi models`: the models that an API offers."""

from __future__ import annotations

import json

import click

from oumi.backends.engine_row import EngineRow
from oumi.cli.engine_name import EngineName
from oumi.cli.overrides import OverridableCommand, read_settings
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.printable import printable_line
from oumi.errors import UnsupportedError
from oumi.inference import build_engine

_EPILOG = """\b
Where the API is and which key opens it are settings, as with `oumi infer`:
  --remote_params.api_url localhost:8000
  --remote_params.api_key_env_varname MY_KEY

\b
Exit codes: 0 done; 2 wrong request or settings; 3 access; 4 unavailable.
"""


@click.command(
    "models",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG,
)
@click.argument("row", metavar="ENGINE", type=EngineName())
@click.option("--all", "with_others", is_flag=True, help="Also list models that do not chat.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, row: EngineRow, with_others: bool, as_json: bool) -> int:
    """List the models that an API offers, one name a line."""
    names = _list_models(row, read_settings(ctx, None), chat_only=not with_others)
    click.echo(json.dumps(names, indent=2) if as_json else "\n".join(map(printable_line, names)))
    return 0


def _list_models(row: EngineRow, config: InferenceConfig, *, chat_only: bool) -> list[str]:
    if row.provider is None:
        raise UnsupportedError(
            f"{row.name} runs on this machine: model.model_name is a file or a name of the hub"
        )
    if not row.provider.lists_models:
        raise UnsupportedError(f"{row.name} does not list its models")
    # An engine needs some model's name, which makes no difference to the list.
    is_named = "model_name" in config.model.model_fields_set
    model = config.model if is_named else ModelParams(model_name="any")
    with build_engine(config.model_copy(update={"engine": row.name, "model": model})) as engine:
        return engine.list_models(chat_only)
