"""Grammars as people write them (GBNF, Lark, EBNF), told apart by their syntax.

GBNF: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
Lark: https://lark-parser.readthedocs.io/en/latest/grammar.html
EBNF: ISO/IEC 14977
"""

from __future__ import annotations

import re
from collections.abc import Callable

from llguidance.gbnf_to_lark import gbnf_to_lark

from oumi.errors import ConfigError

_SETTING = "generation.guided_decoding.grammar"

# A literal, a class of characters, a comment; whatever is in there is no syntax.
_OPAQUE = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<class>\[(?:\\.|[^\]\\\n])*\])|(?P<comment>(?:\#|//)[^\n]*|\(\*.*?\*\))""",
    re.DOTALL,
)
_LARK_RULE = re.compile(r"^\s*[?!]?\w+(?:\{[\w, ]*\})?(?:\.-?\d+)?(?:\[.*?\])?\s*:(?!:=)", re.M)
_LARK_DIRECTIVE = re.compile(r"^\s*%(?:import|ignore|llguidance|json)\b", re.M)
_EBNF_RULE = re.compile(r"^\s*[\w -]+?\s*=(?!=)", re.M)
_MODIFIER = re.compile(r"^(\s*)[?!](?=[a-z_])", re.M)
_NAME = re.compile(r"(?<![\w-])start(?![\w-])")
_CODE_POINT = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_RULE_NAME = re.compile(r"^\s*([\w-]+)\s*::=", re.M)

# What stands for repetition and choice in EBNF, in GBNF's signs.
_EBNF_SIGNS = {"{": "(", "}": ")*", "[": "(", "]": ")?", ",": " ", ";": "\n", "=": "::="}


def to_lark_notation(grammar: str, notation: str = "auto") -> str:
    """The grammar in Lark's notation. `notation` is gbnf, lark or ebnf; auto tells by the syntax.

    Raises ConfigError for a text that is none, and where a rule is missing.
    """
    found = _tell(grammar) if notation == "auto" else notation
    match found:
        case "lark":
            return _from_lark(grammar)
        case "ebnf":
            return _from_gbnf(_ebnf_to_gbnf(grammar))
    return _from_gbnf(grammar)


def _tell(grammar: str) -> str:
    syntax = _outside(grammar, lambda text: text, opaque=lambda _: '""')
    if "::=" in syntax:
        return "gbnf"
    if _LARK_RULE.search(syntax) or _LARK_DIRECTIVE.search(syntax):
        return "lark"
    if _EBNF_RULE.search(syntax):
        return "ebnf"
    raise ConfigError(
        f"{_SETTING}: no grammar: expected rules such as `root ::= …` (GBNF), `start: …` (Lark) or "
        "`root = … ;` (EBNF)"
    )


def _from_lark(grammar: str) -> str:
    # How a rule's part of the tree is shown makes no difference to what is matched.
    plain = _outside(grammar, lambda text: _MODIFIER.sub(r"\1", text))
    text = plain.removeprefix("%llguidance {}").strip()
    if not re.search(r"^\s*start\s*(?:\[.*?\])?\s*:", text, re.M):
        raise ConfigError(f"{_SETTING}: it has no rule `start`, with which Lark's grammars begin")
    return text


def _from_gbnf(grammar: str) -> str:
    prepared = _outside(grammar, _prepare_syntax, opaque=_prepare_literal)
    if "root" not in _RULE_NAME.findall(prepared):
        raise ConfigError(f"{_SETTING}: it has no rule `root`, with which GBNF's grammars begin")
    try:
        return str(gbnf_to_lark(prepared)).removeprefix("%llguidance {}").strip()
    except Exception as error:  # llguidance raises bare ones, too
        raise ConfigError(f"{_SETTING}: {error}") from error


def _prepare_syntax(text: str) -> str:
    text = re.sub(r"\{\s*,", "{0,", text)
    text = re.sub(r"\s*\n\s*\|", " |", text)  # an alternative on a line of its own
    return _NAME.sub("start-rule", text)  # the name of Lark's first rule, which `root` becomes


def _prepare_literal(text: str) -> str:
    """A literal or a class with code points as characters, where those need no escape."""

    def character(match: re.Match[str]) -> str:
        found = chr(int(match[1] or match[2] or match[3], 16))
        return found if found.isprintable() and found not in "\"'\\[]^-" else match[0]

    return _CODE_POINT.sub(character, text)


def _ebnf_to_gbnf(grammar: str) -> str:
    signs = re.compile(r"[{}\[\],;=]")
    bare = re.compile(r"(?P<text>\"[^\"\n]*\"|'[^'\n]*')|(?P<comment>\(\*.*?\*\))", re.DOTALL)
    parts, end = [], 0
    for match in bare.finditer(grammar):
        parts.append(signs.sub(lambda sign: _EBNF_SIGNS[sign[0]], grammar[end : match.start()]))
        literal = match["text"]
        parts.append("" if literal is None else _as_literal(literal[1:-1]))
        end = match.end()
    parts.append(signs.sub(lambda sign: _EBNF_SIGNS[sign[0]], grammar[end:]))
    text = "".join(parts)
    names = _RULE_NAME.findall(text)
    return text if "root" in names or not names else f"root ::= {names[0]}\n{text}"


def _as_literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _outside(
    grammar: str,
    change: Callable[[str], str],
    *,
    opaque: Callable[[str], str] = lambda text: text,
) -> str:
    """The grammar with its syntax changed, its literals by `opaque`, and without comments."""
    parts: list[str] = []
    kept: list[str] = []
    end = 0
    for match in _OPAQUE.finditer(grammar):
        parts.append(grammar[end : match.start()])
        kept.append("" if match["comment"] else opaque(match[0]))
        end = match.end()
    parts.append(grammar[end:])
    # Literals stand as a sign for themselves, so that a change sees the syntax in one piece.
    changed = change("\0".join(parts)).split("\0")
    return "".join(part + literal for part, literal in zip(changed, [*kept, ""], strict=True))
