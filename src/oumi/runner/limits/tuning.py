"""The tuned constants of the limiter: what each one does, and what another value does. Those that
concern what a server reports are in report_tuning.py.

None of them is a promise; those stand at the top of limiter.py. They were chosen by running the
limiter against the servers of tests/runner/simulation.py. Then each was varied alone, and its
docstring says what changed in two figures: the share, that part of what a server bears which is
used after the first 10 s, and the refusals, in percent of all requests. With the values in use,
over ten runs with their standard deviation:

    server        what it bears                            share          refusals
    plain         50 a second, 10 at once, 200 ms          0.99 ± 0.01    0.45 ± 0.04 %
    retry-after   the same, with Retry-After of 1 s        0.98 ± 0.01    0.27 ± 0.01 %
    slow          the same as plain, 1 s                   0.98 ± 0.01    0.35 ± 0.03 %
    fast          the same as plain, 20 ms                 0.90 ± 0.04    0.81 ± 0.02 %
    large         500 a second, 100 at once                1.00 ± 0.01    1.43 ± 0.27 %
    tight         10 a second, 1 at once                   0.70 ± 0.06    1.95 ± 0.04 %
    eight         8 requests in flight                     0.89 ± 0.01    0.50 ± 0.00 %
    outage        anything, but nothing from 10 to 20 s    200 a second again after 17 s
    random        refuses 5 % whatever the rate            20,000 requests in 40 s (20 to 50)

"No effect" is a change that a repetition may bring too: within two standard deviations of the
mean of the runs, mostly two, that were made with the other value.
"""

from __future__ import annotations

from dataclasses import dataclass

from oumi.runner.limits.report_tuning import ReportTuning


