"""Right and wrong answers to every exercise, for `autograder verify` and the sample class."""
