"""Python functions as tools: their JSON schemas, from signatures and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

# Google's style: https://google.github.io/styleguide/pyguide.html#383-functions-and-methods
_SECTION = re.compile(r"^(\w[\w ]*):\s*$", re.MULTILINE)
_ARGUMENTS = ("args", "arguments", "parameters", "params")
_ARGUMENT = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
# reStructuredText: https://www.sphinx-doc.org/en/master/usage/domains/python.html#info-field-lists
_FIELD = re.compile(r"^:(\w+)([^:]*):\s*(.*)$", re.MULTILINE)


def define_functions(tools: Iterable[Any]) -> list[Any]:
    """The tools with a definition in the place of each function. Raises ValueError."""
    return [_define(tool) if callable(tool) else tool for tool in tools]


def _define(tool: Any) -> dict[str, Any]:
    function: Callable[..., Any] = tool
    if not (isinstance(tool, partial) or hasattr(tool, "__name__")):
        function = tool.__call__  # of an object that can be called
    named = _without_filled_in(tool)
    name = getattr(named, "__name__", type(named).__name__)
    docstring = inspect.getdoc(_without_filled_in(function)) or inspect.getdoc(named)
    summary, descriptions = _read_docstring(docstring or "")
    if not summary:
        raise ValueError(
            f"the function {name} has no docstring, which tells the model what it does"
        )
    definition: dict[str, Any] = {"name": name, "description": summary}
    definition["parameters"] = _parameters(function, name, descriptions)
    return {"type": "function", "function": definition}


def _without_filled_in(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of which `functools.partial` has filled in arguments."""
    return _without_filled_in(function.func) if isinstance(function, partial) else function


def _parameters(
    function: Callable[..., Any], name: str, descriptions: dict[str, str]
) -> dict[str, Any]:
    """The JSON schema of the arguments, as Pydantic sees them. Raises ValueError."""
    try:
        parameters = inspect.signature(function).parameters.values()
        target: Any = function
        schema = TypeAdapter(target).json_schema()
    except (NameError, PydanticUserError, TypeError, ValueError) as error:
        raise ValueError(f"the function {name} cannot be described as a tool: {error}") from None
    for parameter in parameters:
        if parameter.annotation is parameter.empty:
            raise ValueError(f"the function {name}: its parameter {parameter.name} has no type")
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(f"the function {name}: {parameter} is no argument with a name")
    schema = {"type": "object", "properties": {}} | _without_titles(schema)
    schema.pop("additionalProperties", None)
    for argument, value in schema["properties"].items():
        if argument in descriptions:
            value.setdefault("description", descriptions[argument])
    return schema


def _without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the titles that Pydantic makes of names."""
    schema.pop("title", None)
    for properties in (schema.get("properties", {}), *_properties_of_definitions(schema)):
        for value in properties.values():
            value.pop("title", None)
    return schema


def _properties_of_definitions(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [definition.get("properties", {}) for definition in schema.get("$defs", {}).values()]


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """What a function does, and its parameters by name."""
    fields = [(match[1], match[2].split(), match[3]) for match in _FIELD.finditer(text)]
    named = {words[-1]: found for kind, words, found in fields if kind == "param" and words}
    starts = [match.start() for match in (_SECTION.search(text), _FIELD.search(text)) if match]
    summary = text[: min(starts)] if starts else text
    return summary.strip(), named | _read_sections(text)


def _read_sections(text: str) -> dict[str, str]:
    heads = list(_SECTION.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=False):
        if head[1].lower() in _ARGUMENTS:
            return _read_arguments(inspect.cleandoc(text[head.end() : end]).splitlines())
    return {}


def _read_arguments(lines: list[str]) -> dict[str, str]:
    """Each argument's description; lines that are further in go on with the one before."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        match = None if line[:1].isspace() else _ARGUMENT.match(line)
        if match:
            name = match[1]
        if name and line.strip():
            part = match[2] if match else line.strip()
            found[name] = f"{found.get(name, '')} {part}".strip()
    return found
