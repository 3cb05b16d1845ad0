"""Transformers inside this process."""
