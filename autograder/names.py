"""What the text of a cell defines and what it needs, read without running it."""

import ast
import builtins
import contextlib
import re
import textwrap
from collections.abc import Iterable, Set

WORD = re.compile(r"[^\W\d]\w*")
TEXT = 50_000  # characters of a cell that are read: a parsed text takes much memory
KNOWN = {*dir(builtins), "display", "get_ipython", "In", "Out", "_", "__", "___", "exit", "quit"}


def words(text: str) -> set[str]:
    """Everything in a text that could be a name."""
    return set(WORD.findall(text))


def statements(source: str) -> list[ast.stmt]:
    """The statements of a cell, lines with magics left out; none where it is no Python or long."""
    if len(source) > TEXT:
        return []
    lines = ("" if line.lstrip()[:1] in ("%", "!", "?") else line for line in source.split("\n"))
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.parse("\n".join(lines)).body
    return []


def definitions(source: str, names: Set[str]) -> str:
    """Of a cell, the imports, functions, classes and plain constants that define one of the names;
    each fails for itself, since modules may be missing here.

    >>> print(definitions("import numpy as np\\nx = np.ones(10**9)\\nn = 3", {"np", "x"}))
    try:
        import numpy as np
    except Exception:
        pass
    """
    kept = []
    for statement in statements(source):
        with contextlib.suppress(RecursionError, ValueError):  # not all that parses can be written
            if _defined(statement) & names:
                text = textwrap.indent(ast.unparse(statement), "    ")
                kept.append(f"try:\n{text}\nexcept Exception:\n    pass")
    return "\n".join(kept)


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement defines, if it costs nothing to run."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(item.asname or item.name).split(".")[0] for item in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        with contextlib.suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            ast.literal_eval(statement.value)
            return {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return set()


def undefined(own: Iterable[str], run: Iterable[str]) -> list[str]:
    """Names that the first texts use and that none of the texts which are run defines, sorted.

    >>> undefined(["def f(x): return np.mean(x) + y"], ["def f(x): return np.mean(x) + y", "y = 1"])
    ['np']
    """
    used = {name.id for text in own for name in _names(text, ast.Load)}
    bound = set(KNOWN)
    for text in run:
        for statement in statements(text):
            for node in ast.walk(statement):
                bound |= _bound(node)
    return [] if "*" in bound else sorted(used - bound)


def _names(text: str, context: type[ast.expr_context]) -> list[ast.Name]:
    nodes = (node for statement in statements(text) for node in ast.walk(statement))
    return [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)]


def _bound(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(item.asname or item.name).split(".")[0] for item in node.names}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.arg):
        return {node.arg}
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        return {node.name}
    return {node.rest} if isinstance(node, ast.MatchMapping) and node.rest else set()
