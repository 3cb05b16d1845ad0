"""Settings of the sampler on LLAMACPP, and values that no engine can use."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from oumi.core.configs import GenerationParams, ModelParams, RemoteParams
from oumi.errors import ConfigError, UnsupportedError
from oumi.inference import OpenAIInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.inference.test_llama_cpp import generation

QUESTION = ask("What is the capital of France?")


def test_a_repetition_penalty_changes_the_answer(engine):
    plain, changed = (
        answers(engine.infer([QUESTION], generation(repetition_penalty=penalty)))[0]
        for penalty in (1.0, 5.0)
    )
    assert plain != changed


def test_only_typical_tokens(engine):
    def sample(typical_p: float | None) -> list[str]:
        config = generation(temperature=3.0, seed=3, typical_p=typical_p)
        return answers(engine.infer([ask(f"Tell me something {n}") for n in range(4)], config))

    assert sample(0.1) != sample(None)


# With these the model says the same again and again, so that each of the others changes it.
REPETITIVE = {"temperature": 1.0, "seed": 1, "typical_p": 0.1, "max_new_tokens": 40}


@pytest.mark.parametrize(
    "fields",
    [
        {"dry_multiplier": 5.0, "dry_allowed_length": 1},
        {"xtc_probability": 1.0, "xtc_threshold": 0.05},
        {"mirostat": 1, "mirostat_tau": 0.1},
        {"mirostat": 2, "mirostat_tau": 0.1},
    ],
)
def test_samplers_of_llama_cpp_change_what_is_chosen(engine, fields: dict):
    question = ask("Repeat after me: one two one two one two")
    plain, changed, again = (
        answers(engine.infer([question], generation(**REPETITIVE, **given)))
        for given in ({}, fields, fields)
    )
    assert plain != changed == again


def test_engines_without_them_name_one_that_has_them(server: FaultServer):
    remote = RemoteParams(api_url=server.api_url, api_key="sk-test")
    fields = {"xtc_probability": 0.5}
    with (
        OpenAIInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as openai,
        pytest.raises(UnsupportedError, match=r"xtc_probability; engines that can: LLAMACPP"),
    ):
        openai.infer([QUESTION], generation(**fields))


def test_tokens_have_their_bytes(engine):
    [done] = engine.infer([QUESTION], generation(logprobs=2))
    entries = done.metadata["logprobs"]["content"]
    text = b"".join(bytes(entry["bytes"]) for entry in entries).decode()
    assert text.startswith(done.messages[-1].content)
    assert all("bytes" in other for entry in entries for other in entry["top_logprobs"])


@pytest.mark.parametrize("top", [0, 3])
def test_as_many_alternatives_as_were_asked_for(engine, top: int):
    [done] = engine.infer([QUESTION], generation(logprobs=top))
    assert {len(e["top_logprobs"]) for e in done.metadata["logprobs"]["content"]} == {top}


@pytest.mark.parametrize(
    "fields",
    [
        {"stop_strings": ["a", ""]},
        {"seed": 2**63},
        {"repetition_penalty": 0},
        {"typical_p": 1.5},
        {"min_tokens": -1},
        {"dry_base": 0.5},
        {"xtc_probability": 2},
        {"mirostat": 3},
        {"temperature": float("nan")},
        {"max_thinking_tokens": -1},
        {"truncate_prompt": "somewhere"},
    ],
)
def test_values_that_mean_nothing_are_refused(fields: dict):
    with pytest.raises(ValidationError, match=next(iter(fields))):
        GenerationParams(**fields)


@pytest.mark.parametrize("seed", [-1, 2**32 - 1])
def test_seeds_that_llama_cpp_does_not_have(engine, seed: int):
    before = engine.asked
    with pytest.raises(ConfigError, match=r"generation\.seed: LLAMACPP takes 0 to 4,294,967,294"):
        engine.infer([QUESTION], generation(seed=seed))
    assert engine.asked == before
