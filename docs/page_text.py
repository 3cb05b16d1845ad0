"""Text of pages from code: tables, and docstrings below members."""

from __future__ import annotations

import ast
import inspect
import textwrap
from enum import Enum
from itertools import pairwise

from oumi.core.configs.docstrings import sentence


def member_docstrings(kind: type[Enum]) -> dict[str, str]:
    """The docstring below each member of an enum."""
    [shape] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    return {
        member.targets[0].id: sentence(text.value.value)
        for member, text in pairwise(shape.body)
        if isinstance(member, ast.Assign) and _is_text(member.targets[0], text)
    }


def _is_text(target: ast.expr, text: ast.stmt) -> bool:
    is_docstring = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    return isinstance(target, ast.Name) and is_docstring


def table(heads: list[str], rows: list[list[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in line] for line in rows]
    lines = [heads, ["---"] * len(heads), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
