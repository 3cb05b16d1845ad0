"""The page and the data in one file, under a policy that lets nothing else run or be fetched."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import BinaryIO

from oumi.report.run_part import MOST_ROWS, write_run
from oumi.report.run_rows import RunRows

MARK = b"<!doctype html><!-- oumi report 1 -->"
"""What a report begins with, and no other file."""

_PAGE = files("oumi.report") / "page"
_UPLOT = "uPlot-1.6.32"
_STYLES = [
    f"styles/{name}.css"
    for name in ("colors", "fields", "frame", "figures", "rows", "conversation", "narrow")
]
"""A later one counts more than those before it."""
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.MULTILINE)


def write_page(file: BinaryIO, runs: Sequence[RunRows], most: int = MOST_ROWS) -> None:
    """Write the report of some runs, with at most about `most` rows of each. The rows are gone
    through once and written as they come.
    """
    head, scripts = _page("main", len(runs), ", ".join(run.name for run in runs))
    file.write(MARK + head.encode())
    for number, run in enumerate(runs):
        write_run(file, number, run, most)
    file.write(scripts.encode())


def served_page(name: str) -> bytes:
    """The page of a run that is served: it asks for figures and rows where it came from."""
    head, scripts = _page("main_served", 1, name, "connect-src 'self'")
    return MARK + (head + scripts).encode()


def _page(entry: str, runs: int, title: str, *allowed: str) -> tuple[str, str]:
    """The page up to its data, and the scripts behind it, of which `entry` is the last module. The
    policy allows what its rules in `allowed` say, besides.
    """
    style = _read(f"vendor/{_UPLOT}.min.css") + "".join(map(_read, _STYLES))
    licence = f"/*\n{_read('vendor/uPlot-LICENSE')}*/\n"  # goes with every copy
    scripts = [licence + _read(f"vendor/{_UPLOT}.iife.min.js"), _modules(entry)]
    head = _read("report.html").replace("{policy}", _policy(style, scripts, allowed))
    head = head.replace("{style}", style).replace("{runs}", str(runs))
    head = head.replace("{title}", html.escape(title))
    kinds = ("", ' type="module"')
    elements = zip(kinds, scripts, strict=True)
    return head, "".join(f"<script{kind}>{script}</script>\n" for kind, script in elements)


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str], allowed: Sequence[str]) -> str:
    """Nothing but these very texts is run, nothing else than `allowed` is fetched, and images are
    those in the file.

    https://www.w3.org/TR/CSP3/ https://www.w3.org/TR/trusted-types/
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_source, scripts))}",
            f"style-src {_source(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            *allowed,
        ]
    )


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _modules(entry: str) -> str:
    """A module of the page with all that it imports as one, each in a function of its own, after
    those that it imports. Raises CycleError for modules that import each other.
    """
    texts: dict[str, str] = {}
    imports: dict[str, list[str]] = {}
    wanted = [entry]
    while wanted:
        name = wanted.pop()
        if name not in texts:
            texts[name] = _read(f"{name}.js")
            imports[name] = sorted({found[2] for found in _IMPORT.finditer(texts[name])})
            wanted += imports[name]
    order = TopologicalSorter({name: imports[name] for name in sorted(imports)})
    return "\n".join(_module(name, texts[name]) for name in order.static_order())


def _module(name: str, text: str) -> str:
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(_bound, text))
    return f"const module_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();"


def _bound(found: re.Match[str]) -> str:
    """An import as names taken from another module; `one as other` is `one: other` there."""
    return f"const {{{found[1].replace(' as ', ': ')}}} = module_{found[2]};\n"
