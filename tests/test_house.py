"""The structure that docs/how_it_works.md promises: few frames, lazy rooms, short import chains."""

from __future__ import annotations

import ast
import subprocess
import sys
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import oumi
from oumi.backends.remote.http.call import Call, Reply
from oumi.core.configs import ModelParams, RemoteParams
from oumi.errors import EngineError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import ask

PACKAGE = Path(oumi.__file__).parent
MOST_FRAMES = 10
LONGEST_CHAIN = 15


class BrokenTransport:
    """Raises what ends a run, so that its traceback leads from `infer` to here."""

    async def send(self, call: Call) -> Reply:
        raise EngineError("no reply")

    async def close(self) -> None:
        pass


def test_few_frames_lie_between_infer_and_the_transport():
    remote = RemoteParams(api_url="http://localhost:1/v1")
    engine = RemoteInferenceEngine(
        ModelParams(model_name="m"), remote_params=remote, transport=BrokenTransport()
    )
    with engine, pytest.raises(EngineError) as caught:
        engine.infer([ask("row-1")])
    frames = [
        frame.name
        for frame in traceback.extract_tb(caught.value.__traceback__)
        if str(PACKAGE) in frame.filename or frame.name == "send"
    ]
    assert frames[0] == "infer"
    assert frames[-1] == "send"
    assert len(frames) <= MOST_FRAMES, frames


def test_an_engine_loads_no_batch_module_before_it_is_asked_for_one():
    script = (
        "import sys\n"
        "from oumi.core.configs import ModelParams, RemoteParams\n"
        "from oumi.inference import OpenAIInferenceEngine\n"
        "remote = RemoteParams(api_key='k')\n"
        "with OpenAIInferenceEngine(ModelParams(model_name='m'), remote_params=remote):\n"
        "    print([name for name in sys.modules if name.startswith('oumi.batch')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_import_chains_are_short():
    chain = max((_longest_chain(module) for module in _modules()), key=len)
    assert len(chain) <= LONGEST_CHAIN, " -> ".join(chain)


@cache
def _modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = ["oumi", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def _longest_chain(module: str) -> tuple[str, ...]:
    """The longest chain of imports that happen when a module is imported. Circles never end."""
    below = [_longest_chain(other) for other in _imports(module)]
    return (module, *max(below, key=len, default=()))


@cache
def _imports(module: str) -> frozenset[str]:
    tree = ast.parse(_modules()[module].read_text(encoding="utf-8"))
    return frozenset(_imported(tree)) - {module}


def _imported(node: ast.AST) -> Iterator[str]:
    """Imports at the top of a module, but not those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                yield from (
                    ({full, child.module or ""} & _modules().keys())
                    if (full not in _modules())
                    else [full]
                )
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name in _modules())
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imported(child)
