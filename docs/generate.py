"""Writes the parts of the pages that follow from the code: settings, engines, errors, help.

A page marks such a part with `<!-- generated: NAME -->` and `<!-- end -->`.
`python docs/generate.py` brings all pages up to date; with `--check` it only says which are not.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from oumi import errors
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.configs.base import Settings
from oumi.inference.registry import ROWS
from oumi.inference.remote.dialects import load_dialect
from oumi.inference.remote.providers import (
    BY_ENGINE,
    PROVIDERS,
    UNLISTED,
    Proof,
    Provider,
)
from oumi.structured.rules import ALL_RULES, Form, References, SchemaRules

DOCS = Path(__file__).parent

_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
GROUPS: dict[str, type[Settings]] = {
    "": InferenceConfig,
    "model": ModelParams,
    "generation": GenerationParams,
    "generation.guided_decoding": GuidedDecodingParams,
    "remote_params": RemoteParams,
}
_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
_OTHER_EXITS = {
    0: "Everything is done.",
    70: "A bug in this program; the message names a log file.",
    130: "Ctrl-C. The same command goes on where it stopped.",
    141: "The reader of standard output went away.",
    143: "SIGTERM. The same command goes on where it stopped.",
}


def settings() -> str:
    """A table of fields for each group of settings."""
    return "\n".join(_group(name, kind) for name, kind in GROUPS.items())


def _group(name: str, kind: type[Settings]) -> str:
    title = f"### `{name}`: {kind.__name__}" if name else f"### {kind.__name__}"
    meanings = attribute_docstrings(kind)
    rows = [
        [f"`{field}`", _type(kind, field, info), _default(info), meanings[field]]
        for field, info in kind.model_fields.items()
    ]
    table = _table(["Setting", "Type", "Default", "Meaning"], rows)
    return "\n".join([title, "", _sentence(kind.__doc__), "", table, *_accepted(kind)])


def attribute_docstrings(kind: type) -> dict[str, str]:
    """The docstring below each annotated attribute of a class."""
    module = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    body = next(
        node.body
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    return {
        field.target.id: _sentence(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and _is_text(field.target, text)
    }


def _is_text(target: ast.expr, text: ast.stmt) -> bool:
    is_docstring = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    return isinstance(target, ast.Name) and is_docstring


def _member_docstrings(kind: type[Enum]) -> dict[str, str]:
    """The docstring below each member of an enum."""
    [shape] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    return {
        member.targets[0].id: _sentence(text.value.value)
        for member, text in pairwise(shape.body)
        if isinstance(member, ast.Assign) and _is_text(member.targets[0], text)
    }


def _type(kind: type[BaseModel], field: str, info: FieldInfo) -> str:
    written = inspect.get_annotations(kind)[field]
    kinds = [f"`{part}`" for part in re.split(r" \| (?![^\[]*\])", written) if part != "None"]
    limits = [
        f"{word} {getattr(limit, name):g}"
        for limit in info.metadata
        for name, word in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    return ", ".join([" or ".join(kinds), *limits]).replace("SecretStr", "str")


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, bool | dict | list):
        return f"`{str(value).lower()}`"
    return "none" if value is None else f"`{value}`"


def _accepted(kind: type[Settings]) -> Iterator[str]:
    if kind.without_effect:
        names = ", ".join(f"`{name}`" for name in sorted(kind.without_effect))
        yield f"Accepted in a file, without effect here, and named once in a warning: {names}.\n"


def engine_table() -> str:
    """What each engine is and needs."""
    rows = [
        [f"`{row.engine}`", f"`{row.class_name}`", f"{row.summary}", f"`{row.install}`"]
        for row in ROWS.values()
    ]
    return _table(["Engine", "Class", "What it is", "What it needs"], rows)


def engine_settings() -> str:
    """Which engine honours which setting; those behind an API as one."""
    names = [
        f"{group}.{field}"
        for group in ("model", "generation", "generation.guided_decoding")
        for field in GROUPS[group].model_fields
        if field not in ("guided_decoding", "strict")
    ]
    local = [row for engine, row in ROWS.items() if engine not in BY_ENGINE]
    rows = [[f"`{n}`", *(_honour(n, row) for row in local), _honour_all(n)] for n in names]
    rows.append(["all of `remote_params`", *("unused" for _ in local), "yes"])
    return _table(["Setting", *(f"`{row.engine}`" for row in local), "Behind an API"], rows)


def _honour(name: str, engine: Any) -> str:
    if name in engine.honours:
        return "yes"
    return "ignored" if name in engine.settled else "refused"


def _honour_all(name: str) -> str:
    answers = {_honour(name, row) for row in PROVIDERS}
    return answers.pop() if len(answers) == 1 else "see the table above"


def remote_engines() -> str:
    """Where each API is, and what opens it."""
    rows = [
        [
            f"`{row.engine}`",
            _code(row.url_env),
            _code(row.url, "none: has to be given") + _parts(row),
            _keys(row),
            _PRICES.get(row.price_list, "those of genai-prices"),
        ]
        for row in PROVIDERS
    ]
    heads = ["Engine", "Variable of the URL", "URL by default", "Variable of the key", "Prices"]
    return _table(heads, rows)


_PRICES = {None: "none", UNLISTED: "not known"}


def _parts(row: Provider) -> str:
    words = [
        f"`{word}` from {' or '.join(map(_code, names))}" for word, names in row.url_parts.items()
    ]
    return f"; {', '.join(words)}" if words else ""


def _keys(row: Provider) -> str:
    names = " or ".join(_code(name) for name in row.key_env) or "none"
    if row.proof is not None:
        return f"{names}; without it: {_member_docstrings(Proof)[row.proof.name].rstrip('.')}"
    return names + (", needed" if row.needs_key else "")


def _code(text: str | None, otherwise: str = "none") -> str:
    return f"`{text}`" if text else otherwise


def remote_capabilities() -> str:
    """What each API takes besides what all of them take."""
    rows = [
        [
            f"`{row.engine}`",
            ", ".join(_names(row.honours - _COMMON)) or "nothing",
            ", ".join(_forms(row)) or "none",
            "yes" if row.takes_images else "refused",
        ]
        for row in PROVIDERS
    ]
    return _table(["Engine", "Also takes", "`guided_decoding` by", "Images"], rows)


def common_settings() -> str:
    """What all APIs take."""
    return f"All of them take {', '.join(_names(_COMMON))}.\n"


_GUIDED = "generation.guided_decoding."
_COMMON = frozenset.intersection(*(row.honours for row in PROVIDERS))


def _names(settings: frozenset[str]) -> list[str]:
    return [f"`{name.rpartition('.')[2]}`" for name in sorted(settings) if _GUIDED not in name]


def _forms(row: Provider) -> list[str]:
    names = sorted(name for name in row.honours if name.startswith(_GUIDED))
    return [f"`{name.removeprefix(_GUIDED)}`" for name in names]


_EXAMPLES: dict[str, Any] = {
    "json": {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "regex": "a+",
    "choice": ["a", "b"],
    "grammar": "start: /a/",
}
_MODEL = "anthropic.claude-sonnet-4-5"  # Bedrock tells by the name what a model knows


def structured_forms() -> str:
    """How each engine is told of each form."""
    rows = [[f"`{engine}`", *(_way_of_form(engine, form) for form in _EXAMPLES)] for engine in ROWS]
    return _table(["Engine", *(f"`{form}`" for form in _EXAMPLES)], rows)


def _way_of_form(engine: InferenceEngineType, form: str) -> str:
    if f"{_GUIDED}{form}" not in ROWS[engine].honours:
        return "refused"
    if engine not in BY_ENGINE:
        return "sampler"
    guided = GuidedDecodingParams(**{form: _EXAMPLES[form]})
    config = InferenceConfig(
        model=ModelParams(model_name=_MODEL), generation=GenerationParams(guided_decoding=guided)
    )
    row = BY_ENGINE[engine]
    adapted = load_dialect(row.dialect).adapted(config, row)
    if adapted is None:
        return "own field"
    return "strict schema" if adapted.strict else _WAYS[adapted.form]


_WAYS = {
    Form.SCHEMA: "schema",
    Form.TOOL: "tool",
    Form.JSON: "JSON mode and prompt",
    Form.PROMPT: "prompt",
}
_DEMANDS = {
    "object_root": "an object at the top",
    "closed": "closed objects",
    "all_required": "all fields required",
}


def schema_rules() -> str:
    """What each provider takes of JSON Schema."""
    rows = [
        [
            f"[{rules.name}]({rules.source})",
            ", ".join(f"`{row.engine}`" for row in PROVIDERS if row.rules is rules),
            _demands(rules),
            ", ".join(f"`{name}`" for name in sorted(rules.keywords)) if rules.rewrites else "all",
            _WAYS[rules.otherwise] + (", not strict" if rules.has_strict else ""),
        ]
        for rules in ALL_RULES
        if any(row.rules is rules for row in PROVIDERS) and rules.form is Form.SCHEMA
    ]
    heads = ["Rules", "Engines", "What they ask for", "Limits that they keep", "Otherwise"]
    return _table(heads, rows)


def _demands(rules: SchemaRules) -> str:
    words = [text for name, text in _DEMANDS.items() if getattr(rules, name)]
    if rules.references is not References.ALL:
        words.append("no recursion" if rules.references is References.FINITE else "no `$ref`")
    limits = [
        f"{most:,} {name.removeprefix('most_').replace('_', ' ')}"
        for name, most in vars(rules).items()
        if name.startswith("most_") and most is not None
    ]
    if limits:
        words.append(f"at most {', '.join(limits)}")
    return "; ".join(words) or "nothing"


def error_tree() -> str:
    """The tree at the top of the errors' module."""
    tree = (errors.__doc__ or "").partition("\n\n")[2].strip()
    return f"```text\n{tree}\n```\n"


