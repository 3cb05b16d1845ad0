"""How large a reply may be."""

MAX_REPLY_BYTES = 64 << 20
"""100,000 tokens take half a megabyte, and 50 with log-probabilities of five others at each."""
