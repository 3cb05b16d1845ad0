"""How many connections this process may have: each is an open file."""

from __future__ import annotations

_OPEN_FILES = 10_240  # as many as macOS grants
_OTHER_FILES = 40  # of a program with a journal, an output and event loops: some 25, and a margin


def most_connections() -> int:
    """How many connections this process may have, by its limit of open files (`ulimit -n`)."""
    hard = _file_limits()[1]
    return _OPEN_FILES if hard is None else max(1, hard - _OTHER_FILES)


def allow_many_connections() -> None:
    """Raise this process' limit of open files, often 1024, to the most that is allowed it."""
    soft, hard = _file_limits()
    wanted = _OPEN_FILES if hard is None else min(_OPEN_FILES, hard)
    if soft is not None and soft < wanted:
        import resource

        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted, resource.RLIM_INFINITY if hard is None else hard)
        )


def _file_limits() -> tuple[int | None, int | None]:
    """The limit of open files, and what it may be raised to; None where there is none."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return None, None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    infinity = resource.RLIM_INFINITY
    return None if soft == infinity else soft, None if hard == infinity else hard
