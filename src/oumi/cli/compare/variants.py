"""The runs that are compared: one for each combination of what was given several times."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from oumi.cli.overrides import Override, mask_keys, settings_of
from oumi.cli.ranked_settings import over_defaults
from oumi.core.configs import InferenceConfig
from oumi.core.configs.yaml_text import parse_value
from oumi.core.digest import new_digest
from oumi.core.printable import printable_line

_OF_ALL_RUNS = frozenset({"input_path", "output_path", "output_format", "overwrite"})
_NAMED_BY_VALUE = frozenset({"model.model_name", "engine"})
"""Settings whose values are known by themselves, so that a name needs not say of what they are."""
_LONGEST_LABEL = 60
_LONGEST_NAME = 120
"""A file's name may have 255 bytes, and those beside an output are up to 30 longer than its own."""


class Variant(NamedTuple):
    """A run by its name, which says what differs from the other runs."""

    name: str
    config: InferenceConfig


class _Choice(NamedTuple):
    """One of the values of what was given several times: a config, or a setting."""

    label: str
    config: Path | None = None
    override: Override | None = None


def read_variants(configs: Sequence[Path], overrides: Sequence[Override]) -> list[Variant]:
    """The product of all configs and all settings that were given several times, in the order in
    which they were given. Raises UsageError where that is nothing, and ConfigError.
    """
    by_name: dict[str, list[Override]] = {}
    for override in overrides:
        by_name.setdefault(override[0], []).append(override)
    axes = [axis for axis in _axes(configs, by_name) if len(axis) > 1]
    if not axes:
        raise click.UsageError(
            "Nothing to compare: give -c, -m, -t or any other setting several times, such as "
            "-t 0 -t 1."
        )
    only = configs[0] if len(configs) == 1 else None
    same = [override for given in by_name.values() if len(given) == 1 for override in given]
    variants: dict[str, Variant] = {}
    for choices in itertools.product(*axes):
        variant = _variant(choices, only, same, taken=variants)
        variants[variant.name.lower()] = variant  # as some file systems have it
    return list(variants.values())


def _axes(configs: Sequence[Path], by_name: dict[str, list[Override]]) -> Iterator[list[_Choice]]:
    _check_different([str(path) for path in configs], "-c")
    yield [_Choice(_plain(re.sub(r"\.ya?ml$", "", path.name)), config=path) for path in configs]
    for name, given in by_name.items():
        if len(given) > 1:
            _check_may_vary(name, [text for _, text in given])
        yield [_Choice(_label(name, text), override=(name, text)) for _, text in given]


def _variant(
    choices: Sequence[_Choice],
    only: Path | None,
    same: Sequence[Override],
    taken: dict[str, Variant],
) -> Variant:
    name = "_".join(choice.label for choice in choices)
    if len(name) > _LONGEST_NAME or name.lower() in taken:
        name = f"{name[:_LONGEST_NAME]}-{_digest(repr(choices))}"
    config = next((choice.config for choice in choices if choice.config is not None), only)
    varied = [choice.override for choice in choices if choice.override is not None]
    return Variant(name, over_defaults(settings_of(config, [*same, *varied])))


def _check_may_vary(name: str, texts: Sequence[str]) -> None:
    """Raise UsageError for a setting that is of all runs, or that no file's name should show."""
    if name in _OF_ALL_RUNS:
        raise click.UsageError(f"--{name} is of all runs together: give it once.")
    flag = f"--{name}="
    if any("***" in word for word in mask_keys([flag + text for text in texts])):
        raise click.UsageError(
            f"--{name} may hold a key, which no name of a file should show: write a config for "
            "each run, and give these with -c."
        )
    _check_different(texts, f"--{name}")


def _check_different(texts: Sequence[str], flag: str) -> None:
    for at, text in enumerate(texts):
        if text in texts[:at]:
            raise click.UsageError(f"{flag} {printable_line(text)} is given twice.")


def _label(name: str, text: str) -> str:
    """The part of a run's name that says which value of a setting it has."""
    value = parse_value(text)
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    if name == "model.model_name" and shown.endswith(".gguf"):
        shown = shown.rpartition("/")[2].removesuffix(".gguf")
    if name in _NAMED_BY_VALUE:
        return _plain(shown)
    return f"{name.rpartition('.')[2]}={_plain(shown)}"


def _plain(text: str) -> str:
    """The text as part of a file's name."""
    plain = re.sub(r"[^\w.+-]+", "-", text, flags=re.ASCII).strip("-.")
    if 0 < len(plain) <= _LONGEST_LABEL:
        return plain
    return "-".join(filter(None, [plain[:_LONGEST_LABEL].rstrip("-."), _digest(text)]))


def _digest(text: str) -> str:
    digest = new_digest()
    digest.update(text.encode())
    return digest.hexdigest()[:6]
