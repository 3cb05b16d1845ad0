"""Rows in and rows out: sources and sinks."""
