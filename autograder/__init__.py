"""Grading that a submission cannot forge: release, sandbox, hidden tests, gradebook, reports."""
