"""Marks a TRUSTED answer in this process: for the tests of the tests, never for a submission.

Arguments and results still cross the wire format, so that what passes here passes in the sandbox.
"""

import types
from collections.abc import Callable, Mapping
from typing import Any

from autograder import wire
from autograder.exercise import CaseResult, Exercise, NoAnswer, Outcome, Raised, Returned, mark


def run_locally(
    exercise: Exercise,
    answer: Callable[..., Any],
    seed: bytes,
    visible: Callable[[Any], None] | None = None,
) -> tuple[CaseResult, ...]:
    """Mark a TRUSTED answer in this process (tests, verify); values still cross the wire format.

    Globals of the answer that are named in ``given`` are replaced as they are in the sandbox.
    """

    def ask(
        source: str, args: tuple[Any, ...], given: Mapping[str, Callable[..., Any]], seconds: float
    ) -> Outcome:
        table: dict[int, Callable[..., Any]] = {}

        def register(function: Callable[..., Any]) -> int:
            table[len(table)] = function
            return len(table) - 1

        def proxy(number: int) -> Callable[..., Any]:
            return lambda *a: wire.unpack(wire.pack(table[number](*wire.unpack(wire.pack(a)))))

        namespace: dict[str, Any] = {}
        exec(source, namespace)
        arguments = wire.unpack(wire.pack(args, register), proxy)
        try:
            value = namespace["probe"](_with_globals(answer, given), *arguments)
            return Returned(wire.unpack(wire.pack(value)))
        except NotImplementedError:
            return NoAnswer("unsolved")
        except wire.WireError:
            return NoAnswer("malformed")
        except Exception as error:
            kinds = tuple(k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins")
            return Raised(kinds, str(error)[:200])

    return mark(exercise, ask, seed, visible)


def _with_globals(answer: Any, given: Mapping[str, Callable[..., Any]]) -> Any:
    if not given or not isinstance(answer, types.FunctionType):
        return answer
    copy = types.FunctionType(
        answer.__code__,
        {**answer.__globals__, **given},
        answer.__name__,
        answer.__defaults__,
        answer.__closure__,
    )
    copy.__kwdefaults__ = answer.__kwdefaults__
    return copy
