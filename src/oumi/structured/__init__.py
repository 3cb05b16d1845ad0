"""Structured outputs: adapt a constraint to an engine, validate answers, repair invalid ones."""
