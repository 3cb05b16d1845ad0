"""Tables of answers: the input's columns, and beside them what was answered."""
