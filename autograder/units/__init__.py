"""Hidden tests, one module a unit. Never shipped to learners and never visible to a submission."""
