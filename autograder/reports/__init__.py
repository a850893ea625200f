"""What the scores of a class say: the analysis, a table for terminals, a page."""
