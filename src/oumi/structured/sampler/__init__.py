"""Schemas for samplers on this machine, which keep a part of JSON Schema.

What a sampler does not know is said in other keywords, where that accepts the same values. What is
left is left out for the sampler alone: each answer is validated against the whole schema.
"""
