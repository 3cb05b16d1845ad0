"""Tools that a model may call, and its calls, in the format of the OpenAI chat API.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from oumi.core.json_text import write_json


class ToolType(StrEnum):
    """Kinds of tool; functions are the only one so far."""

    FUNCTION = "function"


class FunctionDefinition(BaseModel):
    """A function that a model may call; `parameters` is a JSON schema of its arguments."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolDefinition(BaseModel):
    """A tool that the model may call. A bare function definition is accepted as well."""

    model_config = ConfigDict(frozen=True)

    type: ToolType = ToolType.FUNCTION
    function: FunctionDefinition

    @model_validator(mode="before")
    @classmethod
    def _wrap_bare_function(cls, value: Any) -> Any:
        if isinstance(value, dict) and "function" not in value and "name" in value:
            return {"function": value}
        return value


class FunctionCall(BaseModel):
    """Name and arguments of a call. `arguments` is text of the model: JSON, if it is valid."""

    model_config = ConfigDict(frozen=True)

    name: str
    arguments: str

    @field_validator("arguments", mode="before")
    @classmethod
    def _encode_arguments(cls, value: Any) -> Any:
        return value if isinstance(value, str) else write_json(value or {}).decode()

    def get_arguments_dict(self) -> dict[str, Any]:
        """The arguments as a dict. Raises ValueError if they are not a JSON object."""
        arguments = orjson.loads(self.arguments or "{}")
        if not isinstance(arguments, dict):
            raise ValueError(f"arguments of {self.name} are no JSON object: {self.arguments!r}")
        return arguments


class ToolCall(BaseModel):
    """One call of a tool, which the model asks for. The answer is a message with this id."""

    model_config = ConfigDict(frozen=True)

    id: str
    type: ToolType = ToolType.FUNCTION
    function: FunctionCall
    extra_content: dict[str, Any] | None = None
    """Data that the API gave with the call and expects back unchanged, such as Gemini's signed
    thoughts.

    https://ai.google.dev/gemini-api/docs/thought-signatures
    """
