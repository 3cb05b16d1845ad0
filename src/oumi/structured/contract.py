"""What the answers of a run have to look like, made once and asked of each answer."""

from __future__ import annotations

from dataclasses import dataclass

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.structured.extract_json import extract_json, extract_text
from oumi.structured.validate import Check, Fits, Found, Restore, make_is_valid, make_validator


@dataclass(frozen=True, slots=True)
class Contract:
    """A form, the most tokens of an answer, and the check that tells whether one fits."""

    guided: GuidedDecodingParams
    max_new_tokens: int
    check: Check
    fits: Fits
    """Whether an answer fits just as it is, which is soon told."""
    is_json: bool
    """Whether answers come as JSON, be it around a plain text."""

    def read(self, text: str) -> Found:
        """The part of an answer that fits, or what is wrong with it."""
        if self.fits(text):
            return Found(text)
        found = self.check(text)
        return found if found.problem is None else self._read_within(text, found)

    def _read_within(self, text: str, whole: Found) -> Found:
        """Without fences and chatter: the one value that fits, else what is nearest to one."""
        parts = [
            self.check(part) for part in (extract_json if self.is_json else extract_text)(text)
        ]
        fitting = {part.text: part for part in parts if part.problem is None}
        if len(fitting) > 1:
            return Found(text, f"{len(fitting)} different values stand in it, one is wanted")
        if fitting:
            return Found(fitting.popitem()[0], extracted=True)
        return Found(text, parts[-1].problem) if parts and self.is_json else whole


def make_contract(generation: GenerationParams, restore: Restore | None = None) -> Contract | None:
    """What the settings ask of an answer; None where they ask nothing.

    `restore` turns a JSON value from the form that the engine was asked for into the caller's.
    """
    guided = generation.guided_decoding
    if guided is None:
        return None
    is_json = guided.json is not None or restore is not None
    return Contract(
        guided,
        generation.max_new_tokens,
        make_validator(guided, restore),
        make_is_valid(guided, restore),
        is_json,
    )
