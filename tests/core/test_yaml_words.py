"""Words in YAML stay words, as YAML 1.2 has it; switches may still be written as before."""

import pytest

from oumi.core.configs import InferenceConfig


def test_yes_and_no_are_choices() -> None:
    words = ["yes", "no", "on", "off", "Yes", "NO", "y", "n"]
    text = f"generation: {{guided_decoding: {{choice: [{', '.join(words)}]}}}}"
    guided = InferenceConfig.from_str(text).generation.guided_decoding
    assert guided is not None
    assert guided.choice == words


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "yes", "on"])
def test_a_switch_is_on(word: str) -> None:
    assert InferenceConfig.from_str(f"overwrite: {word}").overwrite is True
    assert InferenceConfig.from_overrides([("overwrite", word)]).overwrite is True


@pytest.mark.parametrize("word", ["false", "False", "no", "off"])
def test_a_switch_is_off(word: str) -> None:
    assert InferenceConfig.from_str(f"overwrite: {word}").overwrite is False


def test_values_of_any_kind_have_true_booleans_only() -> None:
    config = InferenceConfig.from_str("model: {model_kwargs: {a: true, b: yes}}")
    assert config.model.model_kwargs == {"a": True, "b": "yes"}


def test_saved_words_are_read_again(tmp_path) -> None:
    text = "generation: {guided_decoding: {choice: [yes, no]}}"
    InferenceConfig.from_str(text).to_yaml(tmp_path / "a.yaml")
    again = InferenceConfig.from_yaml(tmp_path / "a.yaml")
    assert again == InferenceConfig.from_str(text)
