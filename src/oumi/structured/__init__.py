"""Response schemas: one normal form, and whether an answer fits."""
