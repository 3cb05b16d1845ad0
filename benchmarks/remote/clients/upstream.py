"""The upstream library's `infer`, as it comes. It is called `oumi` too: ours must not be there."""

from __future__ import annotations

from benchmarks.remote.clients.frame import MODEL, TIMEOUT_S, Spec, messages, run
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.inference import RemoteInferenceEngine


def infer(spec: Spec) -> int:
    """A list of conversations in, a list out."""
    remote = RemoteParams(
        api_url=f"{spec.url}/chat/completions",
        api_key="bench",
        num_workers=spec.in_flight,
        connection_timeout=TIMEOUT_S,
    )
    engine = RemoteInferenceEngine(ModelParams(model_name=MODEL), remote_params=remote)
    conversations = [
        Conversation(messages=[Message(role=Role(m["role"]), content=m["content"]) for m in row])
        for row in map(messages, range(spec.requests))
    ]
    generation = GenerationParams(temperature=0.0, max_new_tokens=1024)
    answered = engine.infer(conversations, InferenceConfig(generation=generation))
    return spec.requests - len(answered)


if __name__ == "__main__":
    run(infer)
