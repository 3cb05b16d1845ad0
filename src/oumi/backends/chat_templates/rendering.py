"""Renders chat templates as Transformers does, without it: in a sandbox, by Jinja alone.

For finding out what a template does with a conversation, and for prompts of runtimes that take a
text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from oumi.errors import ConfigError, RequestError

# What a template may read besides messages. Which tokens they are makes no difference here.
_VARIABLES: Mapping[str, Any] = {
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "tools": None,
    "add_generation_prompt": True,
}


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}`, which marks what an assistant wrote, for training."""

    tags = {"generation"}  # noqa: RUF012  Jinja's own declaration

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The text between the tags, as it is."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@lru_cache(maxsize=8)  # the settings of each run are checked again
def compile_template(text: str) -> Template:
    """The template of a text. Raises ConfigError, which names the line, for wrong syntax."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _raise, "strftime_now": _now}
    try:
        return environment.from_string(text)
    except TemplateSyntaxError as error:
        lines = text.splitlines()[error.lineno - 1 :]
        line = f": {lines[0].strip()[:100]}" if lines else ""
        raise ConfigError(f"wrong syntax in line {error.lineno}: {error.message}{line}") from error


def render_prompt(
    template: Template, messages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]
) -> str:
    """The prompt of these messages. Raises RequestError where the template refuses them."""
    try:
        return template.render({**variables, "messages": messages})
    except Exception as error:  # a template calls methods of any kind
        raise RequestError(f"the chat template refuses the conversation: {error}") from error


def render(
    template: Template, messages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]
) -> str | None:
    """The prompt of these messages, or None where the template refuses them or fails."""
    try:
        return template.render({**_VARIABLES, "messages": messages, **variables})
    except Exception:  # a template calls methods of any kind
        return None


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    """Jinja's own filter would write `<` as `\\u003c`."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().strftime(form)