@dataclass(frozen=True, slots=True)
class Tuning(ReportTuning):
    """The constants, grouped by what they steer. `level` is a window or a rate, in its unit."""

    # Slow start: adaptive.py and latency_probe.py

    initial_window_requests: int = 16
    """Requests in flight at first, and the replies that a round has at least. 64 floods servers
    that are tight from the start (retry-after: share 0.40, refusals 4.4 %); with 4 the rate is
    measured over too short a rise (slow: share 0.76)."""

    max_latency_ratio: float = 3.0
    """Replies are fast up to this multiple of the best round's mean latency. It sets how deep a
    queue at a server without limits gets: with 1.5, 3 and 6, slow start ended at 128, 256 and 512
    in flight, at the same throughput. Other servers: no effect."""

    min_rate_growth_ratio: float = 1.1
    """Replies also count as fast while a round brings this many times the replies a second of the
    best one. With 1.0 chance alone is growth: 1,472 in flight at a server with a queue. 1.5: no
    effect."""

    best_round_decay_ratio: float = 0.02
    """By so much the best round counts for less with each round, so that a server which has become
    slower for good is measured anew. 0: no effect; 0.1: twice as many in flight at a server with
    a queue."""

    latency_smoothing_ratio: float = 0.1
    """The weight of the newest reply in the smoothed latency (1/8 in TCP: RFC 6298). 0.02 and 0.5:
    no effect."""

    # Reaction to congestion: adaptive.py

    window_decrease_ratio: float = 0.8
    """The window after congestion, of the one that failed (0.7 in RFC 9438). 0.5 and 0.9: no
    effect."""

    max_window_decrease_ratio: float = 0.95
    """Where the rate needs a larger window than `window_decrease_ratio` leaves, it is kept up to
    this share of the one that failed. 0.8 (never) and 1.0: no effect."""

    min_failed_window_requests: float = 1.6
    """A failed window counts as at least this, so that the plateau is 1 where a single request
    failed. With 3.0 it is above 1, and a server that bears one at a time is refused half of all
    requests (tight: 50 %). 1.0: no effect."""

    rate_decrease_ratio: float = 0.93
    """The rate after congestion, of the one that failed. It is nearer to 1 than the window's since
    the rate that failed is measured. 0.7: less is used (eight: share 0.87, large: 0.98); 0.85: no
    effect; 0.97: more refusals at slow servers (slow: 0.46 %)."""

    rate_sample_starts: int = 20
    """Starts that a measurement of the rate takes at least. 10: a share of 0.92 for eight, but 0.83
    for fast; 40: 0.99 for fast, but 0.97 for plain and 0.64 for tight."""

    window_headroom_ratio: float = 1.25
    """After congestion the window is at most this multiple of what was in flight, since only what
    was nearly used is known to be borne. 1.0 and 2.0: no effect."""

    max_round_trip_s: float = 1.0
    """The longest that a round trip is taken to last, so that replies of minutes do not make the
    limiter deaf for minutes after a reduction. 0.5 and 2.0: no effect."""

    pacing_gain_ratio: float = 2.0
    """Once reduced, starts are no faster than this multiple of window / latency, so that a window
    is not sent in one burst. No pacing: less is used of slow servers (slow: share 0.76 to 0.96). 1
    and 1.25: no effect."""

    # Growth after congestion: cubic.py

    plateau_ratio: float = 0.97
    """The level at which growth flattens, of the one that failed. 1.0: more refusals where the
    level is large (large: 2.3 %); 0.9: less is used (slow: share 0.95, eight: 0.85)."""

    min_plateau_gap: float = 0.6
    """The plateau is at least this far below the level that failed: more than a half, so that a
    window of a few requests is smaller by one when rounded. 0: a server that bears one or two
    refuses again and again (tight: 25 %, fast: 14 %); 1.5: less is used (slow: share 0.96)."""

    min_level: float = 0.6
    """No level falls below this: as a window it rounds to 1, as a rate it is a start in 1.7 s. 0.1
    and 1.0: no effect."""

    plateau_after_s: float = 5.0
    """The time from a reduction back to the plateau (K in RFC 9438). 2.5: overloads come sooner
    again (plain: refusals 4.2 %, large: 3.1 %); 10: back too slowly (slow: share 0.95)."""

    growth_per_s3: float = 0.0001
    """The steepness of the curve (C in RFC 9438): the logarithm of the level grows by this times
    the cube of the seconds since the plateau, 1 % after 4.6 s and a tenth after 10 s. A third of
    it: slow to find more (slow: share 0.92, outage: 62 s); three times: slightly more refusals
    (fast: 0.87 %, slow: share 0.97), outage 8 s."""

    max_curve_s: float = 20.0
    """After this the level goes on growing as steeply as then (12 % a second), lest a cube explode.
    10 (3 % a second): outage 73 s, slow: share 0.93; 40: outage 11 s, else no effect."""

    max_level: float = 1e6
    """Keeps a level that grows for hours from overflowing. 1,000 and 1e9: no effect."""

    slow_start_exit_speed_ratio: float = 2.3
    """Time counts this much faster after slow start, whose last window is a guess. 1.0: slow to
    correct the guess (slow: share 0.85); 5.0: more refusals (plain: 2.2 %, large: 2.3 %)."""

    growth_interval_s: float = 0.02
    """Growth is worked out at most this often, as replies can come thousands a second. 0: no effect
    but for CPU time; 0.2: coarse steps (fast: refusals 1.0 %)."""

    max_growth_step_s: float = 1.0
    """A longer time without replies counts as this much growth only, as nobody tried the level
    meanwhile. 0.2: less is used at slow servers (slow: share 0.94); 5.0: no effect."""

    # Return from an outage: cubic.py

    outage_level_ratio: float = 0.5
    """Below this share of the best level of late, growth is fast. 0.25: outage 27 s; 0.8: an
    ordinary reduction counts as an outage (plain: refusals 2.1 %, tight: 10.7 %)."""

    outage_speed_ratio: float = 8.0
    """How much faster that is. 1 (no faster): outage 79 s, but fewer refusals where the level is
    small (fast: 0.6 %, tight: 1.5 %); 3: outage 37 s; 20: 10 s, with more refusals (tight: 2.2
    %)."""

    best_level_memory_s: float = 40.0
    """The best level fades with this time constant. 20: outage 20 s; 80: 15 s; else no effect."""

    best_level_decay_ratio: float = 0.8
    """Each reduction lowers the best level to this share, since it was not borne after all. 0.5: no
    effect; 0.95: more refusals (tight: 2.7 %)."""

    min_growth_s: float = 0.5
    """A reduction within this time of the last one leaves the best level as it is: growth has not
    tried anything yet. 0.25 and 1.0: no effect."""

    # Pauses that a server asks for: granted_rate.py and adaptive.py
    # windows: the mean share of windows of a second, 20 to 200 a second, Retry-After of 1 s
    # bucket: 50 a second, 10 at once, Retry-After of 1 s, refusals as late as answers

    granted_ratio: float = 0.985
    """The pace, of what is granted: what may be lost to late timers and bunched arrivals. 0.99:
    windows are refused more often (share 0.95), 0.98: less of a bucket (share 0.95)."""

    search_doubling_s: float = 1.0
    """While nothing is known, the rate doubles in this time and a round trip. 0.5: it fails too far
    above a limit to measure it (large buckets: share 0.87); 2.0: found late (bucket: 0.91)."""

    steady_pace_ratio: float = 0.9
    """What was started at less than this share of the pace that failed is no measure of it. 0.95:
    measured over too few starts (bucket: share 0.96 instead of 0.98); 0.98: 0.91."""

    wide_grant_gap: float = 0.1
    """Where what is granted is not known better than this, the pace is set to the middle, and its
    next refusal tells more. 0.2: time is spent at too low a pace (bucket: share 0.94); 0.05: no
    effect."""

    gap_pauses: float = 4.0
    """The price of a try, in pauses: a higher pace is tried once the lower one has cost as much. 2:
    the tries cost more (bucket: share 0.94); 8: no effect."""

    min_grant_gap: float = 0.02
    """The gap counts as this at least: after 200 pauses, the rate is tried again. 0.01 and 0.04: no
    effect."""

    max_grant_wait_s: float = 600.0
    """It is tried after this in any case, as a limit may have been raised."""

    far_probe_ratio: float = 1.2
    """A rate that fails so far above what was taken for granted had been measured wrongly, and is
    measured anew (without it, 50 in flight with Retry-After of 1 s: share 0.78, not 0.86)."""

    max_chance_share: float = 0.2
    """After its first refusal, a server that has a limit takes at most so many of those that were
    on their way. Where it takes more, it refuses by chance (chaos: 14 s for 3,000 requests instead
    of 30 to 60)."""

    # Overloads that are not caused by this client: background_errors.py
    # random 3 %: 60 a second are taken, and 3 % refused at random besides
    # chaos: 3 % are refused at random with Retry-After of 1 s, and reports that nothing is left

    background_memory_requests: int = 200
    """After so many requests, the older half of them weighs half."""

    background_deviations: float = 2.5
    """Overloads are more than the background by so many standard deviations. With 3 and more, a
    limit is noticed late; with 2, chance reduces the limits twice a minute."""

    background_rate_ratio: float = 0.8
    """An overload at a pace below this share of those that failed is put to a test: four ordinary
    reductions below. Where the pace is not asked, only the time between two reductions, ordinary
    overloads are tested as well (plain: refusals 2.5 %)."""

    failed_rate_decay_ratio: float = 0.97
    """With each reduction the highest pace that failed fades to this share."""

    decisive_decrease_ratio: float = 0.7
    """How far down a test goes. The limit that caused an overload is not 30 % below it."""

    test_requests: int = 200
    """A test is passed once so many requests were started. With 3 % of refusals, 2 of 100 tests are
    passed wrongly; 12 of 100 with 120 requests."""

    outage_share: float = 0.5
    """Where more than this share is refused, nothing is held, as an outage may be over any time
    (1.0: one request a second for minutes after it)."""

    min_test_s: float = 1.0
    """A test that finds a background lasts at least so long. A server that counts a whole second,
    and takes a burst in it, refuses nothing at first at any pace."""

    background_overloads: int = 2
    """So many overloads in a test decide. 3: the share is known better, but tests take longer
    (chaos: a pace of 0.28 in one of three runs, and no fewer refusals elsewhere)."""

    max_background_share: float = 0.1
    """A larger share of overloads in a test is congestion. With 0.15 a descent from too high a rate
    looks like background (plain: refusals 16 % in one of two runs)."""

    first_background_share: float = 0.05
    """The share that a test finds counts as this at most, as it is known badly: what is too large
    hides congestion (random 3 %: refusals up to 18 %), what is too small is corrected soon."""

    background_weight_requests: int = 50
    """The share that is known weighs as much as so many requests, where it is measured anew."""

    min_background_share: float = 0.01
    """A smaller share counts as none: slowing down for it costs little."""

    # Timers: limiter.py and header_pacer.py

    catch_up_s: float = 0.005
    """A start up to this late does not delay those after it, for the rates that are not promises:
    about how late a timer of an event loop fires. 0 and 0.02: no effect in the simulation, whose
    timers are on time."""

    min_timer_s: float = 0.0005
    """No timer is shorter, and one that fires this much after the first start is due is left alone:
    less than an event loop can keep anyway."""


TUNING = Tuning()
"""The values in use."""
