"""Data sets of labelled sentences and texts."""
