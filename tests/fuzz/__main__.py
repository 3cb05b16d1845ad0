"""`python -m tests.fuzz`: see the package."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["oumi"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.seeds import SEEDS

_LONGEST_S = 1.0


def main() -> None:
    """One target until the time is over, or all in turn."""
    if sys.argv[1:2] == ["--minutes"]:
        sys.exit(_fuzz_all(float(sys.argv[2])))
    with tempfile.TemporaryDirectory() as folder:
        _fuzz(sys.argv.pop(1), Path(folder))


def _fuzz_all(minutes: float) -> int:
    """How many targets were broken."""
    limit = f"-max_total_time={60 * minutes / len(TARGETS):.0f}"
    broken = 0
    for name in TARGETS:
        command = [sys.executable, "-m", "tests.fuzz", name, limit, "-print_final_stats=1"]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        lines = ended.stderr.splitlines()
        print(name, "broken" if ended.returncode else "holds", flush=True)
        print("\n".join(lines[-60:] if ended.returncode else _figures(lines)), flush=True)
        broken += bool(ended.returncode)
    return broken


def _figures(lines: list[str]) -> list[str]:
    """The last coverage and the count of inputs."""
    return [
        *[line for line in lines if " cov: " in line][-1:],
        *[line for line in lines if "number_of_executed_units" in line],
    ]


def _fuzz(name: str, folder: Path) -> None:
    """Feed one target, from its seeds on."""
    for number, seed in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(seed)
    target = TARGETS[name]

    def feed(data: bytes) -> None:
        started_s = time.process_time()  # a loaded machine takes none of it
        target(data)
        if (took_s := time.process_time() - started_s) > _LONGEST_S:
            raise TimeoutError(f"took {took_s:.1f} s")

    longest = max(4096, *map(len, SEEDS[name]))
    given = [option for option in sys.argv[1:] if option.startswith("-")]
    folders = [option for option in sys.argv[1:] if not option.startswith("-")]
    atheris.Setup([sys.argv[0], f"-max_len={longest}", *given, *folders, os.fspath(folder)], feed)
    atheris.Fuzz()


main()
