"""Small changes to a program, each of which its tests should notice: cosmic-ray's operators.

A mutant has one operator, number or keyword changed. Left out: mutants that do not compile, those
that differ only in annotations, docstrings or the words of an error (no learner's mistake), and all
but the first of several that are the same program. Two of cosmic-ray's operators cannot be used:
VariableReplacer and VariableInserter need the names of variables, and insert random numbers.

source: cosmic-ray 8 (A. Bingham), cosmic-ray.readthedocs.io; the same program counted once: trivial
compiler equivalence, Papadakis and others 2015, ICSE, doi 10.1109/ICSE.2015.103.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

UNUSABLE = ("core/VariableReplacer", "core/VariableInserter")


@dataclass(frozen=True)
class Mutant:
    """A changed program; `line` is the changed line without its indentation."""

    operator: str
    number: int  # of the line, from 1
    line: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return all mutants of a program, in the order of its lines.

    >>> [mutant.line for mutant in mutants("def empty(n):\\n    return not n\\n")]
    ['return n']
    """
    found: dict[str, Mutant] = {}
    same = essence(source)
    for mutant in _all(source):
        try:
            kind = essence(mutant.source)
        except SyntaxError:
            continue
        if kind != same:
            found.setdefault(kind, mutant)
    return sorted(found.values(), key=lambda mutant: mutant.number)


def essence(source: str) -> str:
    """Return a program without annotations, docstrings and messages; SyntaxError for no program."""
    return ast.dump(_Bare().visit(ast.parse(source)))


def differs_in_numbers(source: str, other: str) -> bool:
    """Say whether two programs are the same but for the numbers in them.

    >>> differs_in_numbers("f([1, -2.5])", "f([1, not 3.5])"), differs_in_numbers("x - 1", "x + 1")
    (True, False)
    """
    bare = [ast.dump(_Numberless().visit(ast.parse(text))) for text in (source, other)]
    return bare[0] == bare[1]


def tidy(line: str) -> str:
    """Return a line of code with single spaces, and none after an opening bracket.

    >>> tidy("    f( 1,  2)")
    'f(1, 2)'
    """
    return re.sub(r"(?<=[(\[{]) ", "", " ".join(line.split()))


def _all(source: str) -> Iterator[Mutant]:
    nodes = list(ast_nodes(get_ast(source)))  # parsed once for more than 200 operators
    for name in operator_names():
        if name in UNUSABLE:
            continue
        operator = get_operator(name)()
        places = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, (number, _) in enumerate(places):
            changed = mutate_code(source, operator, occurrence)
            line = tidy(changed.split("\n")[number - 1])
            yield Mutant(name.removeprefix("core/"), number, line, changed)


class _Bare(ast.NodeTransformer):
    """A transformer that removes what changes no result."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.msg = None
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


class _Numberless(ast.NodeTransformer):
    """A transformer that makes all numbers, with their signs, the same."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        return ast.Constant(0) if number else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        operand = self.visit(node.operand)
        return operand if isinstance(operand, ast.Constant) else self.generic_visit(node)
