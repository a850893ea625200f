"""Find forbidden shortcuts by reading the learner's code: a finding for a person, not a proof.

An exercise forbids dotted names (`numpy.convolve`, `nltk`). What counts is the code that its
function can reach when all cells have run: the value of its name then, and the top-level
definitions that this mentions, in any cell. Names are resolved as in Python (`scopes`): parameters,
local variables and a function's own imports are its own, a later `def` replaces an import, and code
of other cells that is not mentioned does not count. Followed are imports, aliases by assignment,
`getattr`, `importlib.import_module`, `__import__`, `sys.modules[...]`, `vars(...)[...]` and
`__dict__[...]`, with strings put together from constants. Not followed: names computed at run time,
attributes set from outside, `exec` and `eval` of anything but a constant.
"""

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from autograder.grading.names import parsed
from autograder.grading.scopes import Binding, Scope, bindings, parts

IMPORTERS = ("importlib.import_module", "import_module", "__import__", "builtins.__import__")
ALIASES = 200  # bindings of one name that may all hold; of more, the last are looked at
DEPTH = 20  # of aliases of aliases, and of attributes of attributes
NAMES = 20  # dotted names that one expression may stand for
NODES = 200_000  # of syntax in all cells; beyond, only the first are read


def forbidden_use(
    name: str,
    forbid: Sequence[str],
    cells: Iterable[str],
    known: Iterable[str],
    given: Iterable[str] = (),
) -> str | None:
    """Return the first forbidden dotted name that the definition of `name` can reach, or None.

    cells: source of the learner's code cells; known: source of released cells, for their imports
    only; given: names whose calls the grader answers, so nothing is reached through them.
    """
    if not forbid:
        return None
    texts = [source for source in known if "import" in source]
    imports = [
        node
        for text in texts
        for statement in _statements(text)
        for node in _walk(statement)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    learner = [statement for source in cells for statement in _statements(source)]
    program = _Program([*imports, *learner], forbid, given)
    for found in program.used(name):
        for dotted in forbid:
            if found == dotted or found.startswith(dotted + "."):
                return dotted
    return None


def _statements(source: str, deep: bool = True) -> list[ast.stmt]:
    """Return the top-level statements; none for text that does not parse, since it does not run.

    Lines with magics are left out. The code that `exec("...")` and `eval("...")` would run is added
    to their arguments.
    """
    body = parsed(source)
    for call in [n for s in body for n in _walk(s) if isinstance(n, ast.Call)] if deep else []:
        code = _string(call.args[0]) if call.args else None
        if code and isinstance(call.func, ast.Name) and call.func.id in ("exec", "eval"):
            inner: ast.AST = ast.Module(body=_statements(code, deep=False), type_ignores=[])
            call.args.append(inner)  # type: ignore[arg-type]
    return body


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    for count, node in enumerate(ast.walk(tree)):
        if count > NODES:
            return
        yield node


class _Program:
    """All cells as one program: what each name may mean before each statement and at the end."""

    def __init__(
        self, statements: list[ast.stmt], forbid: Sequence[str], given: Iterable[str]
    ) -> None:
        self.forbid, self.given = forbid, set(given)
        self.globals: dict[str, list[Binding]] = {}
        self._dotted: dict[Binding, frozenset[str]] = {}
        bound = bindings(statements, forbid, 0)[:NODES]
        self.end = len(bound)
        for one in bound:
            self.globals.setdefault(one.name, []).append(one)
        for one in bound:  # in order, so that a chain of aliases of any length is followed
            self._dotted[one] = self._value(one, None, one.place, one)

    def used(self, name: str) -> Iterator[str]:
        """Yield the dotted names in all that can be reached from `name` after the last cell."""
        todo = self.standing(name, self.end)
        seen: set[Binding] = set()
        left = NODES
        while todo and left > 0:
            bound = todo.pop()
            if bound in seen:
                continue
            seen.add(bound)
            if bound.dotted:
                yield bound.dotted
            for node, scope, late in parts(bound.value, self.forbid) if bound.value else ():
                left -= 1
                when = self.end if late else bound.place
                if isinstance(node, ast.Import):
                    yield from (item.name for item in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield from (f"{node.module}.{item.name}" for item in node.names)
                elif isinstance(node, ast.expr):
                    yield from self.dotted(node, scope, when, bound)
                    if isinstance(node, ast.Name) and self._is_global(node.id, scope):
                        todo += self._other(node.id, when, bound)

    def standing(self, name: str, when: int) -> list[Binding]:
        """Return what a global name may stand for before statement `when`, the latest first."""
        known = self.globals.get(name, [])
        found: list[Binding] = []
        for at in range(bisect_left(known, when, key=lambda b: b.place) - 1, -1, -1):
            bound = known[at]
            found.append(bound)
            if bound.certain or len(found) >= ALIASES:
                break
        return found

    def _other(self, name: str, when: int, inside: Binding) -> list[Binding]:
        """Return `standing(name, when)` for code of the function `inside`.

        If the cells replaced the name by `name = inside`, the function may mean its value before
        that, so that is added.
        """
        if name in self.given:
            return []
        found = self.standing(name, when)
        for bound in found:
            value = bound.value
            if (
                isinstance(value, ast.Name)
                and value.id == inside.name != name
                and inside in self.standing(value.id, bound.place)
            ):
                return [*found, *self.standing(name, bound.place)]
        return found

    def _is_global(self, name: str, scope: Scope | None) -> bool:
        return scope is None or scope.owner(name) is None

    def dotted(
        self,
        node: ast.expr,
        scope: Scope | None,
        when: int,
        inside: Binding,
        depth: int = 0,
    ) -> frozenset[str]:
        """Return the dotted names that an expression may stand for."""
        if depth > DEPTH:
            return frozenset()

        def of(inner: ast.expr) -> frozenset[str]:
            return self.dotted(inner, scope, when, inside, depth + 1)

        if isinstance(node, ast.Name):
            return self._name(node.id, scope, when, inside)
        if isinstance(node, ast.Attribute):
            return frozenset(f"{base}.{node.attr}" for base in of(node.value))
        if isinstance(node, ast.NamedExpr):
            return of(node.value)
        if isinstance(node, ast.Subscript):
            key = _string(node.slice)
            bases = of(node.value) if key else frozenset()
            return frozenset(
                _item(base, key)
                for base in bases
                if key and base.endswith(("sys.modules", "__dict__"))
            )
        if isinstance(node, ast.Call) and node.args:
            called = of(node.func)
            at = 1 if called == {"getattr"} and len(node.args) > 1 else 0
            text = _string(node.args[-1] if len(node.args) == 1 else node.args[at])
            if called & set(IMPORTERS) and text:
                return frozenset({text})
            if called & {"getattr", "builtins.getattr"} and text:
                return frozenset(f"{base}.{text}" for base in of(node.args[0]))
            if called & {"vars", "builtins.vars"}:
                return frozenset(f"{base}.__dict__" for base in of(node.args[0]))
        return frozenset()

    def _name(self, name: str, scope: Scope | None, when: int, inside: Binding) -> frozenset[str]:
        owner = scope.owner(name) if scope is not None else None
        if owner is not None:
            if not owner.resolved:
                owner.resolved = True
                for bound in sorted(self._own(owner), key=lambda b: b.place):
                    self._dotted[bound] = self._value(bound, owner, when, inside)
            found = owner.names[name][-ALIASES:]
        else:
            found = self._other(name, when, inside)
            if name not in self.globals:
                return frozenset({name})  # a built-in, or a module that a released cell imported
        names = {dotted for bound in found for dotted in self._dotted.get(bound, ())}
        return frozenset(sorted(names)[:NAMES])

    def _own(self, scope: Scope) -> list[Binding]:
        return [bound for each in scope.names.values() for bound in each[-ALIASES:]]

    def _value(
        self, bound: Binding, scope: Scope | None, when: int, inside: Binding
    ) -> frozenset[str]:
        """Return the dotted names that a binding gives its name."""
        if bound.dotted:
            return frozenset({bound.dotted})
        if isinstance(bound.value, ast.expr):
            return self.dotted(bound.value, scope, when, inside)
        return frozenset()


def _item(base: str, key: str) -> str:
    return key if base.endswith("sys.modules") else f"{base.removesuffix('.__dict__')}.{key}"


def _string(node: ast.AST, depth: int = 0) -> str | None:
    """Return a string put together from constants, or None."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    parts: list[ast.AST] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    elif isinstance(node, ast.JoinedStr):
        parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in node.values]
    texts = [_string(part, depth + 1) for part in parts] if depth < 50 else []
    return "".join(t for t in texts if t) if texts and None not in texts else None
