"""The lines of a batch's input: checked before anything is asked, and sorted by their settings.

https://platform.openai.com/docs/api-reference/batch/request-input
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from oumi.core.json_text import parse_json, write_json
from oumi.server.http.errors import HttpError, wrong_field
from oumi.server.query import Query

if TYPE_CHECKING:
    from oumi.server.batches.endpoint import BatchEndpoint
    from oumi.server.models import Model, ModelTable

_FIELDS = frozenset({"custom_id", "method", "url", "body"})
_MOST_GROUPS = 8
"""Lines of the same settings are a job each, which is a process of its own for a model here."""


@dataclass(slots=True)
class Group:
    """Lines that are asked under the same settings. `path` holds their conversations."""

    query: Query
    """The first of them."""
    path: Path


@dataclass(slots=True)
class Input:
    """The lines of a batch."""

    model: Model | None = None
    groups: dict[bytes, Group] = field(default_factory=dict)
    """By their settings, as JSON."""


def sort_input(
    path: Path, place: Path, models: ModelTable, url: str, endpoint: BatchEndpoint
) -> tuple[Model, list[Group]]:
    """The model that all lines ask, and the lines by their settings, as conversations in files
    beside `place`. Raises HttpError, which names the first line that is wrong.
    """
    found, ids = Input(), set[str]()
    with ExitStack() as stack:
        files: dict[Path, BinaryIO] = {}
        for number, line in _lines(path):
            try:
                custom_id, body = _read_line(line, ids, url)
                query = endpoint.read(write_json(body))
                group = _find_group(found, query, place, models, endpoint)
            except HttpError as error:
                text = f"line {number}: {error.message}"
                raise HttpError(400, text, code="invalid_request", param=error.param) from None
            if group.path not in files:
                files[group.path] = stack.enter_context(group.path.open("wb"))
            files[group.path].writelines(_conversation_lines(custom_id, query))
    if found.model is None:
        raise HttpError(400, "the input file has no lines", code="empty_file")
    return found.model, list(found.groups.values())


def read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The id and the facts of the line that each conversation of a group is from."""
    custom_id = ""
    for _, line in _lines(path):
        row = parse_json(line)
        custom_id = row.get("conversation_id") or custom_id
        yield custom_id, row.get("metadata", {})


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _find_group(
    found: Input, query: Query, place: Path, models: ModelTable, endpoint: BatchEndpoint
) -> Group:
    model = models.find(query.model)
    if found.model not in (None, model):
        text = f"it asks {model.name}, and those before it ask another model"
        raise wrong_field("model", f"{text}: a batch is of one model")
    found.model = model
    settings = write_json(dict(query.settings), sort_keys=True)
    group = found.groups.get(settings)
    if group is None:
        if len(found.groups) >= _MOST_GROUPS:
            text = f"the lines before it have {_MOST_GROUPS} different settings already"
            raise HttpError(400, f"{text}: divide the file into several batches")
        endpoint.check(model, query)
        path = place.with_name(f"{place.name}.{len(found.groups)}")
        group = found.groups[settings] = Group(query, path)
    return group


def _conversation_lines(custom_id: str, query: Query) -> Iterator[bytes]:
    """Those of a line; of several, the first alone has its id, since no two may have the same."""
    for number, conversation in enumerate((query.conversation, *query.further)):
        facts = {"conversation_id": None if number else custom_id, "metadata": dict(query.facts)}
        yield write_json(conversation.model_copy(update=facts).to_dict()) + b"\n"


def _read_line(line: bytes, ids: set[str], url: str) -> tuple[str, dict[str, Any]]:
    fields = _parse(line)
    custom_id, body = fields.get("custom_id"), fields.get("body")
    if unknown := fields.keys() - _FIELDS:
        raise wrong_field(min(unknown), "expected custom_id, method, url and body")
    if not (isinstance(custom_id, str) and custom_id):
        raise wrong_field("custom_id", "expected a text")
    if custom_id in ids:
        raise wrong_field("custom_id", f"{custom_id[:100]!r} has come before")
    ids.add(custom_id)
    if fields.get("method") != "POST" or fields.get("url") != url:
        raise wrong_field("url", f"expected the method POST and the url {url}")
    if not isinstance(body, dict):
        raise wrong_field("body", "expected an object")
    return custom_id, body


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = parse_json(line)
    except ValueError as error:
        raise HttpError(400, f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise HttpError(400, "expected an object")
    return fields
