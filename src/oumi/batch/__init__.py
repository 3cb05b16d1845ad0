"""Batch jobs: submitted now, answered in their own time, collected later."""
