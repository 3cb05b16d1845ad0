"""The GGUF in llama.cpp, through xllamacpp: raw prompts in, text out."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import xllamacpp

SLOTS = 8
CONTEXT = 2048


class Engine:
    """One loaded model; `complete` answers many prompts side by side."""

    def __init__(self, path: Path, *, flash: bool = True) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = CONTEXT * SLOTS
        params.n_parallel = SLOTS
        params.cpuparams.n_threads = 1
        params.n_gpu_layers = 0
        params.use_jinja = True
        params.verbosity = 0
        if not flash:
            kinds = xllamacpp.llama_flash_attn_type
            params.flash_attn_type = kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(params)

    def _one(self, prompt: str, options: dict[str, Any]) -> str:
        request = {"prompt": prompt, "max_tokens": 300, "temperature": 0, **options}
        return self.server.handle_completions(request)["choices"][0]["text"]

    def complete(self, prompts: list[str], **options: Any) -> list[str]:
        """The texts that follow the prompts, greedy unless said otherwise."""
        with ThreadPoolExecutor(SLOTS) as pool:
            return list(pool.map(lambda prompt: self._one(prompt, options), prompts))

    def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        """One request in the OpenAI form."""
        return self.server.handle_chat_completions(body)

    def post(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request to the loopback port, for routes that have no method."""
        request = urllib.request.Request(
            self.server.listening_address + route,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
