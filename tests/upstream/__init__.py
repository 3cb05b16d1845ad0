"""What of the upstream library's guide and configs works here: `python -m tests.upstream CHECKOUT`.

It reads a checkout and keeps nothing of it. Counted are the Python blocks of the guide on inference
that run as they stand, and the YAML files for inference that the engine which they name accepts.
"""
