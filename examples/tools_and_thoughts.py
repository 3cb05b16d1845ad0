"""Claude asks a tool for the weather. Its signed thoughts go back with what came of it.

ANTHROPIC_API_KEY=… python examples/tools_and_thoughts.py
"""

from __future__ import annotations

from oumi.core.configs import GenerationParams, ModelParams
from oumi.core.types import Conversation, Message, Role, ToolCall, ToolDefinition
from oumi.inference import AnthropicInferenceEngine, InferenceEngine

WEATHER = ToolDefinition.model_validate(
    {
        "name": "get_weather",
        "description": "The weather of a city, now.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
)


def call_tool(call: ToolCall) -> Message:
    """What came of a call."""
    city = call.function.get_arguments_dict()["city"]
    return Message(role=Role.TOOL, content=f"{city}: 21 °C, sunny", tool_call_id=call.id)


def answer(engine: InferenceEngine, conversation: Conversation) -> Conversation:
    """Ask until the model calls no tool any more."""
    while True:
        [conversation] = engine.infer([conversation])
        calls = conversation[-1].tool_calls
        if not calls:
            return conversation
        results = [call_tool(call) for call in calls]
        messages = [*conversation.messages, *results]
        conversation = conversation.model_copy(update={"messages": messages})


def main() -> None:
    """Print the turns of a conversation."""
    question = Message(role=Role.USER, content="Do I need an umbrella in Paris?")
    thinking = {"thinking": {"type": "adaptive", "display": "summarized"}}
    with AnthropicInferenceEngine(
        ModelParams(model_name="claude-opus-5-5", model_kwargs=thinking),
        generation_params=GenerationParams(max_new_tokens=4_000),
    ) as engine:
        conversation = answer(engine, Conversation(messages=[question], tools=[WEATHER]))
    for message in conversation:
        print(message.role, message.compute_flattened_text_content() or "(calls a tool)", sep=": ")


if __name__ == "__main__":
    main()
