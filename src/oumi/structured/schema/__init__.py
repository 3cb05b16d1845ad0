"""What samplers and APIs take of JSON Schema, and schemas made to fit."""
