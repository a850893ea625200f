"""Probes end, and a machine without a compiler trains on with one line said."""

import pytest
import torch

from llmcourse.training import hardware
from llmcourse.training.hardware import bf16_is_faster, compiled, matmul_rate
from tests.training.tiny import tiny


@pytest.mark.parametrize(("slow", "faster"), [(torch.float32, True), (torch.bfloat16, False)])
def test_the_probe_says_which_dtype_was_faster(slow, faster, monkeypatch):
    def seconds(work, device):
        dtype = work.__defaults__[0].dtype
        work()
        return 2.0 if dtype == slow else 1.0

    monkeypatch.setattr(hardware, "_seconds", seconds)
    assert bf16_is_faster(seconds=0.0, shape=(8, 4, 4)) is faster


def test_the_rate_of_products_is_operations_over_the_least_time(monkeypatch):
    times = iter([4.0, 2.0, 8.0, 4.0, 4.0])
    monkeypatch.setattr(hardware, "_seconds", lambda work, device: next(times))
    assert matmul_rate(size=10) == 1000
    monkeypatch.undo()
    assert matmul_rate(size=64) > 0


def test_without_a_compiler_one_line_is_said_and_the_model_is_used(monkeypatch):
    said = []

    def without(model):
        def call(ids):
            raise RuntimeError("No working C++ compiler found in torch._inductor\nmore lines")

        return call

    monkeypatch.setattr(torch, "compile", without)
    model = tiny()
    assert compiled(model, torch.zeros(1, 2, dtype=torch.long), said.append) is model
    (line,) = said
    assert "No working C++ compiler" in line and "\n" not in line and "g++" in line


def test_a_compiled_model_is_tried_once_and_handed_on(monkeypatch):
    tried = []
    monkeypatch.setattr(torch, "compile", lambda model: tried.append)
    ids = torch.zeros(1, 2, dtype=torch.long)
    assert compiled(tiny(), ids) == tried.append and tried == [ids]
