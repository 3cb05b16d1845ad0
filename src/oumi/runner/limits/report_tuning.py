"""The tuned constants for the rate limits that a server reports; tuning.py has the others, and says
what their docstrings mean.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportTuning:
    """What header_pacer.py and header_trust.py do with reports."""

    bucket_signs: int = 3
    """Reports in a row whose reset moved away, until a limit is taken for a bucket. 1: a fixed
    window is mistaken for one when requests overtake each other on their way (refusals 0.2 to
    0.5 %); 10: no effect."""

    bucket_sign_interval_s: float = 0.1
    """Reports closer together are not compared: their difference is all rounding. 0.05 and 0.2: no
    effect."""

    bucket_drift_ratio: float = 0.25
    """A reset moved away if by more than this share of the time between the reports. 0.125 and
    0.5: no effect."""

    bucket_pace_ratio: float = 0.98
    """The pace, of what flows into a bucket, while its reserve is whole. 0.9: a share of 0.96
    instead of 1.01; 1.0: nothing is left for errors of measurement, though the simulated buckets
    bear it."""

    empty_bucket_pace_ratio: float = 0.5
    """The same where nothing is left; in between it is proportional. 0.1 and 0.9: no effect."""

    bucket_reserve_s: float = 2.0
    """The reserve that is kept in a bucket, in seconds of its inflow; half of the bucket at most.
    1 and 4: no effect."""

    bucket_drain_s: float = 60.0
    """What a bucket holds beyond its reserve is used up over this time. 30: a share of 1.03 in
    the first minute instead of 1.01; 120: no effect."""

    max_header_delay_s: float = 60.0
    """A report delays the next start by this at most: limits of a day reset in hours, and until
    then nothing would tell that they were raised. 30 and 120: no effect."""

    max_unproved_delay_s: float = 1.0
    """The same for a report of a server whose reports have not proved right: the price of finding
    out that they are wrong."""

    unproved_pace_ratio: float = 1.25
    """The pace, of what comes back, where nothing is said to be left and no report has proved right
    yet: a little more than what a right report allows, so that its server refuses soon."""

    proofs: int = 2
    """So many refusals just after a report that nothing was left prove reports right. 1: where 3 %
    are refused at random, one of 33 such reports holds all starts back for a minute."""

    max_distrust: int = 8
    """So many refusals, with no answer between them, it takes at most to believe reports again."""

    min_claim_s: float = 0.25
    """A report whose reset comes sooner says nothing that could be told from delays on the way."""

    max_claim_s: float = 10.0
    """A report is followed up for so long at most, then the next one is."""

    claim_ratio: float = 0.9
    """And for this share of the time to its reset: what is started later may arrive after it."""