def exit_codes() -> str:
    """What the command line ends with."""
    codes = dict(_OTHER_EXITS)
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    for kind in kinds:
        if issubclass(kind, errors.OumiError) and "exit_code" in vars(kind):
            codes[kind.exit_code] = f"`{kind.__name__}`: {_sentence(kind.__doc__)}"
    codes[errors.OumiError.exit_code] = "Any other error of this tree."
    rows = [[f"`{code}`", codes[code]] for code in sorted(codes)]
    return _table(["Exit code", "Meaning"], rows)


def command_help() -> str:
    """`--help` of each command."""
    from oumi.cli.main import cli

    return "\n".join(_help(words) for words in _commands(cli, []))


def _commands(command: Any, words: list[str]) -> Iterator[list[str]]:
    """The words of a command, and of those below it."""
    yield words
    loaded = command.load() if hasattr(command, "load") else command
    for name, below in getattr(loaded, "commands", {}).items():
        yield from _commands(below, [*words, name])


def _help(command: list[str]) -> str:
    from click.testing import CliRunner

    from oumi.cli.main import cli

    words = [*command, "--help"]
    shown = CliRunner().invoke(cli, words, prog_name="oumi", terminal_width=80)
    return f"### `{' '.join(['oumi', *command])}`\n\n```text\n{shown.output.rstrip()}\n```\n"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in line] for line in rows]
    lines = [heads, ["---"] * len(heads), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sentence(docstring: str | None) -> str:
    return " ".join(textwrap.dedent(docstring or "").split())


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "engine-table": engine_table,
    "engine-settings": engine_settings,
    "remote-engines": remote_engines,
    "remote-common": common_settings,
    "remote-capabilities": remote_capabilities,
    "structured-forms": structured_forms,
    "schema-rules": schema_rules,
    "error-tree": error_tree,
    "exit-codes": exit_codes,
    "command-help": command_help,
}


def renew(text: str) -> str:
    """A page with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def stale_pages() -> dict[Path, str]:
    """Each page that is not up to date, with what it should be."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    renewed = {path: renew(text) for path, text in pages.items()}
    return {path: text for path, text in renewed.items() if text != pages[path]}


def main() -> int:
    """Bring the pages up to date, or say which are not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    check = parser.parse_args().check
    stale = stale_pages()
    for path, text in stale.items():
        print(f"{path.name}: {'out of date' if check else 'brought up to date'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
