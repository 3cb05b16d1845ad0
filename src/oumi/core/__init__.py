"""Values that every other room shares: settings and types."""
