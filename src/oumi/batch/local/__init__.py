"""Batch jobs that this machine works off, for engines without a batch API."""
