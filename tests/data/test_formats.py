"""Every format, shape and packing gives the same conversations, under the same keys."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.data.check import check_rows
from oumi.data.opening import open_source
from oumi.errors import InputError
from oumi.inference import RemoteInferenceEngine
from tests.data.writing import FORMATS, PACKINGS, SHAPES, user, write_rows
from tests.fault_server import FaultServer

TEXTS = [f'row-{i} "with", ünïcode\tand\nlines' if i % 9 == 0 else f"row-{i}" for i in range(200)]
MATRIX = [format_ + packing for format_ in FORMATS for packing in PACKINGS]


@pytest.mark.parametrize("shape", SHAPES)
def test_all_formats_give_the_same_answers(
    shape: str, run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    rows = [SHAPES[shape](text) for text in TEXTS]
    first = run(str(write_rows(tmp_path / "in.jsonl", rows)), tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in first.read_text().splitlines()]
    assert [line["messages"][:-1] for line in lines] == [user(text) for text in TEXTS]
    assert all(line["messages"][-1]["content"].startswith("answer to row-") for line in lines)
    for ending in MATRIX:
        source = write_rows(tmp_path / f"in{ending}", rows)
        output = run(str(source), tmp_path / f"out{ending}.jsonl", Path(f"{first}.journal"))
        assert output.read_bytes() == first.read_bytes(), ending
    assert server.stats()["requests"] == len(TEXTS), "each row has the same key in all formats"


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".tsv", ".parquet"])
def test_all_formats_give_the_same_table(ending: str, run: Callable[..., Path], tmp_path: Path):
    rows = [{"topic": f"t{i}", "prompt": text} for i, text in enumerate(TEXTS)]
    first = tmp_path / f"first{ending}"
    run(str(write_rows(tmp_path / "in.jsonl", rows)), first, output_format="table")
    for source in MATRIX:
        output = tmp_path / f"out{source}{ending}"
        path = write_rows(tmp_path / f"in{source}", rows)
        run(str(path), output, Path(f"{first}.journal"), output_format="table")
        assert output.read_bytes() == first.read_bytes(), source


@pytest.mark.parametrize("ending", [".jsonl.gz", ".csv.zst", ".json.gz", ".parquet.gz", ".parquet"])
def test_a_file_that_is_cut_off_is_damaged(ending: str, tmp_path: Path):
    path = write_rows(tmp_path / f"in{ending}", [{"prompt": text} for text in TEXTS])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"in\..*(damaged or cut off|cannot be read as Parquet)"):
        list(open_source(None, InferenceConfig(input_path=str(path))).rows())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"a,b,a\n1,2,3\n", "a.csv:1: two columns are called 'a'"),
        ("a.csv", b"a,,c\n1,2,3\n", "a.csv:1: column 2 has no name"),
        ("a.csv", b"prompt\nx\n\xff\n", "a.csv:3: not UTF-8"),
        ("a.csv", b'prompt\n"x\n', "a.csv:2: not CSV: unexpected end of data"),
        ("a.csv", "prompt\nx\n".encode("utf-16"), "a.csv: UTF-16 text: save it as UTF-8"),
        ("a.csv", b"", "a.csv: no conversations in it"),
        ("a.csv", b"prompt\n", "a.csv: no conversations in it"),
        ("a.json", b"[]", "a.json: no conversations in it"),
        ("a.json", b'[{"prompt": "x"}', "a.json:1: not a JSON array: it is cut off"),
        ("a.json", b'[{"prompt": "x"},\n]', "a.json:2: not a JSON array: no object after"),
        ("a.json", b'[{"prompt": "x"}\n\n{}]', "a.json:3: not a JSON array: expected , or ]"),
        ("a.json", b'[{"prompt": NaN}]', "a.json:1: not a JSON array: NaN is no JSON"),
        ("a.json", b'[{"prompt": "x"}] 1', "a.json:1: not a JSON array: something follows"),
        ("a.json", b'[{"prompt": "x"}, 7]', "a.json: row 1: int in place of an object"),
        ("a.json", b'{"prompt": "x"}\n{"prompt"', "a.json:2: not JSON"),
        ("a.json", b'{\n "data": [{"prompt": "x"}]}', "a.json: a JSON file of rows is one array"),
        ("a.xlsx", b"PK\x03\x04x", "a.xlsx: a zip file .or a spreadsheet."),
        ("a.arrow", b"text", "a.arrow: cannot be read as Arrow"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, content: bytes, said: str, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        check_rows(open_source(None, InferenceConfig(input_path=str(tmp_path / name))))


def test_large_elements_and_odd_places_in_an_array(tmp_path: Path):
    rows = [{"prompt": "é" * size} for size in (1, 300_000, 2, 1_000_000, 5)]
    path = tmp_path / "in.json"
    path.write_text("\ufeff \n" + json.dumps(rows, ensure_ascii=False).replace("}, {", "}\n ,{"))
    source = open_source(None, InferenceConfig(input_path=str(path)))
    assert [row.conversation and row.conversation[0].content for row in source.rows()] == [
        row["prompt"] for row in rows
    ]


def test_a_csv_file_of_a_spreadsheet(tmp_path: Path):
    path = tmp_path / "in.csv"
    path.write_bytes(b'\xef\xbb\xbfprompt;n\r\n"a\r\nb";1,5\r\nc;2\r\n')
    source = open_source(None, InferenceConfig(input_path=str(path)))
    rows = list(source.rows())
    assert [row.conversation and row.conversation[0].content for row in rows] == ["a\r\nb", "c"]
    assert source.place(rows[1]) == f"{path}:4"


DAMAGE = """
import resource, sys
from pathlib import Path
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.data.check import check_rows
from oumi.data.opening import open_source
from oumi.errors import InputError
from oumi.inference import RemoteInferenceEngine
path, start, end = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
good, errors = path.read_bytes(), 0
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for at in range(start, end):
    path.write_bytes(good[:at] + bytes([0xFE, 0xFF, 0xFF, 0xFF, 0x0F]) + good[at + 5 :])
    try:
        check_rows(open_source(None, InferenceConfig(input_path=str(path))))
    except InputError as error:
        assert str(path) in str(error)
        errors += 1
