"""Coverage-guided fuzzing of what reads text from outside; needs `pip install atheris`.

    python -m tests.fuzz --minutes 30                      all targets, for equal times
    python -m tests.fuzz rows [corpus folder] [options of libFuzzer]

An input breaks a target by an exception that callers are not told to expect, or by taking over a
second of the processor's time. It is written to a file `crash-…`; a test of its kind belongs
beside the tests of what it broke. Each target begins from seeds.py. test_seeds.py feeds those to
the targets without atheris.
"""
