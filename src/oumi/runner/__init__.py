"""The bulk runner: rows in, one value a row out, whatever engine answers."""