print(errors, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / before)
"""
"""2**31 - 1, as Thrift writes it, at each place in a page's header in turn."""


def test_a_damaged_page_of_a_parquet_file_is_an_error_and_takes_no_memory(tmp_path: Path):
    path = write_rows(tmp_path / "in.parquet", [{"prompt": f"row-{i}"} for i in range(50)])
    column = pq.read_metadata(path).row_group(0).column(0)
    places = [str(column.dictionary_page_offset), str(column.data_page_offset + 20)]
    done = subprocess.run(
        [sys.executable, "-c", DAMAGE, str(path), *places], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    errors, growth = map(float, done.stdout.split())
    assert errors > 10
    assert growth < 3, "a page of 2 GB is not made room for"


def test_a_text_that_is_not_utf8_costs_its_row_alone(server: FaultServer, tmp_path: Path):
    texts = pa.array([b"row-0", b"\xff", b"row-2"]).view(pa.string())
    pq.write_table(pa.table({"text": texts, "n": [0, 1, 2]}), tmp_path / "in.parquet")
    config = InferenceConfig(
        input_path=str(tmp_path / "in.parquet"),
        output_path=str(tmp_path / "out.jsonl"),
        prompt="{{ text }}",
        bad_rows="fail",
    )
    remote = RemoteParams(api_url=server.api_url, num_workers=2)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        result = engine.infer_partial(None, config)
    assert list(result.rows) == [0, 2]
    assert "in.parquet: row 1: text: not UTF-8" in result.failures[1].error_message
