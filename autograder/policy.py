"""Finds forbidden shortcuts by reading the learner's code: a finding for a person, not a proof.

An exercise forbids dotted names (`numpy.convolve`, `nltk`). What counts is the code its function
can reach: the definitions of its name, and the top-level definitions these mention, through any
cell. Followed are imports, aliases by assignment, `getattr`, `importlib.import_module`,
`__import__`, `sys.modules[...]`, `vars(...)[...]` and `__dict__[...]`, with strings put together
from constants. Not followed: names computed at run time, `exec` and `eval` of anything but a
constant.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

IMPORTERS = ("importlib.import_module", "import_module", "__import__", "builtins.__import__")
ALIASES = 200  # of one name; assigned beyond that, it keeps those
ROUNDS = 4  # of following aliases of aliases
NODES = 200_000  # of syntax in all cells; beyond, only the first are read


def forbidden_use(
    name: str,
    forbid: Sequence[str],
    cells: Iterable[str],
    known: Iterable[str],
    given: Iterable[str] = (),
) -> str | None:
    """The first forbidden dotted name that the definition of `name` can reach, or None.

    cells: source of the learner's code cells; known: source of released cells, for their imports
    only; given: names whose calls the grader answers, so nothing is reached through them.
    """
    if not forbid:
        return None
    learner = [statement for source in cells for statement in _statements(source)]
    imports = [s for source in known if "import" in source for s in _statements(source)]
    aliases = _aliases([*imports, *learner], forbid)
    for statement in _reachable(name, learner, given):
        for found in _mentioned(statement, aliases):
            for dotted in forbid:
                if found == dotted or found.startswith(dotted + "."):
                    return dotted
    return None


def _statements(source: str, deep: bool = True) -> list[ast.stmt]:
    """Top-level statements; lines with magics are left out, and text that does not parse is nothing
    that runs. What `exec("...")` and `eval("...")` would run is put in as their argument.
    """
    lines = source.split("\n")
    for text in (source, "\n".join("" if x.lstrip()[:1] in "%!?" else x for x in lines)):
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for call in [n for s in body for n in _walk(s) if isinstance(n, ast.Call)] if deep else []:
            code = _string(call.args[0]) if call.args else None
            if code and isinstance(call.func, ast.Name) and call.func.id in ("exec", "eval"):
                inner: Any = ast.Module(body=_statements(code, deep=False), type_ignores=[])
                call.args.append(inner)
        return body
    return []


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    for count, node in enumerate(ast.walk(tree)):
        if count > NODES:
            return
        yield node


def _reachable(name: str, statements: list[ast.stmt], given: Iterable[str]) -> list[ast.stmt]:
    binders: dict[str, list[int]] = {}
    for index, statement in enumerate(statements):
        for bound in _binds(statement):
            binders.setdefault(bound, []).append(index)
    seen: set[int] = set()
    todo = list(binders.pop(name, []))
    for answered in given:
        binders.pop(answered, None)
    while todo:
        index = todo.pop()
        if index not in seen:
            seen.add(index)
            names = {node.id for node in _walk(statements[index]) if isinstance(node, ast.Name)}
            todo += [other for used in names for other in binders.pop(used, [])]
    return [statements[index] for index in sorted(seen)]


def _binds(statement: ast.stmt) -> set[str]:
    """Names a statement gives a value, anywhere in it, functions' own variables not included."""
    bound: set[str] = set()
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        todo += ast.iter_child_nodes(node)
    return bound


# Names


def _aliases(statements: list[ast.stmt], forbid: Sequence[str]) -> dict[str, set[str]]:
    """Name -> dotted names it may stand for."""
    aliases: dict[str, set[str]] = {}
    assigned: list[tuple[str, ast.expr]] = []
    for statement in statements:
        for node in _walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, dotted in _imported(node, forbid):
                    aliases.setdefault(name, set()).add(dotted)
            elif isinstance(node, ast.Assign):
                assigned += [(t.id, node.value) for t in node.targets if isinstance(t, ast.Name)]
            elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None:
                assigned += [(t.id, node.value) for t in (node.target,) if isinstance(t, ast.Name)]
    for _ in range(ROUNDS):
        for name, value in assigned:
            known = aliases.setdefault(name, set())
            if len(known) < ALIASES:
                known.update(sorted(_dotted(value, aliases) - {name})[:20])
    return aliases


def _imported(
    node: ast.Import | ast.ImportFrom, forbid: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for item in node.names:
        if isinstance(node, ast.Import):
            top = item.name.split(".")[0]
            yield (item.asname, item.name) if item.asname else (top, top)
        elif item.name != "*":
            yield item.asname or item.name, f"{node.module}.{item.name}"
        else:
            for dotted in forbid:
                module, _, last = dotted.rpartition(".")
                if module == node.module:
                    yield last, dotted


def _mentioned(statement: ast.stmt, aliases: dict[str, set[str]]) -> Iterator[str]:
    for node in _walk(statement):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{item.name}" for item in node.names)
        elif isinstance(node, ast.expr):
            yield from _dotted(node, aliases)


def _dotted(node: ast.expr, aliases: dict[str, set[str]], depth: int = 0) -> set[str]:
    """Dotted names an expression may stand for."""
    if depth > 20:
        return set()
    if isinstance(node, ast.Name):
        return aliases.get(node.id) or {node.id}
    if isinstance(node, ast.Attribute):
        return {f"{base}.{node.attr}" for base in _dotted(node.value, aliases, depth + 1)}
    if isinstance(node, ast.Subscript):
        key = _string(node.slice)
        bases = _dotted(node.value, aliases, depth + 1) if key else set()
        return {
            _item(base, key) for base in bases if key and base.endswith(("sys.modules", "__dict__"))
        }
    if isinstance(node, ast.Call) and node.args:
        called = _dotted(node.func, aliases, depth + 1)
        text = _string(
            node.args[-1] if len(node.args) == 1 else node.args[1 if called == {"getattr"} else 0]
        )
        if called & set(IMPORTERS) and text:
            return {text}
        if called & {"getattr", "builtins.getattr"} and text:
            return {f"{base}.{text}" for base in _dotted(node.args[0], aliases, depth + 1)}
        if called & {"vars", "builtins.vars"}:
            return {f"{base}.__dict__" for base in _dotted(node.args[0], aliases, depth + 1)}
    return set()


def _item(base: str, key: str) -> str:
    return key if base.endswith("sys.modules") else f"{base.removesuffix('.__dict__')}.{key}"


def _string(node: ast.AST, depth: int = 0) -> str | None:
    """A string put together from constants, or None."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    parts: list[ast.AST] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    elif isinstance(node, ast.JoinedStr):
        parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in node.values]
    texts = [_string(part, depth + 1) for part in parts] if depth < 50 else []
    return "".join(t for t in texts if t) if texts and None not in texts else None
