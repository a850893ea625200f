"""See an answer that takes far longer on a long text than it needs to.

What is measured is processor time, and only against another version that has just done the same
work in the same process: a slow or busy machine slows both. Under grading the answer runs in a
sandbox, where this process cannot measure it, so nothing is asked and no points depend on it.
"""

import gc
import time
from collections.abc import Callable
from typing import Any

from llmcourse.checks.calls import learners
from llmcourse.checks.endless import TookTooLong, ended_after
from llmcourse.checks.failures import fail

TRIES = 2
STEP = 0.02  # seconds: in what steps the clocks of some systems count


def keeps_up(
    answer: Any, plain: Callable[..., Any], args: tuple[Any, ...], times: float, hint: str
) -> None:
    """Fail with the hint if the answer takes more than `times` as long as `plain` twice.

    plain: a version whose time is linear in the size of the arguments; neither may change them.
    """
    function = learners(answer)
    if function is None:
        return
    for _ in range(TRIES):
        begun = time.thread_time()
        plain(*args)
        allowed = times * max(STEP, time.thread_time() - begun)
        try:
            with ended_after(allowed):
                function(*args)
            return
        except TookTooLong:
            gc.collect()
    answer.note(args)
    said = f"on a long input your code takes more than {times:g} times as long as it needs."
    fail(said, hint=hint)
