"""A run that is looked at while it lasts: rows are read from the disk by their offsets, and its
figures follow what is recorded.
"""
