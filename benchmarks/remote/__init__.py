"""The remote path beside other clients, against the tests' fault server on a core of its own."""

from __future__ import annotations


def table() -> None:
    """Print the tables that take seconds to minutes."""
    from benchmarks.remote import bench, checks, files, rate_limit, throughput

    with bench.opened() as opened:
        throughput.per_cpu_second(opened)
        throughput.many_in_flight(opened)
        checks.with_schema(opened)
        rate_limit.rate_limit(opened)
        files.memory(opened)


def structured() -> None:
    """Print what checking answers costs."""
    from benchmarks.remote import bench, checks

    with bench.opened() as opened:
        checks.with_schema(opened)


def million() -> None:
    """Print what runs of up to a million rows take, or of up to `OUMI_BENCH_ROWS`."""
    from benchmarks.remote import bench, growth

    with bench.opened() as opened:
        growth.growth(opened)
