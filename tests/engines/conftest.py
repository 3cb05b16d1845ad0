"""Tests with heavy runtimes, which run only where this folder is named: `make test-engines`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import ModelParams
from oumi.inference import InferenceEngine
from tests.engines.adapters import write_adapter
from tests.engines.models import write_model
from tests.engines.vllm_server import VllmServer, serve_vllm

HERE = Path(__file__).parent


# Elsewhere a warning is an error; here the runtimes warn of each other.
RUNTIMES = r"(torch|transformers|vllm|llguidance|peft|accelerate|xgrammar|numba|numpy)(\..*)?"


def pytest_configure(config: pytest.Config) -> None:
    """Take the runtimes' own warnings as they are."""
    config.addinivalue_line("filterwarnings", f"ignore:::{RUNTIMES}")
    # vLLM leaves its sockets' context to the garbage collector.
    config.addinivalue_line("filterwarnings", "ignore:Exception ignored in.*zmq.*")
    config.addinivalue_line("filterwarnings", "ignore:Unclosed context:ResourceWarning")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the heavy tests out of a run that does not name them."""
    named = [Path(arg.partition("::")[0]).absolute() for arg in config.args]
    return None if any(path.is_relative_to(HERE) for path in named) else True


def vllm_params(**fields: object) -> ModelParams:
    """oumi-tiny as the tests load it: quickly, and with exact numbers."""
    kwargs = {"enforce_eager": True, **fields.pop("model_kwargs", {})}
    return ModelParams(
        **{"torch_dtype": "float32", "model_max_length": 1024, "model_kwargs": kwargs, **fields}
    )


@pytest.fixture(scope="session")
def vllm_environment() -> Iterator[None]:
    """vLLM with a small cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


@pytest.fixture(scope="session")
def vllm(vllm_environment: None) -> Iterator[InferenceEngine]:
    """oumi-tiny in vLLM."""
    from oumi.inference import VLLMInferenceEngine

    with VLLMInferenceEngine(vllm_params()) as engine:
        yield engine


@pytest.fixture(scope="session")
def native() -> Iterator[InferenceEngine]:
    """oumi-tiny in Transformers."""
    from oumi.inference import NativeTextInferenceEngine

    with NativeTextInferenceEngine(ModelParams(torch_dtype="float32")) as engine:
        yield engine


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of oumi-tiny."""
    return write_adapter(tmp_path_factory.mktemp("adapters") / "shift")


@pytest.fixture(scope="session")
def thinking_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """oumi-tiny with the marker tokens of reasoning."""
    folder = tmp_path_factory.mktemp("models") / "thinking"
    return write_model(folder, markers=["<think>", "</think>"])


@pytest.fixture(scope="session")
def equipped_params(thinking_model: Path, adapter: Path) -> ModelParams:
    """That with an adapter and with vLLM's parsers of reasoning and tool calls."""
    # Constraints hold from the first token on, so that a test decides what the reasoning is.
    structured = {"enable_in_reasoning": True}
    return vllm_params(
        model_name=str(thinking_model),
        adapter_model=str(adapter),
        tool_call_parser="pythonic",
        model_kwargs={"reasoning_parser": "deepseek_r1", "structured_outputs_config": structured},
    )


@pytest.fixture(scope="session")
def equipped_vllm(
    vllm_environment: None, equipped_params: ModelParams
) -> Iterator[InferenceEngine]:
    """The same, loaded."""
    from oumi.inference import VLLMInferenceEngine

    with VLLMInferenceEngine(equipped_params) as engine:
        yield engine


@pytest.fixture(scope="session")
def _servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[VllmServer, VllmServer]]:
    """Both servers, which start side by side: most of that time one core imports modules."""
    exact, plain = tmp_path_factory.mktemp("vllm"), tmp_path_factory.mktemp("plain_vllm")
    flags = [
        # xgrammar, which `auto` takes, lets control characters into strings of a bounded length.
        # White space between fields may go on until the answer is cut off, so there is none.
        *("--structured-outputs-config", '{"backend":"guidance","disable_any_whitespace":true}'),
        # With room for as many adapters as there are, vLLM on the CPU mixes rows up.
        *("--enable-lora", "--max-loras", "2", "--max-lora-rank", "8"),
        *("--lora-modules", f"shift={write_adapter(exact / 'shift')}"),
        "--trust-request-chat-template",
    ]
    with serve_vllm(exact, *flags) as first, serve_vllm(plain) as second:
        yield first, second


@pytest.fixture(scope="session")
def server(_servers: tuple[VllmServer, VllmServer]) -> VllmServer:
    """A server that keeps schemas to the letter, with the adapter `shift`."""
    _servers[0].wait_until_ready()
    return _servers[0]


@pytest.fixture(scope="session")
def plain_server(_servers: tuple[VllmServer, VllmServer]) -> VllmServer:
    """A server with vLLM's own choices."""
    _servers[1].wait_until_ready()
    return _servers[1]
