"""Transformers inside this process. `backend` loads it, `row` does not."""
