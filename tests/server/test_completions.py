"""OpenAI's official client and completions of a prompt as it is."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest

from tests.fault_server import FaultServer
from tests.server.process import Serve

PATH = "/v1/completions"
BEGUN = "The capital of France"


def test_the_model_goes_on_from_the_prompt(tiny: Serve):
    reply = tiny.openai.completions.create(model="oumi-tiny", prompt=BEGUN, max_tokens=12)
    assert reply.choices[0].text == " is Paris."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.object == "text_completion"
    assert reply.usage.prompt_tokens == 4, "no template is around it"


def test_a_template_may_be_written_out(tiny: Serve):
    prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
    reply = tiny.openai.completions.create(model="oumi-tiny", prompt=prompt, max_tokens=20)
    assert reply.choices[0].text == "The capital of France is Paris."
    cut = tiny.openai.completions.create(
        model="oumi-tiny", prompt=prompt, max_tokens=20, stop=" France"
    )
    assert cut.choices[0].text == "The capital of"


def test_several_prompts_and_several_answers_to_each(tiny: Serve):
    fields = {"model": "oumi-tiny", "max_tokens": 6, "temperature": 1.5, "seed": 3, "n": 2}
    prompts = [BEGUN, "The capital of Spain"]
    reply = tiny.openai.completions.create(prompt=prompts, **fields)
    texts = [choice.text for choice in reply.choices]
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    alone = tiny.openai.completions.create(prompt=prompts[1], **fields)
    assert [choice.text for choice in alone.choices] == texts[2:]
    streamed = ["", "", "", ""]
    for chunk in tiny.openai.completions.create(prompt=prompts, stream=True, **fields):
        for choice in chunk.choices:
            streamed[choice.index] += choice.text
    assert streamed == texts


def test_a_stream_with_the_prompt_and_the_tokens(tiny: Serve):
    stream = tiny.openai.completions.create(
        model="oumi-tiny", prompt=BEGUN, max_tokens=12, echo=True, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    chunks = list(stream)
    texts = [choice.text for chunk in chunks for choice in chunk.choices]
    assert "".join(texts) == f"{BEGUN} is Paris."
    assert len([text for text in texts if text]) > 3
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.prompt_tokens == 4
    whole = tiny.openai.completions.create(
        model="oumi-tiny", prompt=BEGUN, max_tokens=12, echo=True
    )
    assert whole.choices[0].text == f"{BEGUN} is Paris."


def test_log_probabilities_in_their_old_form(tiny: Serve):
    reply = tiny.openai.completions.create(
        model="oumi-tiny", prompt=BEGUN, max_tokens=3, logprobs=2
    )
    found = reply.choices[0].logprobs
    assert found.tokens == [" is", " P", "ar"]
    assert found.text_offset == [0, 3, 5]
    assert [len(top) for top in found.top_logprobs] == [2, 2, 2]
    assert found.top_logprobs[0][" is"] == found.token_logprobs[0]
    assert found.token_logprobs[0] == pytest.approx(0, abs=0.1)


def test_what_an_api_is_sent_and_answers(relay: Serve, server: FaultServer):
    fields = {"model": "small", "prompt": "row-1 begins", "max_tokens": 9, "seed": 5, "logprobs": 1}
    reply = relay.openai.completions.create(**fields, stop=["END"], presence_penalty=0.5)
    assert reply.choices[0].text == " answer to row-1"
    assert reply.choices[0].logprobs.tokens == [" answer", " to", " row-1"]
    assert reply.choices[0].logprobs.top_logprobs[0] == {" answer": -0.5, "other": -2.0}
    [seen] = server.stats()["last"]
    assert seen["path"] == PATH
    assert json.loads(seen["body"]) == {
        "model": "gpt-small",
        "prompt": "row-1 begins",
        "max_tokens": 9,
        "temperature": 0.0,
        "seed": 5,
        "stop": ["END"],
        "presence_penalty": 0.5,
        "logprobs": 1,
    }


def test_a_stream_of_an_api(relay: Serve, server: FaultServer):
    stream = relay.openai.completions.create(
        model="small", prompt="row-1", stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert [c.text for chunk in chunks for c in chunk.choices] == [" answer", " to", " row-1", ""]
    assert chunks[-1].usage.completion_tokens == 5
    assert json.loads(server.stats()["last"][0]["body"])["stream"] is True


def test_a_stream_that_breaks_off(relay: Serve, server: FaultServer):
    server.plan(faults=[{"kind": "stream_cut", "times": None}])
    with pytest.raises(openai.APIError, match="cut off"):
        list(relay.openai.completions.create(model="small", prompt="row-1", stream=True))


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({}, "prompt", "expected a text"),
        ({"prompt": []}, "prompt", "expected a text"),
        ({"prompt": [1, 2]}, "prompt", "token ids are not supported here"),
        ({"prompt": [[1]]}, "prompt", "token ids"),
        ({"prompt": "a", "suffix": "b"}, "suffix", "is supported here"),
        ({"prompt": "a", "best_of": 2}, "best_of", "only 1"),
        ({"prompt": "a", "n": 0}, "n", "greater than or equal to 1"),
        ({"prompt": ["a"] * 100, "n": 2}, "n", "128 are given at most"),
        ({"prompt": "a", "echo": True, "logprobs": 1}, "echo", "together with logprobs"),
        ({"prompt": "a", "max_tokens": -1}, "max_tokens", "greater than or equal to 1"),
        ({"prompt": "a", "messages": []}, "messages", "not supported here"),
        ({"prompt": "word " * 9000}, "messages", "does not fit"),
    ],
)
def test_what_is_refused(tiny: Serve, fields: dict[str, object], param: str, said: str):
    reply = tiny.client.post(PATH, json={"model": "oumi-tiny", **fields})
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (400, param)
    assert said in error["message"]


def test_an_api_without_completions(server: FaultServer, home: str, tmp_path: Path):
    arguments = ["--engine", "GROQ", "--model.model_name", "llama"]
    remote = ["--remote_params.api_url", server.api_url, "--remote_params.api_key", "k"]
    with (
        Serve(*arguments, *remote, HOME=home) as serve,
        pytest.raises(openai.BadRequestError, match="GROQ, the engine of llama, cannot") as caught,
    ):
        serve.openai.completions.create(model="llama", prompt="a")
    assert caught.value.param == "prompt"
    assert server.stats()["requests"] == 0
