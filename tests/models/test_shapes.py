"""Public functions on tensors say the shapes, and tests hold calls to them."""

import ast
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from llmcourse.models import embeddings
from llmcourse.models.recurrent import Recurrent
from llmcourse.models.sequence_models import RecurrentConfig, RecurrentLM, SequenceModel
from tests.conftest import ON_TENSORS, SHAPED


def bare_tensors(tree: ast.Module) -> list[str]:
    """Public functions and methods with a Tensor in the signature that has no shape."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        hints = [hint for hint in (*(a.annotation for a in arguments), node.returns) if hint]
        shaped = {
            id(part)
            for hint in hints
            for outer in ast.walk(hint)
            if isinstance(outer, ast.Subscript) and isinstance(outer.slice, ast.Tuple)
            if isinstance(outer.slice.elts[-1], ast.Constant)
            for part in ast.walk(outer.slice.elts[0])
        }
        parts = (part for hint in hints for part in ast.walk(hint) if id(part) not in shaped)
        names = {getattr(part, "id", getattr(part, "attr", "")) for part in parts}
        if "Tensor" in names:
            found.append(node.name)
    return found


def made():
    return RecurrentLM(RecurrentConfig(7, 3, 5, 7))


@pytest.mark.parametrize("path", ON_TENSORS, ids=lambda path: path.stem)
def test_no_public_function_has_a_tensor_without_a_shape(path):
    assert bare_tensors(ast.parse(path.read_bytes())) == []


def test_a_tensor_without_a_shape_is_found():
    tree = ast.parse(
        "def f(x: Float[Tensor, 'B T'], y: list[Tensor]) -> int: ...\n"
        "def g(x: Float[Tensor, 'B T'] | None = None) -> tuple[Int[Tensor, 'B'], State]: ...\n"
        "class A:\n    def h(self) -> torch.Tensor: ...\n    def _i(self, x: Tensor): ...\n"
    )
    assert bare_tensors(tree) == ["f", "h"]


def test_modules_with_shapes_are_checked():
    assert {"contexts", "embeddings", "recurrent", "sequence_models"} <= {
        name.rpartition(".")[2] for name in SHAPED
    }
    assert "Jaxtyping" in type(sys.modules["llmcourse.models.recurrent"].__loader__).__name__


@pytest.mark.parametrize(
    "call",
    [
        lambda: embeddings.skipgram_loss(torch.ones(3, 3), torch.ones(3, 3), torch.ones(3, 4)),
        lambda: embeddings.cbow_loss(torch.ones(2, 3), torch.ones(2, 4), torch.ones(5, 3), 1),
        lambda: embeddings.glove_loss(torch.ones(3), torch.ones(3)),
        lambda: Recurrent("gru", 3, 4)(torch.ones(2, 3)),
        lambda: Recurrent("gru", 3, 4)(torch.ones(2, 1, 3), (torch.ones(1, 3, 4),)),
        lambda: made()(torch.ones(2, 4)),
        lambda: SequenceModel(RecurrentConfig(7, 3, 5, 2))(
            torch.zeros(2, 4, dtype=torch.long), torch.tensor([1, 2, 3])
        ),
    ],
)
def test_a_tensor_of_another_shape_or_dtype_is_refused(call):
    with pytest.raises(TypeCheckError):
        call()


def test_a_result_of_another_shape_is_refused():
    model = made()
    model.head.forward = lambda states: states.sum()
    with pytest.raises(TypeCheckError, match="return"):
        model(torch.zeros(2, 4, dtype=torch.long))


def test_outside_of_tests_nothing_is_checked(unchecked):
    assert embeddings.glove_loss(torch.ones(3), torch.ones(3)).shape == ()
