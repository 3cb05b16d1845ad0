"""`oumi report` from the command line."""

from pathlib import Path

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
