"""openai's own client, as it comes: two retries."""

from __future__ import annotations

import asyncio

from openai import AsyncOpenAI

from benchmarks.remote.clients.frame import MODEL, TIMEOUT_S, Spec, ask_all, messages, run


async def _loop(spec: Spec) -> int:
    async with AsyncOpenAI(base_url=spec.url, api_key="bench", timeout=TIMEOUT_S) as client:

        async def ask(row: int) -> None:
            await client.chat.completions.create(
                model=MODEL, messages=messages(row), temperature=0.0, max_tokens=1024
            )

        return await ask_all(spec, ask)


if __name__ == "__main__":
    run(lambda spec: asyncio.run(_loop(spec)))
