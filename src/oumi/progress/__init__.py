"""How the progress of a run is shown: a bar on a terminal or in a notebook, lines elsewhere."""
