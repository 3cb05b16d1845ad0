"""Text of pages from code: tables, sentences, and docstrings below attributes."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from enum import Enum
from itertools import pairwise


def attribute_docstrings(kind: type) -> dict[str, str]:
    """The docstring below each annotated attribute of a class."""
    module = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    body = next(
        node.body
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    return {
        field.target.id: sentence(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and _is_text(field.target, text)
    }


def _is_text(target: ast.expr, text: ast.stmt) -> bool:
    is_docstring = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    return isinstance(target, ast.Name) and is_docstring


def member_docstrings(kind: type[Enum]) -> dict[str, str]:
    """The docstring below each member of an enum."""
    [shape] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    return {
        member.targets[0].id: sentence(text.value.value)
        for member, text in pairwise(shape.body)
        if isinstance(member, ast.Assign) and _is_text(member.targets[0], text)
    }


def table(heads: list[str], rows: list[list[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in line] for line in rows]
    lines = [heads, ["---"] * len(heads), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def sentence(docstring: str | None) -> str:
    return " ".join(textwrap.dedent(docstring or "").split())
