"""Backends whose model runs on this machine."""
