"""Answers kept across runs, in one file that all runs of a user share."""
