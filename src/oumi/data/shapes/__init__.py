"""From the columns of a row to a conversation: shapes that are known, templates, settings."""
