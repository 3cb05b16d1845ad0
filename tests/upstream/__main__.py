"""Print the counts for a checkout of the upstream library."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.fault_server import FaultServer
from tests.upstream.blocks import check_blocks
from tests.upstream.configs import check_configs, set_environment

_PRODUCT = {"name": "iPhone 15", "price": 999, "features": ["USB-C"], "color": "titanium"}


def main() -> int:
    """Print what works; the exit code is 1 where a YAML file or a template is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="the folder of the upstream repository")
    checkout = parser.parse_args().checkout.resolve()
    with FaultServer(message={"content": json.dumps(_PRODUCT)}) as server:
        set_environment(server.api_url)
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            os.environ["HOME"] = folder
            accepted, templates, engines = check_configs(checkout)
            with contextlib.redirect_stdout(io.StringIO()):
                ran = check_blocks(checkout)
    print(accepted, templates, ran, sep="\n")
    print("checked by engine:", ", ".join(f"{n} {name}" for name, n in sorted(engines.items())))
    return 1 if accepted.failures or templates.failures else 0


if __name__ == "__main__":
    sys.exit(main())
