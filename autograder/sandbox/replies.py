"""What the sandbox may say during a call of an answer: the outcome, or a call of a proxy.

All of it was decoded by `wire`, and nothing of it can be trusted.
"""

import builtins
from collections.abc import Callable
from typing import Any

from autograder.exercise import NoAnswer, Outcome, Raised, Returned
from autograder.sandbox import wire
from autograder.sandbox.outputs import clean_text

CALL_BYTES = 2**20
EXCEPTIONS = frozenset(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
)


def outcome_of(reply: dict[Any, Any]) -> Outcome:
    """Return the outcome that a reply tells; WireError if it tells none."""
    if "returned" in reply:
        return Returned(reply["returned"])
    if "raised" in reply:
        kinds, message = reply["raised"], reply.get("message")
        if type(kinds) is not list or type(message) is not str:
            raise wire.WireError("raised: a list of names and a message")
        known = tuple(kind for kind in kinds[:20] if type(kind) is str and kind in EXCEPTIONS)
        return Raised(known, clean_text(message[:200]))
    reason = reply.get("no")
    if type(reason) is not str or reason not in ("missing", "unsolved", "malformed", "policy"):
        raise wire.WireError("no such reply")
    return NoAnswer(reason)


def answer_to(reply: dict[Any, Any], table: list[Callable[..., Any]]) -> bytes:
    """Compute one call of a proxy; the function is ours, its arguments are the learner's."""
    number, args, keywords = reply.get("call"), reply.get("args"), reply.get("keywords")
    if type(number) is not int or not 0 <= number < len(table):
        raise wire.WireError("no such function")
    if (
        type(args) is not tuple
        or type(keywords) is not dict
        or any(type(k) is not str for k in keywords)
    ):
        raise wire.WireError("a call has a tuple and a dict")
    try:
        payload = wire.pack({"value": table[number](*args, **keywords)})
        if len(payload) > CALL_BYTES:
            raise ValueError("the result of this call is too large")
        return payload
    except Exception as error:
        known = next(k.__name__ for k in type(error).__mro__ if k.__name__ in EXCEPTIONS)
        return wire.pack({"error": (known, str(error)[:500])})
