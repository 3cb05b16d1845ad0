"""Reading YAML that may be hostile: plain values only, and limits on what it stands for.

An alias (`*name`) stands for a whole value, which may hold aliases again: a text of 300 bytes can
stand for more values than memory has room for, and for one that holds itself.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

# Far beyond any settings, and read in some tenths of a second.
MAX_BYTES = 250_000
_MAX_VALUES = 100_000
_MAX_DEPTH = 100


_BOOLEANS = re.compile(r"(?:true|True|TRUE|false|False|FALSE)$")
_BOOL = "tag:yaml.org,2002:bool"


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """What plain words mean, with the booleans of YAML 1.2: `yes`, `no`, `on` and `off` are words,
    such as in a list of choices (https://yaml.org/spec/1.2.2/#1032-tag-resolution).
    """
    given = yaml.SafeLoader.yaml_implicit_resolvers
    kept = {
        letter: [(tag, pattern) for tag, pattern in found if tag != _BOOL]
        for letter, found in given.items()
    }
    for letter in "tTfF":
        kept[letter] = [(_BOOL, _BOOLEANS), *kept.get(letter, [])]
    return kept


class _Loader(yaml.SafeLoader):
    """Refuses values nested deeper than the stack of Python allows."""

    yaml_implicit_resolvers = _resolvers()
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        self._check_depth(self._depth)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803  the base's name
        # The scanner reads ahead, at a cost that grows with the square of the depth.
        self._check_depth(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def _check_depth(self, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"nested deeper than {_MAX_DEPTH} levels")


def compose(text: str) -> yaml.Node | None:
    """The tree of a YAML text; None if it is empty. Raises YAMLError."""
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    if node is not None:
        _Measure().check(node)
    return node


def construct(node: yaml.Node) -> Any:
    """The value of a tree. Raises YAMLError."""
    try:
        return yaml.SafeLoader("").construct_document(node)
    except ValueError as error:  # a number of thousands of digits, a 13th month
        raise yaml.YAMLError(str(error)) from error


def parse_value(text: str) -> Any:
    """The value of a setting that was given as YAML; the text itself where it is none."""
    try:
        node = compose(text)
        return None if node is None else construct(node)
    except yaml.YAMLError:
        return text


class _Measure:
    """Counts values and levels with each alias written out."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}

    def check(self, node: yaml.Node) -> None:
        self._measure(node)

    def _measure(self, node: yaml.Node) -> tuple[int, int]:
        if id(node) in self._known:
            values, depth = self._known[id(node)]
            if not values:
                raise yaml.YAMLError(f"line {_line(node)}: an alias stands for what it is part of")
            return values, depth
        self._known[id(node)] = 0, 0  # while it is measured
        inner = [self._measure(one) for one in _children(node)]
        values = 1 + sum(count for count, _ in inner)
        depth = 1 + max((levels for _, levels in inner), default=0)
        if values > _MAX_VALUES or depth > _MAX_DEPTH:
            raise yaml.YAMLError(
                f"line {_line(node)}: with its aliases written out, more than {_MAX_VALUES:,} "
                f"values or {_MAX_DEPTH} levels"
            )
        self._known[id(node)] = values, depth
        return values, depth


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
