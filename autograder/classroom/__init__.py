"""A class: what was handed in and when, the gradebook, feedback pages, exports."""
