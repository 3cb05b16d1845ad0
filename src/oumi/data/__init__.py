"""Rows in and rows out: sources, sinks, and the formats that both are in."""
