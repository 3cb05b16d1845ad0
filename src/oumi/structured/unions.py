"""Which branch of a union (`anyOf`, `oneOf`) a value that fits none was meant for."""

from __future__ import annotations

from typing import Any

from oumi.structured.schema.values import enum_of, is_one_of
from oumi.structured.schema_parts import Part, SchemaParts

# More branches are not told apart: each costs some microseconds.
_MAX_BRANCHES = 1_000


def choose_branch(parts: SchemaParts, part: Part, keyword: str) -> Part | str:
    """The branch that a failing value was meant for, or else what is wrong with it.

    That is the only one with the value's tag, or else the first that fits its type and the names
    of its fields.
    """
    count = len(part.schema[keyword]) if isinstance(part.schema, dict) else 0
    if count > _MAX_BRANCHES:
        return f"fits none of the {count:,} alternatives"
    branches = [parts.follow(part.same_value(keyword, at)) for at in range(count)]
    if keyword == "oneOf" and sum(map(parts.is_valid, branches)) > 1:
        return "fits several of the alternatives, of which only one may"
    tagged = [branch for branch in branches if _tags_agree(branch)]
    if len(tagged) == 1:
        return tagged[0]._replace(branch=_name(tagged[0]))
    if not tagged and (tags := _shared_tags(branches)):
        return _wrong_tag(part, branches, tags[0])
    likely = [branch for branch in tagged or branches if not parts.own_errors(branch)]
    if not likely:
        return f"fits none of the {count} alternatives{_types(branches)}"
    at = branches.index(likely[0]) + 1
    return likely[0]._replace(branch=f"alternative {at} of {count}" if len(likely) > 1 else "")


def _types(branches: list[Part]) -> str:
    given = [one.schema.get("type", ()) for one in branches if isinstance(one.schema, dict)]
    types = [[one] if isinstance(one, str) else one for one in given]
    names = dict.fromkeys(name for listed in types for name in listed)
    return f", which are of type {', '.join(names)}" if all(types) and names else ""


def _tags(branch: Part) -> dict[str, list[Any]]:
    """The fields of a branch for objects that have fixed values."""
    fields = branch.schema.get("properties", {}) if isinstance(branch.schema, dict) else {}
    values = {name: enum_of(field) for name, field in fields.items()}
    return {name: found for name, found in values.items() if found is not None}


def _tags_agree(branch: Part) -> bool:
    """Whether the value has tags of the branch, and none with another value."""
    if not isinstance(branch.value, dict):
        return False
    given = {name: found for name, found in _tags(branch).items() if name in branch.value}
    return bool(given) and all(
        is_one_of(branch.value[name], found) for name, found in given.items()
    )


def _shared_tags(branches: list[Part]) -> list[str]:
    """The tags that all branches for objects have, if the value is an object."""
    all_tags = [tags for tags in map(_tags, branches) if tags]
    if len(all_tags) < 2 or not isinstance(branches[0].value, dict):
        return []
    return [name for name in all_tags[0] if all(name in tags for tags in all_tags)]


def _wrong_tag(part: Part, branches: list[Part], tag: str) -> str:
    known = ", ".join(repr(value) for branch in branches for value in _tags(branch).get(tag, ()))
    given = f"is {part.value[tag]!r:.80}" if tag in part.value else "is missing"
    return f"{tag} {given}; it is one of {known}"


def _name(branch: Part) -> str:
    named = (f"{tag} {branch.value[tag]!r:.40}" for tag in _tags(branch) if tag in branch.value)
    return ", ".join(named)
