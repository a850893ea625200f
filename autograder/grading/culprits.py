"""Which cell to leave out when a sandbox was lost: the one that ran, or one that left a trap.

A thread, a timer or a hook of one cell can end the process while another cell runs, or after the
last. So cells that left something running are suspected first. If leaving such a cell out changes
nothing, it is cleared and runs again.
"""

from autograder.sandbox.session import Lost


class Culprits:
    """Cells of a notebook by their index; `dropped` are left out, with what they did."""

    def __init__(self) -> None:
        self.dropped: dict[int, Lost] = {}
        self.searching = False  # whether a fork is tried after each cell
        self._left: list[int] = []  # cells of this run that left something running
        self._cleared: set[int] = set()
        self._doubt: tuple[int, int | None] | None = None  # who was dropped for a loss, and where

    def begin(self) -> None:
        """Begin a new run of the notebook."""
        self._left = []

    def left_something(self, index: int) -> None:
        """Note that a cell ended and left something running."""
        self._left.append(index)

    def of(self, at: int | None) -> int | None:
        """Return the cell to leave out for a loss during cell `at`, or after the last one (None).

        After the last one it may be unknown: None.
        """
        if self.searching:
            return at
        if self._doubt is not None and self._doubt[1] == at:
            innocent = self._doubt[0]
            self.dropped.pop(innocent, None)
            self._cleared.add(innocent)
        known = {*self._cleared, *self.dropped}
        suspect = next((index for index in reversed(self._left) if index not in known), None)
        self._doubt = None if suspect is None else (suspect, at)
        return at if suspect is None else suspect
