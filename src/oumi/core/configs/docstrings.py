"""What the docstrings below the fields of settings say, for help and pages."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from itertools import pairwise


def attribute_docstrings(kind: type) -> dict[str, str]:
    """The docstring below each annotated attribute of a class, in one line."""
    module = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    body = next(
        node.body
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    return {
        field.target.id: sentence(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def sentence(docstring: str | None) -> str:
    """A docstring in one line."""
    return " ".join(textwrap.dedent(docstring or "").split())
