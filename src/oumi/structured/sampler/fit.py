"""A schema made to fit the sampler that compiles it, where its own limits stand in the way.

What it refuses is looked for part by part, and the smallest part is left to the check of answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from llguidance import LLMatcher, LLTokenizer

from oumi.core.json_pointer import escape
from oumi.core.json_schema.subschemas import DEFS, Schema, map_subschemas, subschemas
from oumi.structured.clip import clip
from oumi.structured.sampler.closed import without_version
from oumi.structured.sampler.compile_time import check_compile_time
from oumi.structured.sampler.context import Checked
from oumi.structured.sampler.loosen import Loosened
from oumi.structured.sampler.references import TooManySchemasError, write_out

# Flexible white space between the tokens of JSON invites endless runs of it.
_COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_DEFINITION = re.compile(r"while processing json-schema:///#/\$defs/(\S+)")
_UNSATISFIABLE = "Unsatisfiable schema"
_CIRCULAR = "circular references"
_DEEP = "stack level exceeded"
_UNKNOWN_TOKEN = "unknown special token"  # noqa: S105  no secret
_REFERENCE = re.compile(r"not supported: json-schema:///#(?:/\$defs/(\S+))?")

_TOO_LARGE = re.compile(r"too large|too big|limit|panic")
# What a grammar is large for: counts are written out, and each expression is an automaton.
_COSTLY = (
    frozenset({"minItems", "maxItems"}),
    frozenset({"minLength", "maxLength"}),
    frozenset({"pattern", "format", "multipleOf"}),
)

# Characters compiled to find what stands in the way: a few seconds of a sampler's time.
_MAX_WORK = 5_000_000
# What is left out first where a schema as a whole is refused: the costliest for a sampler.
_BY_COST = (
    *("pattern", "maxLength", "minLength", "multipleOf", "maxItems", "minItems"),
    *("maxProperties", "minProperties", "patternProperties", "format"),
    *("exclusiveMinimum", "exclusiveMaximum", "minimum", "maximum"),
    *("anyOf", "allOf", "$ref", "enum", "const", "items", "prefixItems"),
    *("additionalProperties", "required", "properties"),
)


class UnsatisfiableError(Exception):
    """No value meets the schema; the message says why."""


def to_grammar(schema: dict[str, Any]) -> str:
    """The grammar of a schema, in the Lark notation of llguidance."""
    return f"start: %json {json.dumps({**schema, 'x-guidance': _COMPACT})}"


def fit(loosened: Loosened) -> Loosened:
    """A schema that the sampler compiles. Raises UnsatisfiableError where nothing meets it.

    In the end its parts may be left to the check.
    """
    fitter = _Fitter(loosened)
    if fitter.rewrite() is not None:
        fitter.leave_parts()
    return fitter.result


def fit_whole(loosened: Loosened, *, all_possible: bool = False) -> Loosened | None:
    """The same, without leaving parts to the check; None where the sampler refuses the whole.

    With `all_possible`, UnsatisfiableError is raised for a definition that nothing meets, too.
    """
    fitter = _Fitter(loosened, all_possible)
    return fitter.result if fitter.rewrite() is None else None


class _Fitter:
    def __init__(self, loosened: Loosened, all_possible: bool = False):
        self._all_possible = all_possible
        self._schema = loosened.schema
        self._checked = dict.fromkeys(loosened.checked)
        self._work = 0

    @property
    def result(self) -> Loosened:
        return Loosened(self._schema, tuple(self._checked))

    def rewrite(self) -> str | None:
        """Say what the sampler refuses in another way; what it refuses still, None if nothing."""
        error = self._without_impossible_definitions()
        if error and (_CIRCULAR in error or _DEEP in error):
            error = self._write_out_references(error)
        return self._without_circles(error) if error and _CIRCULAR in error else error

    def _without_impossible_definitions(self) -> str | None:
        """Replace definitions that nothing meets by false; the error that is left."""
        first = ""  # what follows from it says less
        while (error := refusal(self._schema)) and _UNSATISFIABLE in error:
            found = _DEFINITION.search(error)
            name = unquote(found[1]) if found else ""
            defs = self._schema.get("$defs", {})
            if self._all_possible or defs.get(name) in (None, False):
                raise UnsatisfiableError(first or _reason_of(error))
            first = first or f"{_reason_of(error)} in #/$defs/{without_version(name)}"
            self._schema = {**self._schema, "$defs": {**defs, name: False}}
        return error

    def _write_out_references(self, error: str) -> str | None:
        try:
            self._schema = write_out(self._schema)
        except (TooManySchemasError, RecursionError):
            return error
        return refusal(self._schema)

    def _without_circles(self, error: str | None) -> str | None:
        """Cut references where they are joined to what they lead back to."""
        while error and (found := _REFERENCE.search(error)):
            name = unquote(found[1]) if found[1] else ""
            reference = f"{DEFS}{name}" if name else "#"
            cut = _cut(self._schema, reference, is_joined=False)
            if cut == self._schema:
                cut = _cut(self._schema, reference, is_joined=True)
            if cut == self._schema or not isinstance(cut, dict):
                return error
            self._schema = cut
            self._checked[Checked("$ref", f"/$defs/{name}" if name else "")] = None
            error = refusal(cut)
        return error

    def leave_parts(self) -> None:
        """Leave to the check what stands in the way: what is costly, or the smallest parts."""
        for keywords in _COSTLY:
            if not _TOO_LARGE.search(refusal(self._schema) or ""):
                break
            self._schema = self._as_dict(self._without(self._schema, keywords, ""))
        if refusal(self._schema) is not None:
            self._leave_smallest_parts()

    def _without(self, schema: Schema, keywords: frozenset[str], at: str) -> Schema:
        """The schema without some keywords, wherever they stand."""
        if isinstance(schema, bool):
            return schema
        for keyword in filter(keywords.__contains__, schema):
            self._checked[Checked(keyword, f"{at}/{keyword}")] = None
        kept = {key: value for key, value in schema.items() if key not in keywords}
        places = iter(_places(kept, at))
        return map_subschemas(kept, lambda _, one: self._without(one, keywords, next(places)))

    def _leave_smallest_parts(self) -> None:
        """Of definitions first."""
        defs: dict[str, Schema] = self._schema.get("$defs", {})
        body = {key: value for key, value in self._schema.items() if key != "$defs"}
        self._stubs = {"$defs": dict.fromkeys(defs, True)}
        fitted = {name: self._fit(one, f"/$defs/{escape(name)}") for name, one in defs.items()}
        body = self._as_dict(self._fit(body, ""))
        self._schema = {**body, "$defs": fitted} if fitted else body
        if refusal(self._schema) is None:
            return
        # Together they are still too much, so only the outermost level is kept.
        outer = {key: _without_subschemas(key, value) for key, value in body.items()}
        types = {key: value for key, value in body.items() if key == "type"}
        self._schema = outer if refusal(outer) is None else types
        self._checked[Checked("$defs", "/$defs")] = None

    def _fit(self, schema: Schema, at: str) -> Schema:
        """A part that compiles where references lead to anything."""
        if isinstance(schema, bool) or self._compiles(schema):
            return schema
        places = iter(_places(schema, at))
        fitted = map_subschemas(schema, lambda _, one: self._fit(one, next(places)))
        return self._without_costly(self._as_dict(fitted), at)

    def _without_costly(self, schema: dict[str, Any], at: str) -> Schema:
        for keyword in _BY_COST:
            if self._compiles(schema):
                return schema
            if keyword in schema:
                schema = {key: value for key, value in schema.items() if key != keyword}
                self._checked[Checked(keyword, f"{at}/{keyword}")] = None
        return schema if self._compiles(schema) else True

    def _compiles(self, schema: dict[str, Any]) -> bool:
        lark = to_grammar({**schema, **self._stubs})
        self._work += len(lark)
        if self._work > _MAX_WORK:
            return False
        error = refusal_of(lark)
        # What nothing meets is no matter of the sampler's.
        return error is None or _UNSATISFIABLE in error

    @staticmethod
    def _as_dict(schema: Schema) -> dict[str, Any]:
        return schema if isinstance(schema, dict) else {}


def _reason_of(error: str) -> str:
    return clip(error.partition(f"{_UNSATISFIABLE}: ")[2].partition("\n")[0])


def _cut(schema: Schema, reference: str, *, is_joined: bool) -> Schema:
    """The schema with anything in place of a reference, wherever schemas are joined."""
    if isinstance(schema, bool):
        return schema
    if is_joined and schema == {"$ref": reference}:
        return True
    joins = "allOf" in schema or ("anyOf" in schema and len(schema) > 1)
    is_joined = is_joined or joins
    return map_subschemas(schema, lambda _, one: _cut(one, reference, is_joined=is_joined))


def _places(schema: dict[str, Any], at: str) -> Iterator[str]:
    """The pointers of the direct subschemas, in the order of `map_subschemas`."""
    counts: dict[str, int] = {}
    for keyword, _ in subschemas(schema):
        value, index = schema[keyword], counts.get(keyword, 0)
        counts[keyword] = index + 1
        if isinstance(value, list):
            yield f"{at}/{keyword}/{index}"
        elif keyword in ("$defs", "properties", "patternProperties"):
            yield f"{at}/{keyword}/{escape(list(value)[index])}"
        else:
            yield f"{at}/{keyword}"


def _without_subschemas(keyword: str, value: Any) -> Any:
    if keyword in ("properties", "patternProperties"):
        return dict.fromkeys(value, True)
    if keyword in ("anyOf", "allOf", "prefixItems"):
        return [True for _ in value]
    return True if isinstance(value, dict) else value


@lru_cache(maxsize=1)
def byte_tokenizer() -> LLTokenizer:
    """A tokenizer whose tokens are bytes."""
    return LLTokenizer("byte")


def refusal(schema: dict[str, Any]) -> str | None:
    """Why the sampler refuses a schema; None if it takes it."""
    return refusal_of(to_grammar(schema))


def refusal_of(lark: str) -> str | None:
    """Why the sampler refuses a grammar; None if it takes it. Raises CompileTimeError."""
    check_compile_time()
    # Some limits are checked only when a matcher is made.
    matcher = LLMatcher(byte_tokenizer(), lark, log_level=0)
    error: str = matcher.get_error()
    # Which special tokens there are, the model's own tokenizer knows alone.
    return None if not error or _UNKNOWN_TOKEN in error else error
