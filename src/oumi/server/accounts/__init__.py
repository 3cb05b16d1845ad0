"""How much each key may ask, and what it has spent."""
