"""The command `oumi-infer`: `oumi`, from a package whose files no other distribution has.

The distribution `oumi` brings a package `oumi` too. Installed later in the same environment, it
replaces files of this one, the command `oumi` among them. This command tells what has happened.
"""

from __future__ import annotations

import sys

from oumi_infer.clash import find_clash, find_missing

EXIT_CODE = 5
"""That of a broken engine: `oumi.errors`, which says so, may be the other distribution's."""


def main() -> None:
    """Run the command line, unless its files are not those of this distribution."""
    clash = find_clash() or find_missing()
    if clash is not None and clash.is_broken:
        print(f"error: {clash.text}", file=sys.stderr)
        sys.exit(EXIT_CODE)
    from oumi.cli.main import main as run

    run()
