"""Benchmarks: each answers one question, with a reference in the same run."""
