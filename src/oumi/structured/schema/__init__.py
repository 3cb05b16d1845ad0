"""What samplers and APIs accept of JSON Schema, and schemas adapted to it."""
