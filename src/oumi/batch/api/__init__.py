"""Batch jobs at a provider that has an API for them."""
