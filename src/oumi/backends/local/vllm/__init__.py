"""vLLM on this machine, through its asynchronous engine. `backend` loads it, `row` does not."""
