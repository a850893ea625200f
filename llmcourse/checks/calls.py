"""Remember the last call of an answer, and write it so that a learner can run it.

A value that no short text makes again (a network's parameters) is kept instead: the check has it as
`args`, so the call reads `gru_cell(*check.gru_cell.args)`.
"""

import copy
import inspect
import math
import traceback
import types
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

METHOD = "__method__"  # the argument by which a class in the sandbox is asked for a method
LONGEST = 160  # characters of a written argument list
ITEMS = 60  # that a written container or array may hold


class Spelled:
    """A function given to an answer, made from the text that a learner is shown for it.

    `asked` holds the arguments of its calls as they were.
    """

    def __init__(self, text: str, **names: Any) -> None:
        self.written, self.function = text, eval(text, dict(names))
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        bound = inspect.signature(self.function).bind(*args, **keywords) if keywords else None
        self.asked.append(tuple(copy.copy(arg) for arg in (bound.args if bound else args)))
        return self.function(*args, **keywords)


class Recorded:
    """A stand-in for a learner's function or class that remembers its last call.

    `args` are the arguments as they were before the call; of a method, those that its object was
    made from, and then those of the method.
    """

    def __init__(self, answer: Any, name: str) -> None:
        self.answer, self.name = answer, name
        self.args: tuple[Any, ...] = ()
        self.last = ""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        method, rest = keywords.pop(METHOD, ("", ()))
        self.note(args, keywords, method, rest)
        if method:
            result = getattr(self.answer(*args, **keywords), method)(*rest)
        else:
            result = self.answer(*args, **keywords)
        # as when it crosses from the sandbox
        return list(result) if isinstance(result, types.GeneratorType) else result

    def note(
        self, args: Any, keywords: Mapping[str, Any] | None = None, method: str = "", rest: Any = ()
    ) -> None:
        """Remember a call that is about to be made."""
        given = _arguments(_defaulted(self.answer, len(args)), args, keywords or {})
        inner = _arguments([], rest, {})
        kept, place = (*args, *rest) if given is None or inner is None else (), "args"
        self.args = _copied(kept)
        if given is None:
            given = f"*check.{self.name}.{place}" + (f"[:{len(args)}]" if rest else "")
        if inner is None:
            inner = f"*check.{self.name}.{place}[{len(args)}:]"
        self.last = f"{self.name}({given})" + (f".{method}({inner})" if method else "")


def in_answer(error: BaseException) -> bool:
    """Say whether an exception came out of a call of the answer, not from the check around it."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return Recorded.__call__.__code__ in codes


def learners(answer: Any) -> Callable[..., Any] | None:
    """Return the learner's own function where it is called in this process, None under grading."""
    return answer.answer if isinstance(answer, Recorded) else None


def written(value: Any) -> str | None:
    """Return Python text that makes the value, or None where it would be long or cannot be written.

    >>> written({(0, 1): 3, "b": [float("inf"), None]})
    "{(0, 1): 3, 'b': [math.inf, None]}"
    >>> import numpy as np
    >>> written(np.array([[1.0, 2.5]], dtype=np.float32))
    'np.array([[1.0, 2.5]], dtype=np.float32)'
    """
    text = _written(value)
    return text if text is not None and len(text) <= LONGEST else None


def _written(value: Any) -> str | None:
    kind = type(value)
    if hasattr(value, "shape") and hasattr(value, "tolist"):
        return _array(value)
    if isinstance(getattr(value, "written", None), str):
        return str(value.written)
    if kind is float:
        special = {math.inf: "math.inf", -math.inf: "-math.inf"}
        return "math.nan" if math.isnan(value) else special.get(value, repr(value))
    if value is None or kind in (bool, int, str, bytes):
        return repr(value) if kind is not str or len(value) <= LONGEST else None
    if getattr(value, "__module__", "") == "builtins":
        return str(value.__name__)
    if kind not in (list, tuple, set, frozenset, dict, Counter) or len(value) > ITEMS:
        return None
    if isinstance(value, Mapping):
        pairs = [(_written(key), _written(item)) for key, item in value.items()]
        if any(key is None or item is None for key, item in pairs):
            return None
        inner = "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
        return f"Counter({inner})" if kind is Counter else inner
    items = [
        _written(item) for item in (value if kind in (list, tuple) else sorted(value, key=repr))
    ]
    if any(item is None for item in items):
        return None
    inner = ", ".join(item for item in items if item is not None)
    if kind is list:
        return f"[{inner}]"
    if kind is tuple:
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    whole = f"{{{inner}}}" if value else "set()"
    return f"frozenset({whole})" if kind is frozenset else whole


def _array(value: Any) -> str | None:
    library = type(value).__module__.split(".")[0]
    make = {"numpy": "np.array", "torch": "torch.tensor"}.get(library)
    if make is None or math.prod(value.shape) > ITEMS:
        return None
    dtype = str(value.dtype).removeprefix("torch.")
    usual = dtype in ("int64", "bool", "float64" if library == "numpy" else "float32")
    prefix = "np" if library == "numpy" else "torch"
    if 0 in value.shape:
        return f"{prefix}.zeros({tuple(value.shape)})"
    text = _written(value.tolist())
    if text is None or not value.shape:
        return None if text is None else f"{prefix}.{dtype}({text})" if prefix == "np" else None
    return f"{make}({text})" if usual else f"{make}({text}, dtype={prefix}.{dtype})"


def _arguments(defaulted: Any, args: Any, keywords: Mapping[str, Any]) -> str | None:
    """Return the argument list as text; arguments that have a default are given by name."""
    named = dict(defaulted)
    parts = []
    for index, value in enumerate(args):
        text = written(value)
        if text is None:
            return None
        parts.append(f"{named[index]}={text}" if index in named else text)
    for name, value in keywords.items():
        text = written(value)
        if text is None:
            return None
        parts.append(f"{name}={text}")
    whole = ", ".join(parts)
    return whole if len(whole) <= LONGEST else None


def _defaulted(answer: Any, count: int) -> list[tuple[int, str]]:
    """Return (index, name) of the first `count` parameters that have a default."""
    try:
        parameters = list(inspect.signature(answer).parameters.values())[:count]
    except (TypeError, ValueError):
        return []
    if any(p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) for p in parameters):
        return []
    return [(i, p.name) for i, p in enumerate(parameters) if p.default is not p.empty]


def _copied(values: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        return copy.deepcopy(values)
    except Exception:  # what cannot be copied (an iterator in use) is kept as it is
        return values
