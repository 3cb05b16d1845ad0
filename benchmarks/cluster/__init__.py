"""Runs on a Ray cluster: what the driver costs, and what is lost beside other libraries."""

from __future__ import annotations


def table() -> None:
    """Print the tables."""
    from benchmarks.cluster import beside, growth
    from benchmarks.remote import bench

    with bench.opened(is_pinned=False) as opened:
        beside.beside(opened)
        growth.workers(opened)
        growth.single(opened)
        growth.memory(opened)
