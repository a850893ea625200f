"""The tests of the tests: right and wrong answers, mutants and many secrets."""
