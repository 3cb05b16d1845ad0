"""Engines whose model runs on this machine."""
