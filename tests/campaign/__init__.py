"""A fault campaign: many small runs to which everything happens at random moments.

    python -m tests.campaign --minutes 10 --seed 1 [--kind REMOTE]

Each round has a seed of its own, which is printed where an oracle is broken: `--round SEED` plays
that round again. Its oracle is what the server has seen and what lies on the disk (oracle.py).
"""
