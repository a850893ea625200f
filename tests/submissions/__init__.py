"""Submissions that every release must survive, and the sample class made of them."""
