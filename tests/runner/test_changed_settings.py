"""A run that may not replace an output says what differs from the run that wrote it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig
from oumi.errors import OutputExistsError
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import short, sums


@pytest.fixture
def refusal(
    engine: LlamaCppInferenceEngine, write_jsonl: Callable[..., Path], tmp_path: Path
) -> Callable[[InferenceConfig], str]:
    """What is said of a second run with other settings, or with an output that was changed."""
    files = {
        "input_path": str(write_jsonl(sums(2))),
        "output_path": str(tmp_path / "out.jsonl"),
    }
    engine.infer(None, short(**files))

    def run(changed: InferenceConfig) -> str:
        with pytest.raises(OutputExistsError) as caught:
            engine.infer(None, short(**files).merge(changed))
        return str(caught.value)

    return run


def test_the_settings_that_differ_are_named(refusal) -> None:
    changed = InferenceConfig.from_overrides(
        [
            ("generation.temperature", "0.5"),
            ("generation.stop_strings", "[x]"),
            ("system", "s" * 200),
            ("remote_params.num_workers", "3"),
        ]
    )
    said = refusal(changed)
    assert "written by a run with other settings: " in said
    assert "generation.temperature was 0.0, is 0.5" in said
    assert 'generation.stop_strings was not set, is ["x"]' in said
    assert 'system was not set, is "sss' in said
    assert "num_workers" not in said, "it changes no answer"
    assert len(said) < 600
    assert "set overwrite" in said


def test_another_input(refusal, write_jsonl: Callable[..., Path]) -> None:
    other = write_jsonl(sums(1), "other.jsonl")
    said = refusal(InferenceConfig(input_path=str(other)))
    assert f'in.jsonl", is "{other}"' in said
    write_jsonl(sums(1))
    assert "not all of its 2 answers are to rows of this input" in refusal(InferenceConfig())


def test_an_output_that_no_run_has_left_so(refusal, tmp_path: Path) -> None:
    with (tmp_path / "out.jsonl").open("a") as file:
        file.write("mine\n")
    assert "out.jsonl: changed since a run wrote it. " in refusal(InferenceConfig())
    (tmp_path / "out.jsonl.run.json").unlink()
    assert "out.jsonl: not written by a run. " in refusal(InferenceConfig())
