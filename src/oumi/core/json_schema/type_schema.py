"""The JSON schema of a Python type, as Pydantic makes it, but for what that leaves unsaid."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

_DECIMAL = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_INTEGER = r"^-?\d+$"


def schema_of_type(form: Any) -> dict[str, Any]:
    """The schema of what Pydantic reads as the type. Raises what Pydantic raises for one that it
    does not know.
    """
    return TypeAdapter(form).json_schema(schema_generator=_Generator)


class _Generator(GenerateJsonSchema):
    """Without these, a schema takes any text for a Decimal and any key for an integer."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """A number, or a text with one."""
        made = super().decimal_schema(schema)
        for one in made.get("anyOf", ()):
            if one == {"type": "string"}:
                one["pattern"] = _DECIMAL
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """An object, whose keys are integers where the type's are."""
        made = super().dict_schema(schema)
        if schema.get("keys_schema", {}).get("type") == "int":
            made.setdefault("propertyNames", {"pattern": _INTEGER})
        return made
