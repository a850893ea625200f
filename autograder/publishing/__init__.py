"""From the source of a unit to what learners get: build, release, bundle."""
