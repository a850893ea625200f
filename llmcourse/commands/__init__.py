"""What people type: check, progress, and the run of notebooks with its report."""
