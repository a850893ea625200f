"""The scopes of a piece of Python: what binds each name, and which code sees that binding.

As in Python, parameters and assigned names are local to their function, comprehensions have scopes
of their own, methods do not see the names of their class body, and `global` and `nonlocal` refer to
outer scopes. Left out: `del`. Nothing recurses over the syntax, which may be nested deeply.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
CAPTURES = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping)
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True, eq=False)
class Binding:
    """One statement or expression that gives a name a value."""

    name: str
    place: int  # rank in the order of the text
    value: ast.AST | None = None  # the expression or definition; None if it cannot be known
    dotted: str = ""  # the dotted name of an import
    certain: bool = True  # whether it is made whenever the code around it runs


@dataclass(eq=False)
class Scope:
    """The names of one function, class body or comprehension."""

    names: dict[str, list[Binding]]
    parent: "Scope | None"
    is_class: bool = False
    outside: frozenset[str] = frozenset()  # declared global
    resolved: bool = field(default=False, init=False)  # set by `policy` once it has looked inside

    def owner(self, name: str) -> "Scope | None":
        """Return the scope that binds the name, None for the global one."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.outside:
                return None
            if name in scope.names and (scope is self or not scope.is_class):
                return scope
            scope = scope.parent
        return None


def bindings(statements: Iterable[ast.AST], forbid: Sequence[str], first: int) -> list[Binding]:
    """Return the bindings that statements make in their scope, in order, numbered from `first`.

    forbid: dotted names that a star import may bind.
    """
    found: list[Binding] = []

    def bind(name: str, value: ast.AST | None, certain: bool, dotted: str = "") -> None:
        found.append(Binding(name, first + len(found), value, dotted, certain))

    todo: list[tuple[ast.AST, bool]] = [(s, True) for s in reversed(list(statements))]
    while todo:
        node, certain = todo.pop()
        if isinstance(node, _Late):
            for name, value in _targets(node.target, node.value):
                bind(name, value, certain)
            continue
        if isinstance(node, FUNCTIONS):
            bind(node.name, node, certain)
            inner: list[ast.AST] = [*node.decorator_list, *_defaults(node.args)]
        elif isinstance(node, ast.ClassDef):
            bind(node.name, node, certain)
            inner = [*node.decorator_list, *node.bases]
        elif isinstance(node, ast.Lambda):
            inner = _defaults(node.args)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, dotted in _imported(node, forbid):
                bind(name, None, certain, dotted)
            continue
        elif isinstance(node, ast.Assign):
            inner = [node.value, *(_Late(target, node.value) for target in node.targets)]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            inner = [node.value, _Late(node.target, node.value)] if node.value else []
        elif isinstance(node, ast.AugAssign):
            inner, certain = [node.value, _Late(node.target, node.value)], False
        elif isinstance(node, ast.For | ast.AsyncFor):
            inner = [node.iter, _Late(node.target, node.iter), *node.body, *node.orelse]
        elif isinstance(node, ast.withitem):
            late = [_Late(node.optional_vars, node.context_expr)] if node.optional_vars else []
            inner = [node.context_expr, *late]
        else:
            captured = getattr(node, "name", None) or getattr(node, "rest", None)
            if isinstance(node, CAPTURES) and isinstance(captured, str):
                bind(captured, None, False)
            inner = list(ast.iter_child_nodes(node))
        certain = certain and not isinstance(node, BRANCHES)
        todo += [(child, certain) for child in reversed(inner)]
    return found


class _Late(ast.AST):
    """The target of an assignment, to be bound after the names in its value."""

    def __init__(self, target: ast.expr, value: ast.expr) -> None:
        self.target, self.value = target, value


def _targets(target: ast.expr, value: ast.AST | None) -> Iterator[tuple[str, ast.AST | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _targets(target.value, value)
    elif isinstance(target, ast.Tuple | ast.List):
        each: Sequence[ast.AST | None] = [value] * len(target.elts)
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            stars = [e for e in (*value.elts, *target.elts) if isinstance(e, ast.Starred)]
            each = each if stars else value.elts
        for inner, its in zip(target.elts, each, strict=True):
            yield from _targets(inner, its)


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None]


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


def parts(
    tree: ast.AST, forbid: Sequence[str] = ()
) -> Iterator[tuple[ast.AST, Scope | None, bool]]:
    """Yield every node of a global definition or expression, with its scope (None: the global one).

    The third value says whether it runs only when a function is called, not with the definition.
    """
    todo: list[tuple[ast.AST, Scope | None, bool]] = [(tree, None, False)]
    while todo:
        node, scope, late = todo.pop()
        yield node, scope, late
        inside: list[ast.AST] = []
        if isinstance(node, FUNCTIONS):
            around: list[ast.AST] = [*node.decorator_list, *_defaults(node.args)]
            around += [a.annotation for a in _arguments(node.args) if a.annotation]
            around += [node.returns] if node.returns else []
            inside, later = list(node.body), True
        elif isinstance(node, ast.Lambda):
            around, inside, later = _defaults(node.args), [node.body], True
        elif isinstance(node, ast.ClassDef):
            around = [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]
            inside, later = list(node.body), late
        elif isinstance(node, COMPREHENSIONS):
            around = [node.generators[0].iter]
            inside = [c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.comprehension)]
            for number, loop in enumerate(node.generators):
                inside += [loop.target, *loop.ifs, *([loop.iter] if number else [])]
            later = late
        else:
            around = list(ast.iter_child_nodes(node))
        todo += [(child, scope, late) for child in reversed(around)]
        if inside:
            own = _scope(node, inside, scope, forbid)
            todo += [(child, own, later) for child in reversed(inside)]


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return named + [a for a in (arguments.vararg, arguments.kwarg) if a is not None]


def _scope(
    node: ast.AST, inside: list[ast.AST], parent: Scope | None, forbid: Sequence[str]
) -> Scope:
    bound: list[Binding] = []
    outside: set[str] = set()
    elsewhere: set[str] = set()
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        bound += [Binding(argument.arg, 0) for argument in _arguments(node.args)]
    if isinstance(node, COMPREHENSIONS):
        for loop in node.generators:
            bound += [Binding(name, 0) for name, _ in _targets(loop.target, None)]
    else:
        bound += bindings(inside, forbid, 1)
        for statement in _own(inside):
            if isinstance(statement, ast.Global):
                outside |= set(statement.names)
            elif isinstance(statement, ast.Nonlocal):
                elsewhere |= set(statement.names)
    names: dict[str, list[Binding]] = {}
    for one in bound:
        if one.name not in outside | elsewhere:
            names.setdefault(one.name, []).append(one)
    return Scope(names, parent, isinstance(node, ast.ClassDef), frozenset(outside))


def _own(statements: list[ast.AST]) -> Iterator[ast.AST]:
    """Yield the statements of this scope, without those of functions and classes in it."""
    todo = list(statements)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.expr)):
            todo += ast.iter_child_nodes(node)
