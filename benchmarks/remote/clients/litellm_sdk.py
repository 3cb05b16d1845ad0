"""litellm's `acompletion`, as it comes: two retries."""

from __future__ import annotations

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks for prices on the web

import litellm

from benchmarks.remote.clients.frame import MODEL, TIMEOUT_S, Spec, ask_all, messages, run

litellm.suppress_debug_info = True


async def _loop(spec: Spec) -> int:
    async def ask(row: int) -> None:
        await litellm.acompletion(
            model=f"openai/{MODEL}",
            messages=messages(row),
            temperature=0.0,
            max_tokens=1024,
            api_base=spec.url,
            api_key="bench",
            timeout=TIMEOUT_S,
        )

    return await ask_all(spec, ask)


if __name__ == "__main__":
    run(lambda spec: asyncio.run(_loop(spec)))
