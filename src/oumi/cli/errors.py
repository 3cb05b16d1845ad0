"""How a command ends: with one exit code for each branch of the error tree.

0 done · 2 the request or the settings · 3 access · 4 unavailable · 5 the engine or the disk
6 some rows failed · 70 a bug · 130 Ctrl-C · 141 the reader of the output has quit · 143 SIGTERM
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from oumi.cli.signals import exit_code_of
from oumi.core.printable import printable
from oumi.errors import OumiError

_SYSTEM = 5
_BUG = 70  # EX_SOFTWARE of BSD's sysexits.h
_BROKEN_PIPE = 141  # as a shell reports a process that SIGPIPE (13) has ended: 128 + 13
_PACKAGES = ("oumi-infer", "xllamacpp", "pydantic", "orjson", "uvloop", "click", "rich")


def guard(action: Callable[[], int | None]) -> int:
    """Run a command and return its exit code. Errors are reported on stderr."""
    try:
        code = action() or 0
        sys.stdout.flush()
        return code
    except click.ClickException as error:
        vars(error)["message"] = printable(error.message)  # click prints it, and declares it final
        raise
    except click.exceptions.Exit:
        raise
    except KeyboardInterrupt as interrupt:
        click.echo("\ninterrupted", err=True)
        return exit_code_of(interrupt)
    except BrokenPipeError:
        _drop_stdout()
        return _BROKEN_PIPE
    except OumiError as error:
        print_error(str(error))
        return error.exit_code
    except OSError as error:
        _drop_stdout()
        place = f"{error.filename}: " if error.filename else ""
        print_error(f"{place}{error.strerror or error}")
        return _SYSTEM
    except Exception as error:
        print_error(
            f"a bug in oumi: {type(error).__name__}: {error}\n"
            f"The details are in {_write_log(error)}; please report them."
        )
        return _BUG


def print_error(message: str) -> None:
    """Write an error to stderr, with all lines after the first indented."""
    click.echo(click.style("error: ", fg="red", bold=True), nl=False, err=True)
    click.echo(printable(message).replace("\n", "\n  "), err=True)


def _drop_stdout() -> None:
    """Point stdout at /dev/null: to flush what is buffered would fail again at exit."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _write_log(error: Exception) -> str:
    import tempfile
    import traceback

    handle, path = tempfile.mkstemp(prefix="oumi-error-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(_environment()) + "\n\n")
        file.write("".join(traceback.format_exception(error)))
    return path


def _environment() -> list[str]:
    import platform

    # Values of options stay out: one of them may be a key.
    options = [word.partition("=")[0] for word in sys.argv[1:] if word.startswith("-")]
    return [
        f"command: oumi {' '.join(options)}",
        f"python {platform.python_version()}, {platform.platform()}",
        *(f"{name} {_version(name)}" for name in _PACKAGES),
    ]


def _version(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "is not installed"
