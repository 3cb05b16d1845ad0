"""Compile every taught Python block and run it in a folder with the files it reads."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tasks.coding import recipes

FILES = {"example.txt": "one\ntwo\n", "data.json": '{"a": 1}', "data.csv": "name,age\nAda,36\n"}
NEEDS_NETWORK = "urlopen"


def run(code: str) -> str:
    """What went wrong, or nothing."""
    compile(code, "recipe", "exec")
    if NEEDS_NETWORK in code:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-I", "-c", code]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20)
    return done.stderr if done.returncode else ""


def main() -> int:
    """Print what fails."""
    failed = {recipe.topics[0]: error for recipe in recipes() if (error := run(recipe.code))}
    for topic, error in failed.items():
        print(f"{topic}:\n{error}")
    print(f"{len(recipes()) - len(failed)} of {len(recipes())} recipes run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
