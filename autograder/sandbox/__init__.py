"""The wall: a process that runs what learners wrote, and what it sees, may use and says."""
