"""A small page that says what the server answers, and how a client is set to it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

ENDPOINTS = (
    ("POST", "/v1/chat/completions", "OpenAI's chat completions"),
    ("POST", "/v1/responses", "OpenAI's responses, without a memory of conversations"),
    ("POST", "/v1/embeddings", "OpenAI's embeddings"),
    ("POST", "/v1/messages", "Anthropic's messages"),
    ("POST", "/v1/messages/count_tokens", "the tokens of a prompt, for models on this machine"),
    ("GET", "/v1/models", "the models that are served"),
    ("POST", "/v1/files", "a file of requests for a batch; GET lists, DELETE removes"),
    ("GET", "/v1/files/{id}/content", "what is in a file, such as the answers of a batch"),
    ("POST", "/v1/batches", "a batch; GET lists them, and /v1/batches/{id} shows one"),
    ("POST", "/v1/batches/{id}/cancel", "stops a batch"),
    ("GET", "/health", "whether the process is alive"),
    ("GET", "/ready", "whether it takes requests"),
    ("GET", "/metrics", "counts for Prometheus"),
)
"""Method, path and meaning of what is answered."""

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>oumi serve</title>
<style>
:root {{ color-scheme: light dark; --line: color-mix(in srgb, currentcolor 18%, transparent); }}
body {{ font: 15px/1.4 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto;
  padding: 0 1rem; }}
h1 {{ margin: 0; }}
h2 {{ font-size: 1.1rem; margin: 1.6rem 0 .5rem; }}
code, pre {{ font: 13px/1.5 ui-monospace, monospace; }}
pre {{ overflow-x: auto; margin: 0; padding: .8rem 1rem; border: 1px solid var(--line);
  border-radius: .5rem; background: color-mix(in srgb, currentcolor 4%, transparent); }}
table {{ border-collapse: collapse; width: 100%; }}
td {{ padding: .25rem 1rem .25rem 0; vertical-align: baseline;
  border-bottom: 1px solid var(--line); }}
td:first-child {{ font-size: 12px; opacity: .7; }}
</style>
<h1>oumi serve</h1>
<p>{models}</p>
<h2>Clients</h2>
<pre>OPENAI_BASE_URL={url}/v1
ANTHROPIC_BASE_URL={url}

curl {url}/v1/chat/completions \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -d '{{"model": "{first}", "messages": [{{"role": "user", "content": "Hi"}}]}}'</pre>
<h2>Endpoints</h2>
<table>
{rows}
</table>
"""


def docs_page(url: str, models: Iterable[str]) -> bytes:
    """The page of a server at an address, with these models, which may be left out."""
    names = [escape(name) for name in models]
    rows = (
        f"<tr><td>{method}<td><code>{escape(path)}</code><td>{escape(meaning)}"
        for method, path, meaning in ENDPOINTS
    )
    listed = ", ".join(f"<code>{name}</code>" for name in names)
    models_line = f"Models: {listed}" if names else "/v1/models lists the models."
    first = names[0] if names else "NAME"
    page = _PAGE.format(url=escape(url), models=models_line, first=first, rows="\n".join(rows))
    return page.encode()
