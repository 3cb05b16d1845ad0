"""`python -m tests.campaign`: see the package."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.campaign.kinds import KINDS
from tests.campaign.play import play, play_once

_FAULTY_DISK = Path(__file__).parents[1] / "runner" / "faulty_disk.c"


def main() -> None:
    """Read the options, play, and print what was played."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--round", type=int, help="play the round of this seed only")
    options = parser.parse_args()
    kinds = options.kind or list(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        library = _build(Path(folder))
        if options.round is not None:
            figures = play_once(options.round, kinds, library)
        else:
            figures = play(60 * options.minutes, options.seed, kinds, library)
    print(json.dumps(dict(sorted(figures.items())), indent=1))


def _build(folder: Path) -> Path | None:
    """The library that makes the disk fail; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "faulty_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, _FAULTY_DISK, "-ldl"], check=True)
    return library


if __name__ == "__main__":
    main()
