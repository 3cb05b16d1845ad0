"""An engine of another package: installed, named in settings, listed, and used like our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ask
from tests.fault_server import FaultServer

MODULE = """
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.llama_cpp.row import ENGINE
from oumi.backends import settings
from oumi.backends.provider import Provider

ACME = Provider(
    name="ACME",
    summary="the Acme API",
    supports=settings.TEXT | settings.SEED,
    url="https://api.acme.example/v1",
    url_env="ACME_BASE_URL",
    key_env=("ACME_API_KEY",),
    field_aliases={"seed": "random_seed"},
)
LOCAL = EngineRow(
    name="ACME_LOCAL",
    class_name="AcmeLocalInferenceEngine",
    backend="acme_oumi.local:AcmeBackend",
    summary="Acme on this machine",
    runtime="xllamacpp",
    install="pip install acme-oumi",
    supports=ENGINE.supports,
)
WRONG = Provider(name="WRONG", summary="", supports=frozenset({"generation.num_beams"}))
"""
LOCAL = """
from oumi.backends.local.llama_cpp.backend import LlamaCppBackend


class AcmeBackend(LlamaCppBackend):
    pass
"""
ENTRY_POINTS = """\
[oumi.engines]
ACME = acme_oumi:ACME
acme_local = acme_oumi:LOCAL
WRONG = acme_oumi:WRONG
BROKEN = acme_oumi.not_there:ENGINE
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, server: FaultServer) -> Run:
    """Run Python with the package installed, in a folder of its own."""
    site = tmp_path / "site"
    (site / "acme_oumi").mkdir(parents=True)
    (site / "acme_oumi" / "__init__.py").write_text(MODULE)
    (site / "acme_oumi" / "local.py").write_text(LOCAL)
    info = site / "acme_oumi-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-oumi\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    keys = {"ACME_API_KEY": "k-acme", "ACME_BASE_URL": server.api_url}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, **keys, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return call


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_infers_by_a_config_file(run: Run, server: FaultServer, tmp_path: Path):
    (tmp_path / "in.jsonl").write_text(ask("row-1").to_json() + "\n")
    (tmp_path / "run.yaml").write_text(
        "engine: acme\nmodel: {model_name: m}\ngeneration: {seed: 4321}\n"
        "input_path: in.jsonl\noutput_path: out.jsonl\n"
    )
    good(run("-m", "oumi", "infer", "-c", "run.yaml"))
    assert "answer to row-1" in (tmp_path / "out.jsonl").read_text()
    [seen] = server.stats()["last"]
    assert seen["headers"]["authorization"] == "Bearer k-acme"
    assert '"random_seed":4321' in seen["body"]


def test_it_is_listed_and_offers_models(run: Run, server: FaultServer):
    rows = json.loads(good(run("-m", "oumi", "engines", "--json")))
    acme = next(row for row in rows if row["engine"] == "ACME")
    assert acme["api"]["key_variables"] == ["ACME_API_KEY"]
    assert [row["engine"] for row in rows][-2:] == ["ACME", "ACME_LOCAL"]
    server.plan(models=["a", "b"])
    assert good(run("-m", "oumi", "models", "Acme")).split() == ["a", "b"]


PICKLED = """
import pickle
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.inference import build_engine

config = InferenceConfig(engine="ACME", model=ModelParams(model_name="m"))
with build_engine(config) as engine, pickle.loads(pickle.dumps(engine)) as copy:
    assert type(copy) is type(engine)
    print(copy.infer(["row-1"])[0].messages[-1].content)
"""


def test_it_is_pickled_by_its_name(run: Run):
    assert good(run("-c", PICKLED)) == "answer to row-1\n"


SCRIPT = """
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import build_engine

config = InferenceConfig(engine="ACME", model=ModelParams(model_name="m"))
assert InferenceConfig.model_validate(config.model_dump()).engine == "ACME"
talk = Conversation(messages=[Message(role=Role.USER, content="row-1")])
with build_engine(config) as engine:
    assert engine.name == "ACME"
    [answered] = engine.infer([talk])
    batch_id = engine.infer_batch([talk])
    engine.wait_for_batch(batch_id, poll_interval_s=0.05, timeout_s=50)
    [collected] = engine.get_batch_results(batch_id)
print(answered.messages[-1].content, "|", collected.messages[-1].content, "|", batch_id)
"""


def test_it_is_built_and_works_on_batch_jobs(run: Run):
    answered, collected, batch_id = good(run("-c", SCRIPT)).strip().split(" | ")
    assert answered == collected == "answer to row-1"
    assert "ACME" in good(run("-m", "oumi", "batch", "status", batch_id))


def test_a_backend_of_its_own(run: Run):
    code = (
        "import oumi; from oumi.core.configs import InferenceConfig; "
        "config = InferenceConfig(engine='acme_local'); "
        "print(oumi.infer('Hi', config, max_new_tokens=4).messages[-1].content)"
    )
    assert good(run("-c", code)).strip()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ACMEE", "no engine 'ACMEE'; did you mean ACME?"),
        ("WRONG", "WRONG supports generation.num_beams, which the dialect chat does not send"),
        ("BROKEN", "BROKEN = acme_oumi.not_there:ENGINE in oumi.engines cannot be loaded"),
    ],
)
def test_what_is_wrong_is_named(run: Run, name: str, reason: str):
    done = run("-m", "oumi", "models", name)
    assert done.returncode == 2
    assert reason in done.stderr
    code = (
        "from oumi.core.configs import InferenceConfig; from oumi.inference import build_engine; "
        f"build_engine(InferenceConfig(engine={name!r}))"
    )
    named = run("-c", code)
    assert reason in named.stderr
    listed = run("-m", "oumi", "engines")
    assert listed.returncode == 0
    assert "BROKEN = acme_oumi.not_there:ENGINE in oumi.engines cannot be loaded" in listed.stderr
