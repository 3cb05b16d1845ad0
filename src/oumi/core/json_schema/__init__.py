"""JSON schemas in one normal form, whatever they were given as.

The normal form is a dict of draft 2020-12 without `$schema`, `$id` or anchors, in which each
reference is `#` or `#/$defs/NAME`. This package knows the language itself: its drafts, where
subschemas stand, and which schemas are too complex for any validator. What a certain API or
sampler accepts of it is in `oumi.structured.schema`.
"""
