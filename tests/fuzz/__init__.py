"""Coverage-guided fuzzing of what reads text from outside; needs `pip install atheris`.

    python -m tests.fuzz rows -max_total_time=300

Targets: rows, settings, journal, chat, responses, anthropic, bedrock. An input breaks a target by
an exception that is not of oumi.errors, or by taking over a second. Options after the target are
libFuzzer's.
"""
