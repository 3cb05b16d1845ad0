"""Runs in parts, without anything between these: each attempt at one is a run of its own."""
