"""`python -m benchmarks [NAME …]`: print the tables, all of them unless some are named."""

from __future__ import annotations

import sys

from benchmarks import imports, llama_cpp

TABLES = {"imports": imports.table, "llama_cpp": llama_cpp.table}


def main(names: list[str]) -> None:
    """Print the named tables."""
    unknown = set(names) - TABLES.keys()
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; known are {', '.join(TABLES)}")
    for name in names or TABLES:
        TABLES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
