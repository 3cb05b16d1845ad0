"""What the server is to do: latency, faults by row, a rate limit. Made from JSON.

{"latency_ms": 50, "seed": 7,
 "faults": [{"kind": "reset", "share": 0.05, "times": 1}, {"kind": "status", "code": 503}],
 "scripts": {"row-3": [{"kind": "hang"}, {"kind": "status", "code": 429, "retry_after_s": 2}]},
 "limit": {"per_second": 50, "burst": 10, "retry_after": true, "headers": true}}

Fault kinds:
    reset             RST before the reply
    cut               connection closed in mid-body
    hang              no answer, ever
    slow              a good answer in `pieces`, over `seconds`
    close_keepalive   a good answer, then the connection is closed, `seconds` later
    truncated_json    the first half of the answer, framed as if whole
    malformed         JSON's content type, but not JSON
    wrong_type        a page of HTML with status 200
    wrong_choices     `variant`: no_choices, empty, null_content, null_message, list
    raw               `body` as it is, one character a byte, with status 200 and `headers`
    status            `code` with `body` or the provider's own words for `error`; `headers`;
                      `retry_after_s` in the form `retry_after`: seconds, date, ms
    flood             a reply of `mib` MiB of JSON text that never comes to its end, with `code`;
                      `compressed`: by gzip, as a few KiB; an event stream where one is asked for
    stream_cut        an event stream cut in mid-event (without a stream: as cut)
    answer            a good answer with `message` laid over its message, and `finish_reason`;
                      `mended` in place of both where the request holds an answer already
    stream_error      an error event in mid-stream (without a stream: status 500)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

KINDS = frozenset(
    {
        *("reset", "cut", "hang", "slow", "close_keepalive", "status", "stream_cut"),
        *("stream_error", "answer", "truncated_json", "malformed", "wrong_type", "wrong_choices"),
        "flood",
        "raw",
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, towards a `share` of the rows, the first `times` (null: always)."""

    kind: str
    share: float = 1.0
    times: int | None = 1
    code: int = 500
    error: str | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None
    retry_after: str = "seconds"
    variant: str = "no_choices"
    seconds: float = 1.0
    pieces: int = 10
    message: dict[str, Any] = field(default_factory=dict)
    finish_reason: str = "stop"
    mended: dict[str, Any] | None = None
    mib: int = 16
    compressed: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}; known: {sorted(KINDS)}")

    @property
    def name(self) -> str:
        """The kind, with the code of a status."""
        return f"status-{self.code}" if self.kind == "status" else self.kind

    def hits(self, seed: int, row: str) -> bool:
        """Whether the row is one of this fault's share."""
        digest = blake2b(f"{seed}:{self.name}:{row}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.share * 2**64


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket; requests beyond get 429. `headers`: true, or "anthropic" for their names."""

    per_second: float
    burst: float = 1
    retry_after: bool = True
    retry_after_form: str = "seconds"
    headers: bool | str = False


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How the files and batches of batches.py behave."""

    form: str = "openai"
    """Or "together", "mistral" or "azure"."""
    offered: bool = True
    """Whether there is a batch API at all."""
    states: tuple[str, ...] = ("validating", "in_progress", "finalizing", "completed")
    hold: bool = False
    """Whether a batch stays as it is until it is moved."""
    done: int | None = None
    """How many of its rows have an answer in the end. None: all."""
    rows: dict[str, Any] = field(default_factory=dict)
    """Rows that do not end well: a status, or an `error` in place of a reply."""
    names_undone: bool = True
    """Whether the file of errors names the rows that were not come to."""
    null_counts: bool = False
    metadata: bool = True
    """Whether a batch keeps its metadata."""
    output_lag: int = 0
    """How many looks after the end the files are told of."""
    checks: int = 0
    """How many looks at an uploaded file pass until it is checked."""
    content_lag: int = 0
    """How often the file of answers is not there."""
    short: int = 0
    """How often only half of it is there."""
    room: int | None = None
    """How many batches are taken at once; those beyond are refused."""
    refuse: str = "failed"
    """How: as a batch that is `failed`, or by status "429"."""
    lose: dict[str, int] = field(default_factory=dict)
    """Steps such as "POST batches" of which the first replies are lost, done all the same."""
    line_edits: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By the number in a result's custom id, a pattern in its line and what is put there instead.
    Bytes of both stand for themselves, as in Latin-1.
    """
    no_last_newline: bool = False
    """Whether the files of results end without one."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Laid over all that is said of a batch."""
    forgotten: tuple[str, ...] = ()
    """Batches that the server does not know any more."""
    lists_forgotten: bool = False
    """Whether its lists still have them."""
    page: int = 100
    accounts: tuple[str, ...] = ("acme",)
    """Those at Fireworks that a key opens."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. `message` is laid over each answer's message, `events` replaces each stream."""

    latency_ms: float = 0
    seed: int = 0
    rows_by_seed: bool = False
    """Whether requests of a row with other seeds are of another row: `row-3 seed 7`."""
    faults: list[Fault] = field(default_factory=list)
    scripts: dict[str, list[Fault]] = field(default_factory=dict)
    limit: Limit | None = None
    gzip: bool = False
    headers: dict[str, str] = field(default_factory=dict)  # of good answers
    message: dict[str, Any] = field(default_factory=dict)
    finish_reason: str = "stop"
    answer_tokens: tuple[int, int] = (5, 5)
    """Fewest and most tokens that an answer counts as: by its request, at random."""
    events: list[Any] = field(default_factory=list)
    event_gap_ms: float = 0
    piece_bytes: int = 0
    refused_text: str | None = None
    """A request for embeddings is refused where one of its texts holds this."""
    models: list[str] = field(default_factory=lambda: ["oumi-tiny"])
    batch: BatchPlan = field(default_factory=BatchPlan)
    token_s: int = 3600  # how long the tokens of `/token` are good for

    def script(self, row: str) -> list[Fault]:
        """The faults that the row goes through, in order."""
        if row in self.scripts:
            return self.scripts[row]
        return [fault for fault in self.faults if fault.hits(self.seed, row)]

    def fault(self, row: str, number: int) -> Fault | None:
        """What the row's request `number`, from 0, meets."""
        if not self.faults and not self.scripts:
            return None
        for fault in self.script(row):
            if fault.times is None or number < fault.times:
                return fault
            number -= fault.times
        return None


def parse_plan(value: dict[str, Any]) -> Plan:
    """Raises TypeError or ValueError for what is no plan."""
    value = dict(value)
    value["faults"] = _faults(value.get("faults", []))
    value["scripts"] = {row: _faults(script) for row, script in value.get("scripts", {}).items()}
    if value.get("limit") is not None:
        value["limit"] = Limit(**value["limit"])
    value["batch"] = BatchPlan(**value.get("batch", {}))
    return Plan(**value)


def _faults(values: list[dict[str, Any]]) -> list[Fault]:
    return [Fault(**value) for value in values]
