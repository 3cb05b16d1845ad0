"""An engine behind the fault server, and runs whose answers are there already."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from tests.fault_server import FaultServer


@pytest.fixture
def engine(server: FaultServer) -> Iterator[RemoteInferenceEngine]:
    remote = RemoteParams(api_url=server.api_url, num_workers=20)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        yield engine


@pytest.fixture
def run(engine: RemoteInferenceEngine) -> Callable[..., Path]:
    """Answer a file, and return the output. `journal` holds answers of another run."""

    def answer(source: object, output: Path, journal: Path | None = None, **fields: Any) -> Path:
        if journal is not None:
            shutil.copy(journal, f"{output}.journal")
        config = InferenceConfig(input_path=source, output_path=str(output), **fields)
        engine.infer_partial(None, config)
        return output

    return answer
