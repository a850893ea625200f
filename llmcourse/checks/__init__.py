"""Visible checks: what a learner runs under each exercise, and the tools to write them.

A check calls the learner's function and looks at plain results, easiest property first. It stops at
the first failure and says what was expected, what came, and what the likely cause is. The grader
runs the same check from outside the sandbox, with an `answer` that calls into it.

    @visible
    def perplexity(answer):
        got = number(answer([math.log(0.5)] * 3), "perplexity")
        diagnosed(got, 2.0, "exp of minus the mean.", Mistake(8.0, "The mean is over the tokens."))
"""

from llmcourse.checks.calls import METHOD, Spelled
from llmcourse.checks.comparison import Mismatch, compare, kind_of
from llmcourse.checks.expectations import (
    NOTHING,
    Mistake,
    attempt,
    diagnosed,
    equal,
    items,
    method,
    near,
    number,
    raises,
    unchanged,
)  # fmt: skip
from llmcourse.checks.failures import CheckFailed, fail, noted
from llmcourse.checks.growth import keeps_up
from llmcourse.checks.impostors import Bounds, Implementation, Refused, tells_apart
from llmcourse.checks.outcome import visible

__all__ = [
    "METHOD", "NOTHING", "Bounds", "CheckFailed", "Implementation", "Mismatch", "Mistake",
    "Refused", "Spelled", "attempt", "compare", "diagnosed", "equal", "fail", "items", "keeps_up",
    "kind_of", "method", "near", "noted", "number", "raises", "tells_apart", "unchanged",
    "visible",
]  # fmt: skip
