"""The verdict of a visible check: run it, remember whether the answer passed, and show it once.

In a notebook a verdict is a box with a mark; anywhere else, and in what a notebook stores as text,
it is lines: what came, the hint, the failing call as code that can be run, a note.
"""

import functools
import html
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmcourse.checks import free_names
from llmcourse.checks.calls import Recorded, in_answer
from llmcourse.checks.endless import SECONDS, TookTooLong, ended_after
from llmcourse.checks.failures import CheckFailed, described, is_stub, stub_called
from llmcourse.runtime import remember

ENDLESS = f"your code had not ended after {SECONDS:g} seconds of work."
ENDLESS_HINT = "is there a loop that never ends?"


@dataclass(frozen=True)
class Verdict:
    """What a learner is told about one answer."""

    name: str
    state: str  # passed, not solved yet, not right yet
    said: str = ""
    hint: str = ""
    call: str = ""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer has every property that the check looks at."""
        return self.state == "passed"

    def text(self) -> str:
        """Return the verdict as lines for a terminal.

        >>> print(Verdict("mean", "not right yet", "expected 2, got 4.", "divide by n.").text())
        mean: not right yet. expected 2, got 4.
          hint: divide by n.
        """
        head = f"{self.name}: {self.state}{f'. {self.said}' if self.said else ''}"
        rest = (("hint", self.hint), ("call", self.call), ("note", self.note))
        return "\n".join([head, *(f"  {what}: {told}" for what, told in rest if told)])

    def page(self) -> str:
        """Return the verdict as HTML, in the colours of JupyterLab's theme where there is one."""
        mark, colour = MARKS[self.state]
        said = f". {_escaped(self.said)}" if self.said else ""
        lines = [f"<strong style='color:{colour}'>{mark}</strong> "
                 f"<strong>{_escaped(self.name)}</strong>: {self.state}{said}"]  # fmt: skip
        lines += [f"<em>Hint:</em> {_escaped(self.hint)}"] if self.hint else []
        lines += [f"<em>Call:</em> <code style='{CODE}'>{_escaped(self.call)}</code>"] * bool(
            self.call
        )
        lines += [f"<em>Note:</em> {_escaped(self.note)}"] if self.note else []
        body = "".join(f"<div style='margin:0.15em 0'>{line}</div>" for line in lines)
        return f"<div style='{BOX};border-left:4px solid {colour}'>{body}</div>"


GREEN, RED = "var(--jp-success-color1,#2e8b57)", "var(--jp-error-color1,#d9433f)"
GREY = "var(--jp-ui-font-color3,#888)"
MARKS = {
    "passed": ("&#10003;", GREEN),
    "not right yet": ("&#10007;", RED),
    "not solved yet": ("&#9675;", GREY),
}
BOX = (
    "padding:0.2em 0.8em;max-width:60em;white-space:pre-wrap;overflow-wrap:anywhere;"
    "font-family:var(--jp-content-font-family,sans-serif);line-height:1.45"
)
CODE = "background:transparent;color:inherit;white-space:pre-wrap;overflow-wrap:anywhere"


def _escaped(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode())


def visible(check: Callable[[Any], None]) -> Callable[[Any], bool]:
    """Make a check of it: shows one verdict, returns whether the answer passed.

    Under nbgrader (NBGRADER_VALIDATING or NBGRADER_EXECUTION is set) a failure raises instead, so
    that its Validate button works. The undecorated check stays reachable as `__wrapped__`: the
    grader runs that, so limits of time, warnings and the failing call are for the learner alone.
    """

    @functools.wraps(check)
    def verdict(answer: Any) -> bool:
        asked = Recorded(answer, check.__name__)
        told = _judged(check, answer, asked)
        verdict.args = asked.args  # type: ignore[attr-defined]
        remember(answer, told.passed)
        graded = os.environ.get("NBGRADER_VALIDATING") or os.environ.get("NBGRADER_EXECUTION")
        if graded and not told.passed:
            raise CheckFailed(told.text())
        _show(told)
        return told.passed

    return verdict


def _judged(check: Callable[[Any], None], answer: Any, asked: Recorded) -> Verdict:
    name, state, said, hint = check.__name__, "not right yet", "", ""
    try:
        with ended_after():
            check(asked)
        state = "passed"
    except CheckFailed as failure:
        said, hint = failure.said, failure.hint
    except TookTooLong:
        said, hint = ENDLESS, ENDLESS_HINT
    except Exception as error:
        if is_stub(error):
            called = stub_called(answer, error)
            if called is None:
                return Verdict(name, "not solved yet")
            state, said = "not solved yet", f"it calls {called}, which is not solved yet."
        elif in_answer(error):
            said = f"your code raised {described(error)}"
        else:  # the check stumbled over what came back
            said = f"the result does not have the expected form ({described(error)})"
    note = "" if state == "not solved yet" else free_names.warning(answer)
    return Verdict(name, state, said, hint, "" if state != "not right yet" else asked.last, note)


def _show(told: Verdict) -> None:
    """Show it as a box in a notebook, else as lines."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:
        print(told.text().encode("utf-8", "replace").decode())
        return
    from IPython.display import display

    display({"text/plain": told.text(), "text/html": told.page()}, raw=True)
