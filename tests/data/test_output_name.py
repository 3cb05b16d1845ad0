"""An output's ending is true of its content, or nothing is asked."""

from pathlib import Path

import pytest

from oumi.errors import ConfigError
from oumi.inference import InferenceEngine
from tests.conftest import ask, short


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("out.json", {}, "one JSON document by its ending"),
        ("out.xlsx", {"output_format": "table"}, "a spreadsheet by its ending"),
        ("out.csv.gz", {}, "a compressed file by its ending"),
        ("out.ARROW", {}, "Arrow by its ending"),
        ("out.csv", {"output_format": "conversations"}, "a table by its ending"),
    ],
)
def test_another_format_is_refused(
    engine: InferenceEngine, tmp_path: Path, name: str, fields: dict, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        engine.infer([ask("hi")], short(output_path=str(tmp_path / name), **fields))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.jsonl", "out", "out.txt", "out.ndjson"])
def test_other_names_are_the_users_own(engine: InferenceEngine, tmp_path: Path, name: str) -> None:
    engine.infer([ask("hi")], short(output_path=str(tmp_path / name)))
    assert (tmp_path / name).read_text().startswith('{"messages":')
