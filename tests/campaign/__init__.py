"""A fault campaign: many small runs and jobs to which everything happens at random moments.

    python -m tests.campaign --minutes 10 --seed 1 [--kind REMOTE]

Each round has a seed of its own, which is named where a promise was not kept: `--round SEED`
plays its choices again; the moments at which things happen are a little different each time.
What has to hold is in oracle.py: by what the server saw, what the journal held before and holds
now, and what lies on the disk. A kind of round is a module in kinds/.
"""
