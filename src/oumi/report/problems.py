"""What was wrong with the earlier answers of a row, found again from the settings of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.types.completion import Completion
from oumi.core.types.message import FinishReason
from oumi.structured.contract import Contract, make_contract
from oumi.structured.outcome import text_of


class Problems:
    """Judges answers by what the settings ask of them; of nothing where they ask nothing."""

    def __init__(self, settings: Mapping[str, Any]):
        self._contract = _contract_of(settings)

    def earlier(self, completion: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The earlier answers of a recorded one, each with its `problem` where that is known."""
        answers = Completion.from_dict(completion).answers
        records: list[dict[str, Any]] = list(completion.get("earlier", ()))
        contract = self._contract
        # Where the last answer does not fit either, the API was asked for a schema of its own kind,
        # by which this one cannot judge.
        if contract is None or contract.validate(text_of(answers[-1])).describe is not None:
            return records
        pairs = zip(records, answers, strict=False)
        return [{**record, **_problem(contract, answer)} for record, answer in pairs]


def _problem(contract: Contract, answer: Completion) -> dict[str, str]:
    if answer.finish_reason is FinishReason.LENGTH:
        return {"problem": "the answer was cut off"}
    verdict = contract.validate(text_of(answer))
    return {} if verdict.describe is None else {"problem": verdict.describe()}


def _contract_of(settings: Mapping[str, Any]) -> Contract | None:
    """None where nothing is asked, or by settings that this version does not know."""
    try:
        return make_contract(GenerationParams.model_validate(settings.get("generation") or {}))
    except ValueError:
        return None
