"""Notebooks that compute on `rt.device` keep everything there: run on a pretended one, at smoke."""

import pytest
import torch
from matplotlib import pyplot

from autograder.publishing.notebooks import expand
from llmcourse.runtime import Runtime
from tests.pretend_device import PRETENDED, pretending
from tests.publishing.test_build import ROOT, SLUGS

ON_A_DEVICE = [
    slug for slug in SLUGS if "rt.device" in (ROOT / f"solutions/{slug}/{slug}.py").read_text()
]


def test_mixed_devices_and_arrays_are_refused_as_a_gpu_does():
    with pretending():
        there, here = torch.ones(2, 3, device=PRETENDED, requires_grad=True), torch.ones(3, 2)
        with pytest.raises(RuntimeError, match="mm: expected all tensors to be on the same device"):
            there @ here
        with pytest.raises(TypeError, match="is no array"):
            there.detach().numpy()
        product = there @ here.to(PRETENDED)
        assert product.device == PRETENDED
        assert product.detach().cpu().tolist() == [[3.0, 3.0], [3.0, 3.0]]
        product.sum().backward()
        assert there.grad.tolist() == [[2.0] * 3] * 2


@pytest.mark.parametrize("slug", ON_A_DEVICE)
def test_notebook_runs_on_another_device(slug, monkeypatch):
    monkeypatch.setenv("LLMCOURSE_PRESET", "smoke")
    monkeypatch.setattr(Runtime, "device", PRETENDED)
    monkeypatch.setattr(Runtime, "generator", lambda rt: torch.Generator().manual_seed(rt.seed))
    pyplot.switch_backend("agg")
    names = {"__name__": "__main__"}
    with pretending():
        for cell in expand(ROOT, slug).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, f"{slug} {cell.id}", "exec"), names)
    tensors = [v for v in names.values() if isinstance(v, torch.Tensor)]
    for module in (v for v in names.values() if isinstance(v, torch.nn.Module)):
        tensors += module.parameters()
    used = [tensor for tensor in tensors if tensor.device == PRETENDED]
    pyplot.close("all")
    assert used, "nothing of the notebook was on the device"
