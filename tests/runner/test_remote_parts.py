"""Parts in a bucket: `oumi` as it is called, against a server of S3."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oumi.core.types import Message, Role
from oumi.core.types.completion import Completion
from oumi.errors import UnavailableError
from oumi.runner.parts.remote_folder import RemoteFolder
from oumi.runner.parts.segments import SegmentedJournal
from tests.conftest import count_records
from tests.fault_server import FaultServer
from tests.object_store import ObjectStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # each test starts several processes

ROWS = 40
BUCKET = "answers"
OUTPUT = f"s3://{BUCKET}/run/out.jsonl"


class Runs:
    """`oumi` in a folder, with the settings of all runs in `run.yaml`."""

    def __init__(self, folder: Path, server: FaultServer, store: ObjectStore):
        self.folder = folder
        self.env = {**os.environ, **store.env, "TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        self.write_input("row", ROWS)
        (folder / "run.yaml").write_text(
            f"engine: REMOTE\nmodel: {{model_name: m}}\ninput_path: in.jsonl\n"
            f"output_path: {OUTPUT}\n"
            f"remote_params: {{api_url: {server.api_url}, num_workers: 2, max_retries: 0}}\n"
        )

    def write_input(self, name: str, count: int) -> bytes:
        rows = [{"messages": [{"role": "user", "content": f"{name}-{i}"}]} for i in range(count)]
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        (self.folder / "in.jsonl").write_bytes(data)
        return data

    def start(self, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "oumi", args[0], "-c", "run.yaml", *args[1:]]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=self.env, stdout=pipe, stderr=pipe, text=True
        )

    def fails(self, *args: str) -> tuple[int, str]:
        """The exit code and what was said."""
        process = self.start(*args)
        _, said = process.communicate(timeout=100)
        return process.returncode, said

    def __call__(self, *args: str) -> str:
        code, said = self.fails(*args)
        assert code == 0, said
        return said

    def part(self, part: str) -> str:
        return self("infer", "--part", part)


@pytest.fixture(scope="module")
def _store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture
def store(_store: ObjectStore) -> Iterator[ObjectStore]:
    """With an empty bucket."""
    _store.make_bucket(BUCKET)
    yield _store
    _store.remove_bucket(BUCKET)


@pytest.fixture
def oumi(tmp_path: Path, server: FaultServer, store: ObjectStore) -> Runs:
    return Runs(tmp_path, server, store)


def stored(store: ObjectStore) -> int:
    """How many records the segments hold."""
    found = store.objects(BUCKET).values()
    return sum(data.count(b'\n{"key":') for data in found if data.startswith(b'{"journal"'))


def wait_for(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def sync_until_it_fails(journal: SegmentedJournal) -> None:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        journal.sync()
        time.sleep(0.05)


def segments(store: ObjectStore) -> list[str]:
    return sorted(key for key in store.objects(BUCKET) if key.endswith(".journal"))


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_merged_parts_are_the_run(oumi: Runs, store: ObjectStore, server: FaultServer, name: str):
    oumi("infer", "--output_path", f"whole-{name}")
    whole = (oumi.folder / f"whole-{name}").read_bytes()
    store.put(BUCKET, "in.jsonl", (oumi.folder / "in.jsonl").read_bytes())
    (oumi.folder / "in.jsonl").unlink()
    output = f"s3://{BUCKET}/run/{name}"
    settings = ["--input_path", f"s3://{BUCKET}/in.jsonl", "--output_path", output]
    for part in ("3/3", "1/3", "2/3"):
        oumi("infer", *settings, "--part", part)
    assert server.stats()["requests"] == 2 * ROWS
    oumi("merge", *settings)
    oumi("merge", *settings, "--to", f"here-{name}")
    assert store.objects(BUCKET)[f"run/{name}"] == whole
    assert (oumi.folder / f"here-{name}").read_bytes() == whole
    summary = json.loads(store.objects(BUCKET)[f"run/{name}.run.json"])
    assert summary["done"] == ROWS
    before = store.writes(BUCKET)
    assert set(before.values()) == {1}, before
    oumi("merge", *settings)
    assert store.writes(BUCKET) == before
    assert "Nothing to do" in oumi("infer", *settings, "--part", "1/3")
    assert server.stats()["requests"] == 2 * ROWS
    assert list((oumi.folder / "tmp").iterdir()) == []


def test_a_kill_costs_what_no_segment_holds_yet(
    oumi: Runs, store: ObjectStore, server: FaultServer
):
    rows = 400
    oumi.write_input("row", rows)
    server.plan(latency_ms=60)
    process = oumi.start("infer", "--part", "1/1")
    wait_for(lambda: len(segments(store)) == 2)  # the first one is empty
    answered = sum(server.answered().values())
    wait_for(lambda: len(segments(store)) == 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    asked, kept = server.stats()["requests"], stored(store)
    assert kept >= answered - 2, "what was answered before the last segment but one is in them"
    assert asked < rows
    server.plan()
    oumi.part("1/1")
    assert server.stats()["requests"] == rows - kept
    oumi("merge")
    lines = store.objects(BUCKET)["run/out.jsonl"].splitlines()
    answers = [json.loads(line)["messages"][-1]["content"] for line in lines]
    assert answers == [f"answer to row-{i}" for i in range(rows)]


def test_attempts_at_once_do_no_harm(oumi: Runs, store: ObjectStore, server: FaultServer):
    server.plan(latency_ms=20)
    running = [oumi.start("infer", "--part", "1/1") for _ in range(2)]
    for process in running:
        process.communicate(timeout=60)
    assert [process.returncode for process in running] == [0, 0]
    assert f"{ROWS} rows done" in oumi("merge")
    assert set(store.writes(BUCKET).values()) == {1}


def test_what_is_no_record_counts_for_nothing(oumi: Runs, store: ObjectStore, server: FaultServer):
    oumi.part("1/2")
    oumi.part("2/2")
    [torn] = [key for key in segments(store) if "1-of-2" in key and key.endswith("000001.journal")]
    data = store.objects(BUCKET)[torn]
    store.put(BUCKET, torn, data[:-100])
    folder = "run/out.jsonl.parts/1-of-2"
    store.put(BUCKET, f"{folder}/garbage.journal", bytes(range(256)) * 20 + b"\n")
    store.put(BUCKET, f"{folder}/notes.txt", b"not ours")
    code, said = oumi.fails("merge")
    assert code == 2
    assert "garbage.journal: 21 damaged lines" in said
    assert re.search(r"1 of 40 rows have no answer yet; run these parts again: 1/2\n", said)
    server.reset()
    oumi.part("1/2")
    assert server.stats()["requests"] == 1
    assert f"{ROWS} rows done" in oumi("merge")


def test_another_input_is_not_merged(oumi: Runs, store: ObjectStore, server: FaultServer):
    server.plan(scripts={"row-3": [{"kind": "status", "code": 400}]})
    assert oumi.fails("infer", "--part", "1/2")[0] == 6
    oumi.write_input("other", ROWS)
    oumi.part("2/2")
    code, said = oumi.fails("merge")
    assert code == 2
    assert "20 of 40 rows have no answer yet; run these parts again: 1/2. 19 recorded" in said
    assert "the parts had another input or other settings" in said


def test_a_bucket_that_is_not_there(oumi: Runs, server: FaultServer):
    code, said = oumi.fails("infer", "--part", "1/2", "--output_path", "s3://nowhere/out.jsonl")
    assert (code, server.stats()["requests"]) == (2, 0)
    assert "s3://nowhere/out.jsonl.parts/1-of-2" in said
    assert "bucket does not exist" in said
    assert oumi.fails("merge", "--output_path", "s3://nowhere/out.jsonl")[0] == 2


def test_a_key_that_is_refused(oumi: Runs, server: FaultServer):
    with ObjectStore(checks_keys=True) as closed:
        oumi.env |= closed.env
        code, said = oumi.fails("infer", "--part", "1/2")
        assert oumi.fails("infer", "--input_path", "s3://a/b.jsonl", "--part", "1/1")[0] == 3
    assert (code, server.stats()["requests"]) == (3, 0)
    assert "AWS_ACCESS_KEY_ID" in said


def test_a_store_that_is_away(oumi: Runs, server: FaultServer):
    oumi.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    code, said = oumi.fails("infer", "--part", "1/2")
    assert (code, server.stats()["requests"]) == (4, 0)
    assert f"{OUTPUT}.parts/1-of-2: cannot be listed" in said
    code, said = oumi.fails("infer", "--part", "1/2", "--input_path", f"s3://{BUCKET}/in.jsonl")
    assert code == 4
    assert f"s3://{BUCKET}/in.jsonl: cannot be read" in said


def test_a_store_that_pauses_in_mid_run(oumi: Runs, store: ObjectStore, server: FaultServer):
    server.plan(latency_ms=20)
    process = oumi.start("infer", "--part", "1/1")
    server.wait_until(lambda stats: stats["requests"] > 2)
    store.send_signal(signal.SIGSTOP)
    try:
        server.wait_until(lambda stats: stats["by_status"].get("200") == ROWS)
    finally:
        store.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert stored(store) >= ROWS
    assert f"{ROWS} rows done" in oumi("merge")


def test_what_could_not_be_written_is_kept_here(
    oumi: Runs, store: ObjectStore, server: FaultServer
):
    server.plan(latency_ms=20)
    process = oumi.start("infer", "--part", "1/1")
    server.wait_until(lambda stats: stats["requests"] > 2)
    store.remove_bucket(BUCKET)
    _, said = process.communicate(timeout=60)
    store.make_bucket(BUCKET)
    assert process.returncode == 2
    found = re.search(
        r"([\d,]+) records that are not there are kept in (\S+): copy it to (\S+),", said
    )
    assert found is not None, said
    kept = Path(found[2])
    assert count_records(kept) == int(found[1]) == ROWS
    assert found[3] == f"{OUTPUT}.parts/1-of-1/"
    store.put(BUCKET, f"run/out.jsonl.parts/1-of-1/{kept.name}", kept.read_bytes())
    server.reset()
    assert "Nothing to do" in oumi.part("1/1")
    assert server.stats()["requests"] == 0


def test_a_url_needs_a_part(oumi: Runs, server: FaultServer):
    code, said = oumi.fails("infer")
    assert (code, server.stats()["requests"]) == (2, 0)
    assert f"output_path: {OUTPUT}: a run in parts writes there. Set part, to 1/1" in said
    for url, reason in (
        ("s3://answers", "expected a file in a bucket"),
        ("nothing://a/b.jsonl", "Protocol not known"),
        ("file:///tmp/out.jsonl", "without file://"),
    ):
        code, said = oumi.fails("infer", "--part", "1/1", "--output_path", url)
        assert (code, server.stats()["requests"]) == (2, 0)
        assert reason in said


def test_a_journal_goes_on_while_its_store_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    with ObjectStore() as store:
        store.make_bucket(BUCKET)
        for name, value in store.env.items():
            monkeypatch.setenv(name, value)
        remote = RemoteFolder(OUTPUT)

        def write(number: int, data: bytes) -> None:
            remote.write(f"{number}.journal", data)

        def keep() -> str:
            return "look there"

        answer = Completion(Message(role=Role.ASSISTANT, content="a"))
        path = tmp_path / "out.jsonl.journal"
        journal = SegmentedJournal(path, write, keep, segment_s=0.0, most_behind_s=8.0)
        journal.append(0, "0" * 32, answer)
        store.go_away()
        with pytest.raises(UnavailableError, match=r"s3://answers/run/\d\.journal: cannot be"):
            sync_until_it_fails(journal)
        journal.append(1, "1" * 32, answer)
        with pytest.raises(UnavailableError, match=r"2 records that are not .*: look there$"):
            journal.close()
    assert "Answers are kept on this machine meanwhile" in caplog.text
    assert count_records(path) == 2
