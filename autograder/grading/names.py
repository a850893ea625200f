"""What the text of a cell defines and what it needs, found without running it."""

import ast
import builtins
import contextlib
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Sequence, Set

from llmcourse.checks.failures import STUB

WORD = re.compile(r"[^\W\d]\w*")
MAGIC = re.compile(r"(?:[\w\s,.]++=\s*+)?[%!?]|[\w.]++\?\??\s*$")  # %time, x = !ls, f?
TEXT = 50_000  # characters of a cell that are read: a parsed text takes much memory
KNOWN = {*dir(builtins), "display", "get_ipython", "In", "Out", "_", "__", "___", "exit", "quit"}


def words(text: str) -> set[str]:
    """Return everything in a text that could be a name."""
    return set(WORD.findall(text))


def statements(source: str) -> list[ast.stmt]:
    """Return the statements of a cell; none where it is no Python or long."""
    return parsed(source) if len(source) <= TEXT else []


def parsed(source: str) -> list[ast.stmt]:
    """Return the statements of a text, none if it is no Python; a line with a magic becomes `pass`.

    >>> [ast.unparse(statement) for statement in parsed("files = !ls\\nif files:\\n    %time f()")]
    ['pass', 'if files:\\n    pass']
    """
    lines = (
        re.sub(r"\S.*", "pass", line) if _is_magic(line) else line for line in source.split("\n")
    )
    for text in (source, "\n".join(lines)):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.parse(text).body
    return []


def _is_magic(line: str) -> bool:
    return MAGIC.match(line.lstrip()) is not None


def same_program(one: str, other: str) -> bool:
    """Say whether a cell is a released one in another layout, as a formatter leaves it.

    >>> same_program("f( 'a' )  # why", 'f("a")  # why'), same_program("f(1)  # why", "f(1)")
    (True, False)
    """
    if one.strip() == other.strip():
        return True
    if len(one) > 3 * len(other) + 100:  # no formatter makes that of it: save the parsing
        return False
    if any(_is_magic(line) for text in (one, other) for line in text.split("\n")):
        return False
    with contextlib.suppress(RecursionError, MemoryError, SyntaxError, tokenize.TokenError):
        trees = [[ast.dump(statement) for statement in statements(text)] for text in (one, other)]
        return bool(trees[0]) and trees[0] == trees[1] and _comments(one) == _comments(other)
    return False


def _comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def is_prose(source: str) -> bool:
    """Say whether a code cell holds a text rather than a program: comments, a string, or no Python.

    >>> [is_prose(text) for text in ("# because", "I think so.", "x = 1", "%matplotlib inline")]
    [True, True, False, False]
    """
    lines = [line for line in source.split("\n") if line.strip()]
    magics = all(map(_is_magic, lines))
    return not magics and all(
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        for statement in statements(source)
    )


def definitions(source: str, names: Set[str]) -> str:
    """Return the parts of a cell that define one of the names and cost nothing to run.

    These are imports, functions, classes, constants and aliases; `x = choose(mine, library)` counts
    as the alias `x = mine`. Each is in a `try` of its own, since modules may be missing here.

    >>> print(definitions("import numpy as np\\nx = np.ones(10**9)\\nn = 3", {"np", "x"}))
    try:
        import numpy as np
    except Exception:
        pass
    """
    kept = []
    for statement in statements(source):
        with contextlib.suppress(RecursionError, ValueError):  # not all that parses can be written
            statement = _chosen(statement)
            if _defined(statement) & names:
                text = textwrap.indent(ast.unparse(statement), "    ")
                kept.append(f"try:\n{text}\nexcept Exception:\n    pass")
    return "\n".join(kept)


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement defines, if it costs nothing to run."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(item.asname or item.name).split(".")[0] for item in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        targets = {target.id for target in statement.targets if isinstance(target, ast.Name)}
        if isinstance(statement.value, ast.Name | ast.Attribute | ast.Lambda):
            return targets
        with contextlib.suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            ast.literal_eval(statement.value)
            return targets
    return set()


def _chosen(statement: ast.stmt) -> ast.stmt:
    """Return `x = mine` for `x = choose(mine, library)`: no check has passed here."""
    match statement:
        case ast.Assign(value=ast.Call(func=ast.Name("choose"), args=[ast.Name() as mine, _])):
            statement.value = mine
    return statement


def unless_defined(stub: str) -> str:
    """Return the same definitions, each only if nothing has its name.

    >>> print(unless_defined("def f(): ..."))
    if 'f' not in globals():
        def f():
            ...
    """
    kept = []
    for statement in statements(stub):
        text, names = ast.unparse(statement), sorted(_defined(statement))
        if names:
            text = f"if {names[0]!r} not in globals():\n{textwrap.indent(text, '    ')}"
        kept.append(text)
    return "\n".join(kept)


def undefined(own: Iterable[str], run: Iterable[str]) -> list[str]:
    """Return the names that the first texts use and no text that is run defines, sorted.

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


def seems_defined(name: str, texts: Iterable[str]) -> bool:
    """Say whether a text seems to define the name, or to give another one to its check.

    Each line is matched alone, since parsing a whole notebook takes long.

    >>> [seems_defined("f", [text]) for text in ("class f:", "f = g", "check.f(g)", "g(f)")]
    [True, True, True, False]
    """
    name = re.escape(name)
    defined = rf"[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|[ \t]*{name}[ \t]*[:=]"
    imported = rf"[ \t]*(?:from|import)\b.*\b{name}\b"
    found = re.compile(rf"^(?:{defined}|{imported})|\bcheck\.{name}\(", re.MULTILINE)
    return any(found.search(text) for text in texts)


def put_to(check: str, own: Sequence[str]) -> list[str]:
    """Return the arguments of the texts' calls of a check, if none of them defines its name.

    A stub does not count as a definition.

    >>> put_to("mean", ["def m(x): ...", "check.mean(m)"])
    ['m']
    """
    nodes = [node for text in own for statement in statements(text) for node in ast.walk(statement)]
    if any(check in _bound(node) and not _is_stub(node) for node in nodes):
        return []
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args]
    return [
        ast.unparse(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == check
    ]


def _is_stub(definition: ast.AST) -> bool:
    inside = (node for node in ast.walk(definition) if isinstance(node, ast.Constant))
    return any(node.value == STUB for node in inside)


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
