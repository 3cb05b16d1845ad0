"""The schema of answers whose cost is measured."""

from __future__ import annotations

PRICES = {
    "type": "array",
    "minItems": 4,
    "maxItems": 4,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 3, "maxLength": 8},
            "price": {"type": "integer", "minimum": 10, "maximum": 99},
        },
        "required": ["name", "price"],
        "additionalProperties": False,
    },
}
