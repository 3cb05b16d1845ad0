"""The contract of a run: what its answers have to satisfy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oumi.core.answer_type import AnswerType, type_of_schema
from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.structured.extract_json import extract_json, extract_text
from oumi.structured.validate import Validator, Verdict, make_is_valid, make_validator

if TYPE_CHECKING:
    from oumi.structured.schema.restore import Restore


@dataclass(frozen=True, slots=True)
class Contract:
    """The constraint on the answers of a run, and compiled functions that check it.

    Made once for a run (`make_contract`), because compiling a schema takes far longer than
    validating an answer, which takes about a microsecond for a small JSON object.
    """

    guided: GuidedDecodingParams
    max_new_tokens: int
    """The token budget of an answer."""
    is_valid: Callable[[str], bool]
    """Whether a text is a valid answer exactly as it is. The fast path, which most answers take."""
    validator: Validator
    """Judges a text as a whole."""
    is_json: bool
    """Whether the engine answers with JSON, even if only around a text of a choice."""
    is_sampled_here: bool = False
    """Whether a sampler on this machine keeps the constraint."""

    @property
    def has_bounds(self) -> bool:
        """Whether a sampler bounds what a schema leaves open, once an answer was cut off."""
        return self.is_sampled_here and self.guided.json is not None

    def validate(self, text: str) -> Verdict:
        """The valid answer that a text is or contains, or else what is wrong with the text."""
        if self.is_valid(text):
            return Verdict(text)
        verdict = self.validator(text)
        return verdict if verdict.describe is None else self._validate_extracted(text, verdict)

    def _validate_extracted(self, text: str, whole: Verdict) -> Verdict:
        """Look within code fences and prose for one valid answer; `whole` is the text's verdict.

        If several different ones are found, none is chosen.
        """
        extract = extract_json if self.is_json else extract_text
        verdicts = [self.validator(part) for part in extract(text)]
        valid = {verdict.text for verdict in verdicts if verdict.describe is None}
        if len(valid) > 1:
            problem = f"{len(valid)} different values stand in it, one is wanted"
            return Verdict(text, lambda: problem)
        if valid:
            return Verdict(valid.pop(), extracted=True)
        # An error within the extracted JSON says more than "not JSON".
        return Verdict(text, verdicts[-1].describe) if verdicts and self.is_json else whole


def type_of_answers(contract: Contract | None) -> AnswerType | None:
    """The type that the answers of a contract become; None where no type was given."""
    return None if contract is None else type_of_schema(contract.guided.json)


def make_contract(
    generation: GenerationParams, restore: Restore | None = None, *, is_sampled_here: bool = False
) -> Contract | None:
    """The contract of the settings; None if they have no constraint.

    `restore` turns a JSON value of the schema that the engine was sent into one of the original
    schema (`AdaptedSchema.restore`); None if the engine was sent the original. `is_sampled_here`
    where a sampler on this machine keeps the constraint.
    """
    guided = generation.guided_decoding
    if guided is None:
        return None
    return Contract(
        guided,
        generation.max_new_tokens,
        make_is_valid(guided, restore),
        make_validator(guided, restore),
        is_json=guided.json is not None or restore is not None,
        is_sampled_here=is_sampled_here,
    )
