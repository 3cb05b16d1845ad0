"""`oumi report` from the command line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

import oumi as oumi_package
from tests.report.runs import tickets, write_run


def test_a_report_lies_beside_its_run(oumi, tmp_path: Path):
    write_run(tmp_path / "out.jsonl", tickets(5))
    done = oumi("report", "out.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out.report.html\n", "")
    assert (tmp_path / "out.report.html").read_text().startswith("<!doctype html>")


def test_several_runs_in_a_named_file(oumi, tmp_path: Path):
    for name in ("a.jsonl", "b.jsonl"):
        write_run(tmp_path / name, tickets(5))
    done = oumi("report", "a.jsonl", "b.jsonl", "--output", "new/both.html", "--rows", "3")
    assert done.stdout == "new/both.html\n"
    assert 'data-runs="2"' in (tmp_path / "new" / "both.html").read_text()


def test_what_is_wrong_is_said_in_a_line(oumi, tmp_path: Path):
    done = oumi("report", "none.jsonl")
    assert done.returncode == 2
    assert done.stderr == "error: none.jsonl: no such file, and no journal of a run beside it\n"
    (tmp_path / "notes.html").write_text("mine")
    write_run(tmp_path / "out.jsonl", tickets(1))
    done = oumi("report", "out.jsonl", "-o", "notes.html")
    assert done.returncode == 2
    assert "notes.html: not a report; name another file" in done.stderr
    assert (tmp_path / "notes.html").read_text() == "mine"
    done = oumi("report", ".")
    assert (done.returncode, done.stderr) == (
        2,
        "error: .: a folder; name the output file of a run\n",
    )


def test_a_port_that_is_taken(oumi, tmp_path: Path):
    write_run(tmp_path / "out.jsonl", tickets(1))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = oumi("report", "--serve", "out.jsonl", "--port", str(port))
    assert done.returncode == 5
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use" in done.stderr
    assert "another --port may be free" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--serve", "a.jsonl", "b.jsonl"], "--serve shows all rows of one run"),
        (["--serve", "a.jsonl", "--rows", "5"], "--serve shows all rows of one run"),
        (["a.jsonl", "--port", "8000"], "--port is for --serve"),
        (["--serve", "none.jsonl"], "none.jsonl: no such file, and no journal of a run"),
        (["--serve", "."], "a folder; name the output file of a run"),
    ],
)
def test_what_cannot_be_served(oumi_here, arguments: list[str], said: str):
    done = oumi_here("report", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_serving_needs_its_extra(tmp_path: Path):
    write_run(tmp_path / "out.jsonl", tickets(1))
    packages = tmp_path / "packages"
    packages.mkdir()
    for package in Path(click.__file__).parents[1].iterdir():
        if not package.name.startswith("starlette"):
            (packages / package.name).symlink_to(package)
    source = Path(oumi_package.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "oumi", "report", "--serve", "out.jsonl"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{packages}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 5
    assert done.stderr == (
        "error: oumi report --serve needs starlette: pip install 'oumi-infer[serve]'\n"
    )
