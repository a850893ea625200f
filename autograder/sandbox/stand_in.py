"""Stand in the sandbox for a module of `llmcourse` that is hidden there.

Any name can be imported, and nothing is computed. A visible check accepts anything, prints nothing
and returns True, since the grader judges outside; `llmcourse.runtime.choose` then takes the
learner's own version. A function of the library raises RuntimeError when it is called. Each name is
a class, so that it can be used in an annotation, too.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

CHECKS = __name__.startswith("llmcourse.checks")


class CheckFailed(AssertionError):
    """What a failing check raises: nothing raises it here."""


def visible(check: Callable[[Any], None]) -> Any:
    """Return what stands in for a check that the learner wrote."""
    return __getattr__(check.__name__)


def _adopt(name: str, answer: Any) -> None:
    """Make what the learner passed to a check the answer, where only the stub has its name."""
    user = vars(sys.modules["__main__"])
    known = user.get(name)
    parts = vars(known).values() if isinstance(known, type) else [known]
    codes = [getattr(part, "__code__", None) for part in parts]
    if name not in user or any("your turn" in getattr(code, "co_consts", ()) for code in codes):
        user[name] = answer


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if "__path__" in globals():
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError:
            pass  # a name of the package itself

    def call(_: type, *args: Any, **keywords: Any) -> bool:
        if not CHECKS:
            raise RuntimeError(
                f"{__name__}.{name} is not there while this unit is graded: write it yourself"
            )
        if args and callable(args[0]):
            from llmcourse.runtime import remember

            remember(args[0], passed=True)
            _adopt(name, args[0])
        return True

    found = type(name, (), {"__new__": call, "__module__": __name__})
    globals()[name] = found
    return found
