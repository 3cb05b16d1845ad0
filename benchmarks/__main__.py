"""`python -m benchmarks [NAME …]`: print the tables; without names, all but the long ones."""

from __future__ import annotations

import importlib
import sys

TABLES = {
    "imports": "benchmarks.imports:table",
    "llama_cpp": "benchmarks.llama_cpp:table",
    "remote": "benchmarks.remote:table",
}
LONG = {
    "cluster": "benchmarks.cluster:table",
    "million": "benchmarks.remote:million",
    "native": "benchmarks.native:table",
    "report_page": "benchmarks.report_page:table",
    "serve": "benchmarks.serve:table",
    "serve_soak": "benchmarks.serve.soak:table",
    "serve_vllm": "benchmarks.serve.vllm:table",
    "structured": "benchmarks.remote:structured",
    "vllm": "benchmarks.vllm:table",
}


def main(names: list[str]) -> None:
    """Print the named tables."""
    known = TABLES | LONG
    unknown = set(names) - known.keys()
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    for name in names or TABLES:
        module, function = known[name].split(":")
        getattr(importlib.import_module(module), function)()


if __name__ == "__main__":
    main(sys.argv[1:])
