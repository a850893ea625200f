"""llmcourse.runtime: parameters are checked, claims are enforced where they should be."""

import json
import random

import pytest

from llmcourse import runtime
from llmcourse.runtime import ClaimFailed, LadderRow, SetupError, choose, setup


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv("LLMCOURSE_PRESET", raising=False)
    monkeypatch.delenv("LLMCOURSE_RECORDS", raising=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("huge", "auto", 0), "preset must be one of smoke, cpu, gpu, got 'huge'"),
        (("cpu", "tpu", 0), "device must be one of auto, cpu, cuda, got 'tpu'"),
        (("cpu", "auto", -1), "seed must be a whole number"),
        (("cpu", "auto", True), "seed must be a whole number"),
        (("cpu", "auto", 1.5), "seed must be a whole number"),
    ],
)
def test_setup_refuses_with_one_line(arguments, message):
    with pytest.raises(SetupError, match=message) as caught:
        setup(*arguments)
    assert "\n" not in str(caught.value)


def test_setup_cuda_without_a_card_names_the_remedy(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SetupError, match="no CUDA device here: use device='auto' or 'cpu'"):
        setup("cpu", "cuda", 0)
    assert setup("cpu", "auto", 0).device.type == "cpu"


def test_environment_overrides_the_preset_and_is_checked_too(monkeypatch):
    monkeypatch.setenv("LLMCOURSE_PRESET", "smoke")
    assert setup("cpu").preset == "smoke"
    monkeypatch.setenv("LLMCOURSE_PRESET", "tiny")
    with pytest.raises(SetupError, match="got 'tiny'"):
        setup("cpu")


def test_pick_takes_the_value_of_the_preset_and_gpu_falls_back_to_cpu():
    assert setup("smoke").pick(smoke=1, cpu=2, gpu=3) == 1
    assert setup("cpu").pick(smoke=1, cpu=2, gpu=3) == 2
    assert setup("gpu").pick(smoke=1, cpu=2) == 2


def test_claim_is_enforced_at_cpu_and_only_recorded_at_smoke(capsys):
    with pytest.raises(ClaimFailed, match=r"cats beat dogs: does not hold \(measured 0.25\)"):
        setup("cpu").claim("cats beat dogs", 0.25, False)
    rt = setup("smoke")
    rt.claim("cats beat dogs", 0.25, False)
    assert rt.records[-1]["holds"] is False
    assert "not enforced" in capsys.readouterr().out


def test_records_are_json_lines_even_when_infinite(tmp_path, monkeypatch):
    path = tmp_path / "records.jsonl"
    monkeypatch.setenv("LLMCOURSE_RECORDS", str(path))
    rt = setup("smoke", "cpu", 3)
    rt.claim("finite", float("inf"), True)
    rt.record("loss", 1.5, "nats")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["setup", "claim", "record"]
    assert (lines[0]["seed"], lines[1]["value"], lines[2]["unit"]) == (3, "inf", "nats")


def test_records_that_cannot_be_written_say_so_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMCOURSE_RECORDS", str(tmp_path / "missing" / "records.jsonl"))
    with pytest.raises(SetupError, match="cannot write the record"):
        setup("smoke")


def ladder_of(rt, corpus):
    return [(row.model, row.bits_per_char) for row in rt.ladder_rows(corpus)]


def test_ladder_rows_end_with_what_the_notebook_measured_last(monkeypatch):
    committed = [
        LadderRow("unigram", 4.8, 65, 10, 0.1, "bard"),
        LadderRow("uniform", 6.0, 0, 10, 0.0, "bard"),
        LadderRow("uniform", 7.0, 0, 10, 0.0, "manual"),
        LadderRow("bigram", 3.6, 65, 10, 0.1, "bard"),
        LadderRow("of a later unit", 2.0, 65, 10, 0.1, "bard"),
    ]
    monkeypatch.setattr(runtime, "committed_ladder", lambda: committed)
    rt = setup("cpu")
    everything = [("uniform", 6.0), ("unigram", 4.8), ("bigram", 3.6), ("of a later unit", 2.0)]
    assert ladder_of(rt, "bard") == everything
    rt.ladder("unigram", 4.7, parameters=65, tokens=10, seconds=0.1, corpus="bard")
    assert ladder_of(rt, "bard") == [("unigram", 4.7)]
    rt.ladder("bigram", 3.5, parameters=65, tokens=10, seconds=0.1, corpus="bard")
    assert ladder_of(rt, "bard") == [("uniform", 6.0), ("unigram", 4.7), ("bigram", 3.5)]
    assert ladder_of(rt, "manual") == [("uniform", 7.0)]


def test_a_model_without_a_committed_row_stands_among_those_before(monkeypatch):
    monkeypatch.setattr(runtime, "committed_ladder", lambda: [])
    rt = setup("cpu")
    rt.ladder("new", 4.7, parameters=65, tokens=10, seconds=0.1, corpus="bard")
    assert ladder_of(rt, "bard") == [("new", 4.7)]


def test_committed_ladder_is_readable():
    assert all(isinstance(row, LadderRow) for row in runtime.committed_ladder())


def test_seeded_streams_repeat_and_leave_the_global_ones_alone():
    state = random.getstate()
    first, second = setup("cpu", "cpu", 7), setup("cpu", "cpu", 7)
    assert [first.random.random() for _ in range(3)] == [second.random.random() for _ in range(3)]
    assert first.generator().initial_seed() == 7
    assert random.getstate() == state


def test_choose_takes_the_learners_version_only_after_its_check_passed(capsys):
    def mine():
        return "mine"

    def library():
        return "library"

    assert choose(mine, library) is library
    runtime.remember(mine, True)
    assert choose(mine, library) is mine
    runtime.remember(mine, False)
    assert choose(mine, library) is library
    assert capsys.readouterr().out.count("using yours") == 1
