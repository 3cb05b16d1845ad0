"""Rows made of columns, in the formats that tables come in."""
