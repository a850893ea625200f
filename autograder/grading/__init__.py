"""From a file that was handed in to a Result: read, rebuild, run, put to the hidden tests."""
