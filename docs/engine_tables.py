"""The tables of engines and providers, from their rows."""

from __future__ import annotations

from typing import Any

from page_text import member_docstrings, table

from oumi.backends.engine_row import EngineRow
from oumi.backends.provider import UNLISTED, AuthMethod, Provider, ResponsesApi
from oumi.backends.registry import own_rows
from oumi.backends.remote.dialects import load_dialect
from oumi.backends.remote.providers import PROVIDERS
from oumi.backends.settings import OF_RUN
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.configs.groups import GROUPS
from oumi.structured.schema.profiles import PROFILES, References, SchemaMode, SchemaProfile


def engine_table() -> str:
    """What each engine is and needs."""
    rows = [
        [f"`{row.name}`", f"`{row.class_name}`", f"{row.summary}", f"`{row.install}`"]
        for row in own_rows()
    ]
    return table(["Engine", "Class", "What it is", "What it needs"], rows)


def engine_settings() -> str:
    """Which engine supports which setting; those behind an API as one."""
    names = [
        f"{group}.{field}"
        for group in ("model", "generation", "generation.guided_decoding")
        for field in GROUPS[group].model_fields
        if field not in GROUPS[group].unused_fields() | {"guided_decoding", "strict", "max_repairs"}
    ]
    local = [row for row in own_rows() if row.provider is None]
    rows = [[f"`{n}`", *(_support(n, row) for row in local), _support_by_all(n)] for n in names]
    rows.append(["all of `remote_params`", *("unused" for _ in local), "yes"])
    return table(["Setting", *(f"`{row.name}`" for row in local), "Behind an API"], rows)


def _support(name: str, engine: Any) -> str:
    if name in engine.supports or name in OF_RUN:
        return "yes"
    return "ignored" if name in engine.ignores else "refused"


def _support_by_all(name: str) -> str:
    answers = {_support(name, row) for row in PROVIDERS}
    return answers.pop() if len(answers) == 1 else "see the table above"


def remote_engines() -> str:
    """Where each API is, and what opens it."""
    rows = [
        [
            f"`{row.name}`",
            _code(row.url_env),
            _code(row.url, "none: has to be given") + _parts(row),
            _keys(row),
            _PRICES.get(row.price_list, "those of genai-prices"),
        ]
        for row in PROVIDERS
    ]
    heads = ["Engine", "Variable of the URL", "URL by default", "Variable of the key", "Prices"]
    return table(heads, rows)


_PRICES = {None: "none", UNLISTED: "not known"}


def _parts(row: Provider) -> str:
    words = [
        f"`{word}` from {' or '.join(map(_code, names))}" for word, names in row.url_parts.items()
    ]
    return f"; {', '.join(words)}" if words else ""


def _keys(row: Provider) -> str:
    variables = filter(None, (row.bearer_env, *row.key_env))
    names = " or ".join(map(_code, variables)) or "none"
    if row.auth_method is not None:
        otherwise = member_docstrings(AuthMethod)[row.auth_method.name]
        return f"{names}; without it: {otherwise.rstrip('.')}"
    return names + (", needed" if row.needs_key else "")


def _code(text: str | None, otherwise: str = "none") -> str:
    return f"`{text}`" if text else otherwise


def remote_capabilities() -> str:
    """What each API takes besides what all of them take."""
    rows = [
        [
            f"`{row.name}`",
            ", ".join(_names(row.supports - _COMMON)) or "nothing",
            ", ".join(_forms(row)) or "none",
            "yes" if row.supports_images else "refused",
            "yes" if row.supports_audio else "refused",
            "yes" if row.supports_pdf else "refused",
        ]
        for row in PROVIDERS
    ]
    return table(["Engine", "Also takes", "`guided_decoding` by", "Images", "Audio", "PDFs"], rows)


def embedding_engines() -> str:
    """Which engines make embeddings, and what each takes."""
    rows = [
        [
            f"`{row.name}`",
            f"{row.embeddings.max_texts:,}",
            "yes" if row.embeddings.dimensions_field else "refused",
        ]
        for row in own_rows()
        if row.embeddings is not None
    ]
    return table(["Engine", "Most texts in a request", "`dimensions`"], rows)


def responses_engines() -> str:
    """Which engines can be asked by OpenAI's Responses API, and when they are."""
    by_model = [f"`{row.name}`" for row in PROVIDERS if row.responses is ResponsesApi.IF_NEEDED]
    if_set = [f"`{row.name}`" for row in PROVIDERS if row.responses is ResponsesApi.IF_SET]
    return (
        f"{' and '.join(by_model)} go by the name of the model. {', '.join(if_set)} are asked by "
        "the Responses API only if the setting says so. All others refuse it.\n"
    )


def common_settings() -> str:
    """What all APIs take."""
    return f"All of them take {', '.join(_names(_COMMON))}.\n"


_GUIDED = "generation.guided_decoding."
_COMMON = frozenset.intersection(*(row.supports for row in PROVIDERS))


def _names(settings: frozenset[str]) -> list[str]:
    return [f"`{name.rpartition('.')[2]}`" for name in sorted(settings) if _GUIDED not in name]


def _forms(row: Provider) -> list[str]:
    names = sorted(name for name in row.supports if name.startswith(_GUIDED))
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
_MODEL = "anthropic.claude-sonnet-4-5"  # Bedrock knows by the name what a model can do


def structured_forms() -> str:
    """How each engine is sent each kind of constraint."""
    rows = [[f"`{row.name}`", *(_how_sent(row, form) for form in _EXAMPLES)] for row in own_rows()]
    return table(["Engine", *(f"`{form}`" for form in _EXAMPLES)], rows)


def _how_sent(row: EngineRow, form: str) -> str:
    if f"{_GUIDED}{form}" not in row.supports:
        return "refused"
    if row.provider is None:
        return "sampler"
    guided = GuidedDecodingParams(**{form: _EXAMPLES[form]})
    config = InferenceConfig(
        model=ModelParams(model_name=_MODEL), generation=GenerationParams(guided_decoding=guided)
    )
    adapted = load_dialect(row.provider.dialect).adapted(config, row.provider)
    if adapted is None:
        return "own field"
    return "strict schema" if adapted.strict else _MODE_WORDS[adapted.mode]


_MODE_WORDS = {
    SchemaMode.SCHEMA: "schema",
    SchemaMode.TOOL: "tool",
    SchemaMode.JSON: "JSON mode and prompt",
    SchemaMode.PROMPT: "prompt",
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
            ", ".join(f"`{row.name}`" for row in PROVIDERS if row.schema_profile is rules),
            _demands(rules),
            ", ".join(f"`{name}`" for name in sorted(rules.keywords)) if rules.rewrites else "all",
            _MODE_WORDS[rules.fallback] + (", not strict" if rules.has_strict else ""),
        ]
        for rules in PROFILES
        if any(row.schema_profile is rules for row in PROVIDERS) and rules.mode is SchemaMode.SCHEMA
    ]
    heads = ["Rules", "Engines", "What they ask for", "Limits that they keep", "Otherwise"]
    return table(heads, rows)


def _demands(rules: SchemaProfile) -> str:
    words = [text for name, text in _DEMANDS.items() if getattr(rules, name)]
    if rules.references is not References.ALL:
        words.append("no recursion" if rules.references is References.FINITE else "no `$ref`")
    limits = [
        f"{limit:,} {name.removeprefix('max_').replace('_', ' ')}"
        for name, limit in vars(rules).items()
        if name.startswith("max_") and limit is not None
    ]
    if limits:
        words.append(f"at most {', '.join(limits)}")
    return "; ".join(words) or "nothing"
