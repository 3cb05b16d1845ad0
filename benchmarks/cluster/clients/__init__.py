"""The libraries that are compared. What they share needs nothing but Python."""
