"""The second language: its words, what its sentences say, the parallel text."""
