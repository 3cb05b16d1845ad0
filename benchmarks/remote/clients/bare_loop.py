"""A bare loop on our own transport: a body out, its JSON read, nothing kept."""

from __future__ import annotations

import orjson
import uvloop

from benchmarks.remote.clients.frame import MODEL, TIMEOUT_S, Spec, ask_all, messages, run
from oumi.backends.remote.http.call import Call
from oumi.backends.remote.http.transport import open_transport

HEADERS = {"content-type": "application/json", "accept": "application/json"}


async def _loop(spec: Spec) -> int:
    transport = open_transport()
    url = f"{spec.url}/chat/completions"

    async def ask(row: int) -> None:
        body = {"model": MODEL, "messages": messages(row), "temperature": 0.0, "max_tokens": 1024}
        reply = await transport.send(Call("POST", url, HEADERS, orjson.dumps(body), TIMEOUT_S))
        if reply.status != 200:
            raise ValueError(reply.status)
        orjson.loads(reply.body)["choices"][0]["message"]["content"]

    failed = await ask_all(spec, ask)
    await transport.close()
    return failed


if __name__ == "__main__":
    run(lambda spec: uvloop.run(_loop(spec)))
