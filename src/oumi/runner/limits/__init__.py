"""When a request may start: rates, concurrency, retries."""
