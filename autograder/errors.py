"""Errors the autograder shows to a person: one line with what was expected, what came, and what to
do.

The command line prints `str(error)` on stderr and exits 1; no traceback is shown for any of these.
"""


class AutograderError(Exception):
    """A failure with a message for a person: one line, expected, got, remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class SandboxUnavailable(AutograderError):
    """Isolation cannot be had on this machine; grading refuses to run without it."""


class SandboxFailed(AutograderError):
    """A sandbox that should have started did not: an infrastructure error, never a zero."""


class Unreadable(AutograderError):
    """A submission that is not a notebook we can read: reported, graded by nobody."""
