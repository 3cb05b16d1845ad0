"""The messages that ask a model to repair its answer."""

from __future__ import annotations

from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.json_text import write_json
from oumi.core.types.message import Message, Role

# About 500 tokens: the shortest contexts in use have 2,048.
_MOST_LISTED_CHARACTERS = 2_000

_NO_TEXT = "(no text)"  # some APIs refuse an empty message

# A longer schema would fill the context of a small model: it was told, or samples by it.
_MAX_SHOWN = 4_000


def repair_messages(guided: GuidedDecodingParams, answer: str, problem: str) -> tuple[Message, ...]:
    """The model's own answer, and a request that states the problem and the constraint."""
    request = (
        f"That answer does not have the form that was asked for: {problem}.\n"
        f"Answer the question again. Give {_describe(guided)}, and nothing before or after it."
    )
    return (
        Message(role=Role.ASSISTANT, content=answer if answer.strip() else _NO_TEXT),
        Message(role=Role.USER, content=request),
    )


def _list(choices: list[str]) -> str:
    """The choices, as many as leave room for the rest of a prompt."""
    texts: list[str] = []
    length = 0
    for choice in choices:
        text = write_json(choice).decode()
        length += len(text)
        if texts and length > _MOST_LISTED_CHARACTERS:
            return f"{', '.join(texts)}, and {len(choices) - len(texts):,} more of the same kind"
        texts.append(text)
    return ", ".join(texts)


def _describe(guided: GuidedDecodingParams) -> str:
    """The constraint in a sentence for the model."""
    match guided.form:
        case "json":
            schema = write_json(guided.json).decode()
            if len(schema) > _MAX_SHOWN:
                return "only a JSON value of the schema that was asked for"
            return f"only a JSON value that fits this JSON schema: {schema}"
        case "choice":
            return f"exactly one of these texts, without quotes: {_list(guided.choice or [])}"
        case "regex":
            return f"only a text that this regular expression matches as a whole: {guided.regex}"
        case _:
            return f"only a text of this grammar:\n{guided.grammar}\n"
