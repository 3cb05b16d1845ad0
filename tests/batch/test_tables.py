"""Tables as the input of batch jobs: what is submitted is what their rows ask."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from oumi.core.configs import InferenceConfig
from oumi.errors import ConfigError
from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import expected, finish, to
from tests.conftest import answers

FRAME = pl.DataFrame({"text": [f"row-{i}" for i in range(3)], "seed": [1, 2, 3]})
ASKED = InferenceConfig(prompt="{{ text }}", settings_column="")


def test_a_data_frame(openai: OpenAIInferenceEngine, tmp_path: Path):
    batch_id = openai.infer_batch(FRAME, ASKED)
    assert openai.infer_batch(FRAME, ASKED) == batch_id
    finish(openai, batch_id)
    assert answers(openai.get_batch_results(batch_id)) == expected(range(3))
    assert answers(openai.get_batch_results(batch_id, FRAME, ASKED)) == expected(range(3))
    with pytest.raises(ConfigError, match="the results of a batch job are conversations"):
        openai.get_batch_results(batch_id, None, to(tmp_path / "out.parquet"))


def test_a_file(openai: OpenAIInferenceEngine, tmp_path: Path):
    FRAME.write_csv(tmp_path / "in.csv")
    config = ASKED.model_copy(update={"input_path": str(tmp_path / "in.csv")})
    batch_id = openai.infer_batch(None, config)
    finish(openai, batch_id)
    assert answers(openai.get_batch_results(batch_id)) == expected(range(3))
