"""`oumi doctor`: what is installed here, and what is missing."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import engine_rows
from oumi.cli import user_defaults
from oumi.cli.key_status import key_set_in, lacks_key
from oumi.core.printable import printable, printable_line
from oumi.errors import EngineError, OumiError
from oumi_infer.clash import find_clash, find_missing

_RUNTIMES = ("xllamacpp", "transformers", "torch", "vllm", "pyarrow", "huggingface-hub")
_ASK_GPU = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
_TIMEOUT_S = 10.0
"""A driver that hangs does so for good."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Check the installation: versions, engines, keys (whether they are set), GPU, defaults.

    Nothing is sent to anybody. Exit codes: 0 no fault found; 5 something is broken.
    """
    facts = _facts()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(facts)
    return EngineError.exit_code if facts["faults"] else 0


def _print(facts: dict[str, Any]) -> None:
    """The facts in two columns that fit a terminal; elsewhere in plain lines."""
    console = Console(highlight=False)
    if not console.is_terminal:
        for name, value in _lines(facts):
            click.echo(printable(f"{name:<10} {value}"))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in _lines(facts):
        table.add_row(Text(name, "bold"), Text(printable(value)))
    console.print(table)


def _facts() -> dict[str, Any]:
    rows = engine_rows()
    clash = find_clash() or find_missing()
    faults = [clash.text] if clash is not None else []
    faults += _faults_of_defaults()
    return {
        "oumi_infer": metadata.version("oumi-infer"),
        "python": f"{platform.python_version()} at {sys.executable}",
        "system": platform.platform(),
        "packages": {name: version for name in _RUNTIMES if (version := _version(name))},
        "engines": {row.name: row.is_installed() for row in rows},
        "install": {row.name: row.install for row in rows if not row.is_installed()},
        "keys_set": {row.name: name for row in rows if (name := _key_of(row))},
        "keys_not_set": [row.name for row in rows if row.provider and lacks_key(row.provider)],
        "gpus": _gpus(),
        "defaults": str(user_defaults.path()) if user_defaults.path().exists() else None,
        "faults": faults,
    }


def _lines(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "oumi-infer", facts["oumi_infer"]
    yield "python", facts["python"]
    yield "system", facts["system"]
    yield "packages", ", ".join(f"{name} {v}" for name, v in facts["packages"].items())
    here = [name for name in ("LLAMACPP", "NATIVE", "VLLM") if facts["engines"][name]]
    yield "engines", f"{', '.join(here)} on this machine, and all APIs"
    for name, install in facts["install"].items():
        yield "", f"{name} is not installed: {install}"
    keys = [f"{engine} ({variable})" for engine, variable in facts["keys_set"].items()]
    yield "keys", f"set for {', '.join(keys)}" if keys else "none is set"
    yield "", f"not set for {', '.join(facts['keys_not_set'])}" if facts["keys_not_set"] else ""
    yield "GPU", "; ".join(facts["gpus"]) or "none found"
    yield "defaults", facts["defaults"] or "none (oumi config set model NAME)"
    yield "faults", "\n".join(facts["faults"]) or "none found"


def _key_of(row: EngineRow) -> str | None:
    return key_set_in(row.provider) if row.provider is not None else None


def _faults_of_defaults() -> list[str]:
    try:
        user_defaults.load()
    except OumiError as error:
        return [str(error)]
    return []


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    """The GPUs that the driver of NVIDIA names, or that of an Apple chip."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return ["Apple (Metal)"]
    if shutil.which(_ASK_GPU[0]) is None:
        return []
    try:
        done = subprocess.run(_ASK_GPU, capture_output=True, text=True, timeout=_TIMEOUT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"nvidia-smi does not answer: {error}"]
    return [printable_line(line) for line in done.stdout.splitlines() if line.strip()]
