"""Tools that a model may call, and its calls, in the format of the OpenAI chat API.

Unknown fields are kept and written out again. Those of a tool's definition are sent as well.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.field_types import Id


class ToolType(StrEnum):
    """Kinds of tool; functions are the only one so far."""

    FUNCTION = "function"


class FunctionDefinition(BaseModel):
    """A function that a model may call; `parameters` is a JSON schema of its arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolDefinition(BaseModel):
    """A tool that the model may call. A bare function definition is accepted as well."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: ToolType = ToolType.FUNCTION
    function: FunctionDefinition

    @model_validator(mode="before")
    @classmethod
    def _wrap_bare_function(cls, value: Any) -> Any:
        if not isinstance(value, dict | ToolDefinition):
            raise ValueError(f"a tool is a dict or a Python callable, not {type(value).__name__}")
        if isinstance(value, dict) and "function" not in value and "name" in value:
            function = {_PARAMETERS.get(name, name): part for name, part in value.items()}
            return {"type": function.pop("type", "function"), "function": function}
        return value


# Anthropic and MCP have another name for the schema.
_PARAMETERS = {"input_schema": "parameters", "inputSchema": "parameters"}


class FunctionCall(BaseModel):
    """Name and arguments of a call. `arguments` is text of the model: JSON, if it is valid. A dict
    or a list is written as JSON.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    arguments: str

    @field_validator("arguments", mode="before")
    @classmethod
    def _encode_arguments(cls, value: Any) -> Any:
        if isinstance(value, str):
            return value
        if value is not None and not isinstance(value, dict | list):
            raise ValueError(f"`arguments` must be a str, dict, or list, not {value!r:.60}")
        return write_json({} if value is None else value).decode()

    def get_arguments_dict(self) -> dict[str, Any]:
        """The arguments as a dict. Raises ValueError if they are not a JSON object."""
        try:
            arguments = parse_json(self.arguments or "{}")
        except ValueError as error:
            raise ValueError(f"arguments of {self.name} are not JSON: {error}") from None
        if not isinstance(arguments, dict):
            raise ValueError(
                f"arguments of {self.name} are no JSON object: {self.arguments!r:.200}"
            )
        return arguments


class ToolCall(BaseModel):
    """One call of a tool, which the model asks for. The answer is a message with this id."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: Id
    type: ToolType = ToolType.FUNCTION
    function: FunctionCall
    extra_content: dict[str, Any] | None = None
    """Data that the API gave with the call and expects back unchanged, such as Gemini's signed
    thoughts.

    https://ai.google.dev/gemini-api/docs/thought-signatures
    """
