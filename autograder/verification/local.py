"""Mark a TRUSTED answer in this process: for the tests of the tests, never for a submission.

Arguments and results are converted as the wire would, so that an answer that passes here passes in
the sandbox.
"""

import contextlib
import functools
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autograder.exercise import CaseResult, Exercise, NoAnswer, Outcome, Raised, Returned, mark
from autograder.sandbox import wire
from autograder.sandbox.runner import STUB
from llmcourse.checks import Refused

PLAIN = frozenset((float, str, bool, bytes, int, type(None)))  # what is the same at both ends


def run_locally(
    exercise: Exercise,
    answer: Callable[..., Any],
    seed: bytes,
    visible: Callable[[Any], None] | None = None,
) -> tuple[CaseResult, ...]:
    """Mark a TRUSTED answer in this process (tests, verify).

    Globals of the answer that are named in `given` are replaced as they are in the sandbox.
    """
    return mark(exercise, functools.partial(ask, answer), seed, visible)


def ask(
    answer: Callable[..., Any],
    source: str,
    args: tuple[Any, ...],
    given: Mapping[str, Callable[..., Any]],
    seconds: float,
    fresh: bool = False,
) -> Outcome:
    """Return the outcome of one call of a TRUSTED answer through a probe, without a time limit.

    fresh: changes nothing here.
    """
    arguments = sent(args, functions=True)
    try:
        with _with_globals(answer, given):
            return Returned(sent(_probe(source)(answer, *arguments)))
    except (wire.WireError, Refused):
        return NoAnswer("malformed")
    except Exception as error:
        if type(error) is NotImplementedError and error.args in STUB:
            return NoAnswer("unsolved")
        kinds = tuple(k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins")
        return Raised(kinds, str(error)[:200])


def sent(value: Any, functions: bool = False) -> Any:
    """Return a value as it arrives at the other end of a wire, without limits of size.

    Plain types are copied, which is faster; all others go through the bytes of `wire`. functions:
    they arrive as proxies, as the learner's code gets them; else they are opaque.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    try:
        if kind is tuple or kind is list:
            if PLAIN.issuperset(map(type, value)):
                return kind(value)
            return kind([sent(entry, functions) for entry in value])
        if kind is dict:
            keys = value if PLAIN.issuperset(map(type, value)) else map(sent, value)
            return dict(zip(keys, sent([*value.values()], functions), strict=True))
    except RecursionError:
        raise wire.WireError("nested too deep") from None
    if not functions:
        return wire.unpack(wire.pack(value))
    table: list[Callable[..., Any]] = []

    def register(function: Callable[..., Any]) -> int:
        table.append(function)
        return len(table) - 1

    return wire.unpack(wire.pack(value, register), lambda number: _proxy(table[number]))


def _proxy(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        args, keywords = sent((args, keywords))
        return sent(function(*args, **keywords))

    return call


@functools.cache
def _probe(source: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace["probe"]


@contextlib.contextmanager
def _with_globals(answer: Any, given: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    names = _globals(answer) if given else {}
    before = {name: names[name] for name in given if name in names}
    names.update(given)
    try:
        yield
    finally:
        for name in given:
            del names[name]
        names.update(before)


def _globals(answer: Any) -> dict[str, Any]:
    """Return where a function, or the first method of a class, looks its names up."""
    if isinstance(answer, functools.partial):
        return _globals(answer.func)
    if isinstance(answer, types.MethodType):
        return _globals(answer.__func__)
    if isinstance(answer, types.FunctionType):
        return answer.__globals__
    kind = answer if isinstance(answer, type) else type(answer)
    found = (getattr(value, "__func__", value) for value in vars(kind).values())
    methods = [value for value in found if isinstance(value, types.FunctionType)]
    return methods[0].__globals__ if methods else {}
