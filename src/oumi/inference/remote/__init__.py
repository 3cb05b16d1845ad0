"""Engines behind an API: HTTP transport, providers, dialects."""
