"""The error tree: what it says of itself, its old names, and what it imports."""

import inspect
import re
import subprocess
import sys

import pytest

from oumi import errors


def drawn_tree() -> list[tuple[int, str]]:
    """Depth and name of each error in the tree at the top of the module."""
    lines = re.findall(r"^([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    return [(len(indent) // 4, name) for indent, name in lines]


def test_the_tree_shows_each_error_under_its_base() -> None:
    path: list[str] = []
    for depth, name in drawn_tree():
        path[depth:] = [name]
        if depth:
            assert getattr(errors, path[depth - 1]) in getattr(errors, name).__bases__
    classes = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    assert {name for _, name in drawn_tree()} == {n for n in classes if n.endswith("Error")}


def test_the_old_name_of_an_error_still_catches_it() -> None:
    with pytest.warns(DeprecationWarning, match="MisfitError is now StructuredOutputError"):
        from oumi.errors import MisfitError
    assert MisfitError is errors.StructuredOutputError


def test_a_name_that_never_was_is_no_error() -> None:
    with pytest.raises(ImportError, match="NoSuchError"):
        from oumi.errors import NoSuchError  # noqa: F401


def test_errors_import_nothing_else_of_this_package() -> None:
    code = "import sys, oumi.errors; print(*sorted(n for n in sys.modules if n[:4] == 'oumi'))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    of_the_package = ["oumi", "oumi.compat", "oumi.compat.modules"]
    assert run.stdout.split() == [*of_the_package, "oumi.errors"]
