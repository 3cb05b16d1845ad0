"""Engines whose model runs behind an API."""
