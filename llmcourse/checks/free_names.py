"""Names that an answer takes from the notebook and that may be missing while it is graded.

Grading runs what a learner wrote and, of the demonstration cells, the imports and definitions: data
made in a demonstration is not there. So the check warns; it never changes a verdict for it.
"""

import ast
import builtins
import dis
import inspect
import linecache
import types
from collections.abc import Iterator
from typing import Any

PLAIN = (int, float, complex, str, bytes, type(None), type, types.ModuleType, types.GenericAlias)


def warning(answer: Any) -> str:
    """Return one line about the first names that are undefined, or data of another cell; else "".

    >>> def area(r):
    ...     return pi * r * r
    >>> warning(area)
    '`pi` is not defined: import it, or define it in the cell of `area`.'
    """
    undefined, data = [], []
    for name, function in _used(answer):
        names = function.__globals__
        if name in names:
            if _is_data(names[name]) and name not in _made_beside(function):
                data.append(name)
        elif not hasattr(builtins, name):
            undefined.append(name)
    mine = getattr(answer, "__name__", "your function")
    if undefined:
        said = ", ".join(f"`{name}`" for name in dict.fromkeys(undefined))
        verb, it = ("are", "them") if len(set(undefined)) > 1 else ("is", "it")
        return f"{said} {verb} not defined: import {it}, or define {it} in the cell of `{mine}`."
    if data:
        said = ", ".join(f"`{name}`" for name in dict.fromkeys(data))
        verb, it = ("are", "them") if len(set(data)) > 1 else ("is", "it")
        return (
            f"`{mine}` uses {said}, which {verb} data of another cell and may be missing when it "
            f"is graded: take {it} as an argument, or make {it} in the cell of `{mine}`."
        )
    return ""


def _used(answer: Any) -> Iterator[tuple[str, types.FunctionType]]:
    """Yield the global names that an answer and the notebook's functions it calls look up, each
    with a function that does."""
    todo, seen = list(_functions(answer)), set[int]()
    homes = {id(function.__globals__) for function in todo}
    while todo:
        function = todo.pop(0)
        if id(function.__code__) in seen or id(function.__globals__) not in homes:
            continue
        seen.add(id(function.__code__))
        for name in _global_names(function.__code__):
            yield name, function
            todo += _functions(function.__globals__.get(name))


def _functions(value: Any) -> list[types.FunctionType]:
    """Return the functions with Python code that a value is or, as a class, holds."""
    if isinstance(value, type):
        held = [getattr(v, "__func__", getattr(v, "fget", v)) for v in vars(value).values()]
        return [one for v in held for one in _functions(v) if not isinstance(v, type)]
    value = inspect.unwrap(value) if callable(value) else value
    return [value] if isinstance(value, types.FunctionType) else []


def _global_names(code: types.CodeType) -> Iterator[str]:
    made = {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_GLOBAL"}
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and instruction.argval not in made:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def _is_data(value: Any) -> bool:
    if isinstance(value, tuple | frozenset):
        return any(_is_data(item) for item in value)
    if isinstance(value, PLAIN):
        return False
    if callable(value) or type(value).__module__ == "typing":
        return False
    return not type(value).__module__.startswith("llmcourse.runtime")


def _made_beside(function: types.FunctionType) -> set[str]:
    """Return the names that the cell of a function binds at its top level."""
    source = "".join(linecache.getlines(function.__code__.co_filename))
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    whole = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.AsyncFunctionDef)
    todo, found = list[ast.AST](tree.body), set[str]()
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if not isinstance(node, whole):
            todo += ast.iter_child_nodes(node)
    return found
