"""The official clients of OpenAI and Anthropic, asking a server of one's own.

    oumi serve &
    OPENAI_BASE_URL=http://127.0.0.1:8000/v1 ANTHROPIC_BASE_URL=http://127.0.0.1:8000 \
        OPENAI_API_KEY=any ANTHROPIC_API_KEY=any python examples/serve_clients.py
"""

import anthropic
import openai
from pydantic import BaseModel


class City(BaseModel):
    """What is asked for."""

    name: str


def main() -> None:
    """Ask in every way."""
    question = [{"role": "user", "content": "What is the capital of France?"}]
    with openai.OpenAI() as client:
        model = client.models.list().data[0].id
        reply = client.chat.completions.create(model=model, messages=question)
        print("OpenAI's client:", reply.choices[0].message.content)

        stream = client.chat.completions.create(model=model, messages=question, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
        print("as a stream:", " | ".join(filter(None, pieces)))

        parsed = client.chat.completions.parse(
            model=model, messages=question, response_format=City, max_tokens=40
        )
        print("as a Pydantic model:", type(parsed.choices[0].message.parsed).__name__)

    with anthropic.Anthropic() as client:
        message = client.messages.create(model=model, messages=question, max_tokens=64)
        print("Anthropic's client:", message.content[0].text)


if __name__ == "__main__":
    main()
