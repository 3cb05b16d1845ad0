"""A run of the model in the package, beside one to which nothing happens."""

from __future__ import annotations

from tests.campaign import oracle
from tests.campaign.calls import Ended
from tests.campaign.kinds.broken_calls import break_calls
from tests.campaign.record import Record
from tests.campaign.round import Round
from tests.campaign.rows import make_sums, write_rows


def llama_cpp(round_: Round) -> None:
    """The journal is the log: what it holds is not answered again. An answer belongs to its
    question where an unbroken run gives it the same one.
    """
    rows = make_sums(round_.rng, round_.rng.randrange(5, 40))
    arguments = ["infer", "-q", "--generation.max_new_tokens", "6"]

    def check(before: Record, ended: Ended) -> None:
        oracle.check_kept(before, round_.record)

    rows = break_calls(round_, rows, [*arguments, *round_.files], check, make_sums)
    round_.figures["rows"] += len(rows)
    write_rows(round_.source, rows)
    before = round_.record
    round_.call([*arguments, *round_.files, "--overwrite", "true"], 0)
    oracle.check_kept(before, round_.record)
    unbroken = round_.folder / "unbroken.jsonl"
    files = ["--input_path", str(round_.source), "--output_path", str(unbroken)]
    round_.call([*arguments, *files], 0)
    same = unbroken.read_bytes() == round_.output.read_bytes()
    oracle.check(same, "not the output of an unbroken run")
