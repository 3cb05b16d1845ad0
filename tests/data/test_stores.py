"""Files of the Hugging Face Hub and of S3, by the clients that read these."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.data.stores import stores

# In a process of its own: the clients read the addresses of their servers once.
READ = """
import json, sys
from oumi.core.configs import InferenceConfig
from oumi.data.opening import open_source
from oumi.errors import InputError
for path in sys.argv[1:]:
    try:
        source = open_source(None, InferenceConfig(input_path=path))
        print(json.dumps([str(row.conversation[-1].content) for row in source.rows()]))
    except InputError as error:
        print(json.dumps(str(error)))
"""


@pytest.mark.parametrize("root", ["hf://datasets/o/d", "s3://bucket"])
def test_files_folders_and_patterns(root: str):
    ends = ("/data/a.csv", "/data", "/data/*.jsonl", "/data/none.csv")
    with stores() as address:
        env = {
            **os.environ,
            "HF_ENDPOINT": address,
            "HF_HUB_DISABLE_XET": "1",
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": "us-east-1",
        }
        command = [sys.executable, "-c", READ, *(root + end for end in ends)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *found, missing = map(json.loads, done.stdout.splitlines())
    assert found == [["row-0"], ["row-0", "row-1"], ["row-1"]]
    assert missing == f"{root}/data/none.csv: no such file"
