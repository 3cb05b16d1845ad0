"""Clients, each a process of its own: `python -m benchmarks.remote.clients.NAME SPEC`."""
