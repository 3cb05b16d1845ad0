"""The example of samples and the cache runs as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "samples.py"


def test_a_vote_among_samples_and_all_of_it_from_the_cache(tmp_path: Path):
    for cached in (0, 15):
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLE)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert "What is 17 plus 25? 17 + 25 = 42 (" in done.stdout
        assert done.stdout.endswith(f"{cached} of 15 answers came from the cache\n")
