"""Everything that can answer a request: models on this machine, and APIs."""
