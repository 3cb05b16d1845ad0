"""The first block of the guide, as it is written there: in a file, in a notebook, in a REPL.

oumi-tiny stands in the cache of the hub under the name that the guide has.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("vllm")

from oumi.models import TINY

pytestmark = pytest.mark.timeout(300)

MODEL = "meta-llama/Llama-3.1-8B-Instruct"
BLOCK = """
from oumi.inference import VLLMInferenceEngine
from oumi.core.configs import InferenceConfig, ModelParams, GenerationParams
from oumi.core.types.conversation import Conversation, Message, Role

# Initialize engine
engine = VLLMInferenceEngine(
    model_params=ModelParams(
        model_name="meta-llama/Llama-3.1-8B-Instruct",
        torch_dtype="bfloat16"
    )
)

# Create a conversation with system and user messages
conversation = Conversation(messages=[
    Message(role=Role.SYSTEM, content="You are a helpful coding assistant."),
    Message(role=Role.USER, content="How do I read a file in Python?")
])

# Configure generation parameters
config = InferenceConfig(
    generation=GenerationParams(
        max_new_tokens=512,  # Maximum response length
        temperature=0.7,     # Control randomness
        top_p=0.9            # Nucleus sampling threshold
    )
)

# Get model response
result = engine.infer([conversation], config)
print(result[0].messages[-1].content)
"""
# What a test adds, to tell the answer from all else that is printed.
SAY = "\nprint('ANSWER', len(result[0].messages), len(result[0].messages[-1].content) > 0)\n"
SAID = "ANSWER 3 True"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine whose cache holds the model, and which is not online."""
    cache = tmp_path_factory.mktemp("hub")
    repository = cache / f"models--{MODEL.replace('/', '--')}"
    commit = "0" * 40
    shutil.copytree(TINY / "hf", repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    offline = {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    # Compiling takes longer than all else, and needs a compiler; vLLM leaves it out by this.
    return {**os.environ, **offline, "TORCH_COMPILE_DISABLE": "1"}


def run(command: list[str], hub: dict[str, str], text: str | None = None) -> str:
    done = subprocess.run(
        command, env=hub, input=text, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_in_a_file(hub: dict[str, str], tmp_path: Path):
    script = tmp_path / "guide.py"
    script.write_text(BLOCK + SAY)
    assert run([sys.executable, str(script)], hub).count(SAID) == 1


def test_in_a_repl(hub: dict[str, str]):
    assert run([sys.executable, "-i", "-q"], hub, f"{BLOCK}{SAY}exit()\n").count(SAID) == 1


NOTEBOOK = """
import sys, nbclient, nbformat
cells = [nbformat.v4.new_code_cell(code) for code in sys.argv[1:]]
notebook = nbformat.v4.new_notebook(cells=cells)
nbclient.NotebookClient(notebook, timeout=250, kernel_name="python3").execute()
for output in cells[-1].outputs:
    print(output.get("text"))
"""


def test_in_a_notebook(hub: dict[str, str]):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    assert run([sys.executable, "-c", NOTEBOOK, BLOCK, SAY], hub).count(SAID) == 1
