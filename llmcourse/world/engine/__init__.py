"""Grammars, exact sampling, spelling and splits: nothing here knows what the world is about."""
