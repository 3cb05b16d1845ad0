"""Answers of a model to which a schema applies."""

from __future__ import annotations

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.core.types import Completion
from oumi.core.types.conversation import Message, Role
from oumi.structured.contract import Contract, make_contract
from oumi.structured.outcome import outcome_of
from tests.structured.hostile_answers import PAIRS

_SCHEMAS = (
    PAIRS["a tagged union"][0],
    PAIRS["an untagged union, one of"][0],
    PAIRS["patterns of names"][0],
    PAIRS["unevaluated fields"][0],
    {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9}}, "required": ["a"]},
    {"type": "array", "items": {"type": "string", "pattern": "^(a+)+b$", "maxLength": 9}},
)


def _contract(guided: GuidedDecodingParams) -> Contract:
    contract = make_contract(GenerationParams(guided_decoding=guided))
    assert contract is not None
    return contract


_CONTRACTS = (
    *(_contract(GuidedDecodingParams(json=schema)) for schema in _SCHEMAS),
    _contract(GuidedDecodingParams(choice=["yes", "no"])),
    _contract(GuidedDecodingParams(regex="[a-z]+@[a-z]+")),
)


def answer(data: bytes) -> None:
    """The first byte names the schema; the rest is the answer."""
    if not data:
        return
    text = data[1:].decode(errors="replace")
    contract = _CONTRACTS[data[0] % len(_CONTRACTS)]
    outcome_of(contract, Completion(message=Message(role=Role.ASSISTANT, content=text)))
