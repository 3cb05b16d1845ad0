"""The same question to several providers at once. Each finds its key where its own client does.

OPENAI_API_KEY=… GROQ_API_KEY=… python examples/compare_providers.py \
    OPENAI:gpt-4o-mini GROQ:llama-3.3-70b-versatile
"""

from __future__ import annotations

import asyncio
import sys

from oumi.core.configs import InferenceConfig, InferenceEngineType, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import OumiError
from oumi.inference import build_engine

QUESTION = "Why is the sky blue? One sentence."


async def ask(name: str) -> str:
    """The answer of `ENGINE:model`, or why there is none."""
    engine, _, model = name.partition(":")
    config = InferenceConfig(
        engine=InferenceEngineType(engine), model=ModelParams(model_name=model)
    )
    question = Conversation(messages=[Message(role=Role.USER, content=QUESTION)])
    try:
        with build_engine(config) as provider:
            [answered] = await provider.ainfer([question])
    except OumiError as error:
        return f"{name}: {error}"
    tokens = answered.metadata["usage"]["completion_tokens"]
    return f"{name}: {answered[-1].content} ({tokens} tokens)"


async def main() -> None:
    """Print each answer as it comes."""
    for answer in asyncio.as_completed([ask(name) for name in sys.argv[1:]]):
        print(await answer)


if __name__ == "__main__":
    asyncio.run(main())
