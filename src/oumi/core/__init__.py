"""Settings and types that all other packages share."""
