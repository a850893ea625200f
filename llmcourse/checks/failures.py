"""What stops a check: a property that does not hold, or an exception of the learner's code."""

import os
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

STUB = "your turn"  # what the released stub of an exercise says
LIBRARIES = tuple(
    os.path.join(path, "")
    for path in dict.fromkeys(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
)


class CheckFailed(AssertionError):
    """A property does not hold; the message is for the learner, the hint too, on a line of its own.

    `without_values` says the same with nothing in it that the learner's code returned or asked:
    the grader shows it, so that no hidden input can be smuggled out through a visible check.
    """

    def __init__(self, message: str, without_values: str | None = None, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.said, self.hint = message, hint
        plain = message if without_values is None else without_values
        self.without_values = f"{plain} {hint}".strip()


def fail(message: str, without_values: str | None = None, hint: str = "") -> NoReturn:
    """Stop the check; give the second form of the message if the first holds a learner's value."""
    raise CheckFailed(message, without_values, hint)


@contextmanager
def noted(hint: str, *words: str) -> Iterator[None]:
    """Add the hint to an exception of the learner's code, if its message holds one of the words
    (or none are given)."""
    try:
        yield
    except CheckFailed:
        raise
    except Exception as error:
        if is_stub(error) or (words and not any(word in str(error) for word in words)):
            raise
        raised = f"your code raised {type(error).__name__}."
        fail(f"your code raised {described(error)}.", raised, hint)


def is_stub(error: BaseException) -> bool:
    """Say whether an exception is that of an exercise not begun, not a library's or learner's."""
    if not isinstance(error, NotImplementedError) or error.args not in ((), (STUB,)):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return not (frames and frames[-1].filename.startswith(LIBRARIES))


def stub_called(answer: Any, error: BaseException) -> str | None:
    """Return the name of the stub, where the answer is no stub itself but calls one."""
    own = getattr(answer, "__qualname__", None)
    names = [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__)]
    mine = [name == own or name.startswith(f"{own}.") for name in names]
    return names[-1] if any(mine) and not mine[-1] else None


def described(error: BaseException) -> str:
    """Return `ZeroDivisionError: division by zero (line 3: return a / b)`, the line being the
    innermost."""
    said = str(error).strip()
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if "ipykernel" in frame.filename or "<ipython" in frame.filename
    ]
    return f"{text} (line {own[-1].lineno}: {own[-1].line})" if own and own[-1].line else text
