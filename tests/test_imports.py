"""What an import costs, and what the packages offer."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys

import pytest

from oumi.errors import MissingDependencyError

HEAVY = [
    "torch",
    "vllm",
    "transformers",
    "xllamacpp",
    "llguidance",
    "numpy",
    "wreq",
    "genai_prices",
    "httpx2",
    "jinja2",
    "narwhals",
    "pandas",
    "pyarrow",
]


def test_importing_the_engines_loads_no_runtime():
    loaded = f"[name for name in {HEAVY} if name in sys.modules]"
    code = f"import sys, json, oumi.inference; print(json.dumps({loaded}))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert json.loads(output.stdout) == []


def test_an_engine_loads_no_row_but_its_own():
    code = (
        "import sys, json; from oumi.inference import GroqInferenceEngine; "
        "rows = [name for name in sys.modules if '.providers.' in name or name.endswith('.row')]; "
        "print(json.dumps(rows))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert json.loads(output.stdout) == ["oumi.backends.remote.providers.groq"]


@pytest.mark.parametrize("name", ["oumi", "oumi.inference", "oumi.core.configs", "oumi.core.types"])
def test_all_names_are_importable(name: str):
    module = importlib.import_module(name)
    assert module.__all__
    for public in module.__all__:
        assert getattr(module, public) is not None


def test_a_missing_runtime_says_how_to_get_it():
    if importlib.util.find_spec("transformers"):
        pytest.skip("Transformers is installed here")
    with pytest.raises(MissingDependencyError, match=r"pip install 'oumi-infer\[native\]'"):
        importlib.import_module("oumi.inference").NativeTextInferenceEngine()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="NoEngine"):
        importlib.import_module("oumi.inference").NoEngine  # noqa: B018
