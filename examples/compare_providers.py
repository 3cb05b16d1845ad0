"""The same question to several models at once, of providers or of this machine.

python examples/compare_providers.py gpt-4o-mini groq/llama-3.3-70b-versatile oumi-tiny

Each provider's key is found where its own client finds it, such as OPENAI_API_KEY.
"""

from __future__ import annotations

import asyncio
import sys

from oumi.core.configs import InferenceConfig, ModelParams
from oumi.errors import OumiError
from oumi.inference import build_engine

QUESTION = "What is the capital of France?"


async def ask(name: str) -> str:
    """The answer of a model, whose name says who is asked, or why there is none."""
    config = InferenceConfig(model=ModelParams(model_name=name))
    try:
        with build_engine(config) as engine:
            [answered] = await engine.ainfer([QUESTION])
    except OumiError as error:
        return f"{name}: {error}"
    tokens = answered.metadata["usage"]["completion_tokens"]
    return f"{name}: {answered[-1].content} ({tokens} tokens)"


async def main(names: list[str]) -> None:
    """Print each answer as it comes."""
    for answer in asyncio.as_completed([ask(name) for name in names]):
        print(await answer)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(f"usage: {__doc__}")
    asyncio.run(main(sys.argv[1:]))
