"""`llmcourse train` and `llmcourse sample`: a folder for transformers, resumed runs, one line for
every mistake."""

import io
import os
import random
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch

from llmcourse.commands import cli
from llmcourse.commands import train as command
from llmcourse.models.model_folder import load_folder
from llmcourse.training.packing import BatchStream

ROOT = Path(__file__).parents[2]
SMALL = ["--layers", "1", "--width", "32", "--context", "16", "--batch", "4", "--steps", "12"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Words in random order, with characters of several bytes and line ends of two."""
    draw = random.Random(0)
    words = [draw.choice(["the", "fox", "naïve", "🙂", "ran\r\n"]) for _ in range(300)]
    path = tmp_path_factory.mktemp("text") / "fox.txt"
    path.write_text(" ".join(words), encoding="utf-8", newline="")
    return path


def run(*arguments):
    """Call the command in this process; return its exit status, and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as ended:
        patched.setattr(sys, "argv", ["llmcourse", *map(str, arguments)])
        patched.setattr(command, "bf16_is_faster", lambda device: False)  # no probe of a second
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
    return ended.value.code or 0, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def trained(file, tmp_path_factory):
    """A folder for each tokenizer, and what was printed."""
    made = {}
    for kind in ("characters", "bpe"):
        folder = tmp_path_factory.mktemp(kind) / "model"
        options = ["--tokenizer", kind, "--vocab-size", 280, "--output", folder]
        code, out, err = run("train", file, *options, *SMALL)
        assert (code, err) == (0, "")
        made[kind] = folder, out
    return made


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_it_says_what_it_does_and_how_good_the_model_is(kind, trained):
    folder, out = trained[kind]
    lines = out.replace("\r", "\n").splitlines()
    assert "the last tenth held out" in lines[0] and "1 layers of 32" in lines[0]
    assert any("12/12 steps" in line and "tokens/s" in line for line in lines)
    assert lines[-2].startswith("held out: ") and lines[-2].endswith(" bits a character")
    assert lines[-1].startswith(f"written to {folder}")


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_transformers_loads_the_folder_with_the_same_ids_and_logits(kind, trained, file):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, _ = trained[kind]
    model, tokenizer = load_folder(folder)
    peer = AutoModelForCausalLM.from_pretrained(folder)
    text = file.read_text(encoding="utf-8")[:40]
    ids = tokenizer.encode(text)
    assert AutoTokenizer.from_pretrained(folder)(text).input_ids == ids
    given = torch.tensor([ids[:16]])
    torch.testing.assert_close(peer(given).logits, model(given), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_sample_writes_the_prompt_and_what_the_model_would(kind, trained):
    folder, _ = trained[kind]
    options = (folder, "--prompt", "the fox", "--tokens", 20)
    said = [run("sample", *options, "--seed", seed)[1] for seed in (1, 1, 2)]
    assert all(text.startswith("the fox") and text.endswith("\n") for text in said)
    assert said[0] == said[1] != said[2]
    greedy = ("sample", folder, "--tokens", 5, "--temperature", 0)
    assert run(*greedy) == run(*greedy, "--seed", 3)


def test_what_is_said_piece_by_piece_is_the_whole_text(trained, monkeypatch):
    from llmcourse.commands import sample

    folder, _ = trained["bpe"]
    _, tokenizer = load_folder(folder)
    ids = tokenizer.encode("naïve 🙂 fox")
    monkeypatch.setattr(sample, "stream", lambda *_, **__: ([i] for i in ids))
    said = []
    sample.write(folder, "", 9, 1.0, None, 0, said.append)
    assert "".join(said) == "naïve 🙂 fox\n" and len(said) > 3
    assert not any("\ufffd" in piece for piece in said)


def test_an_interrupted_run_ends_with_the_same_weights_once_it_is_resumed(
    file, trained, tmp_path, monkeypatch
):
    def interrupted(batches):
        if batches._position > 5 * 4:
            raise KeyboardInterrupt
        return following(batches)

    following, folder = BatchStream.__next__, tmp_path / "cut"
    with monkeypatch.context() as patched:
        patched.setattr(command, "SAVE_EVERY", 0.0)
        patched.setattr(BatchStream, "__next__", interrupted)
        code, _, err = run("train", file, *SMALL, "--output", folder)
    assert code == 1 and err.startswith("llmcourse: interrupted: ") and err.count("\n") == 1
    assert not (folder / "model.safetensors").exists()
    code, out, _ = run("train", file, *SMALL, "--output", folder, "--resume")
    assert code == 0 and "6/12 steps" in out and "3/12 steps" not in out
    whole, _ = trained["characters"]
    one, other = (load_folder(path)[0].state_dict() for path in (whole, folder))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_processes_train_and_write_once(file, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "llmcourse.commands.cli", "train", str(file), *SMALL, "--output",
         str(tmp_path / "model")],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 processes" in done.stdout and done.stdout.count("written to") == 1
    load_folder(tmp_path / "model")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--tokenizer", "words"], "expected --tokenizer characters or bpe, got 'words'"),
        (["--width", "100"], "expected --width a multiple of 32, got 100"),
        (["--steps", "0"], "expected --steps of at least 1, got 0"),
        (["--tokenizer", "bpe", "--vocab-size", "9"], "expected vocab_size of at least 257"),
        (["--context", "9999"], "expected a text of more than 9999 tokens to train on, got"),
        (["--resume"], "expected a folder with a run in it, got"),
        (["--output", "{file}"], "expected a folder, got the file"),
    ],
)
def test_settings_that_cannot_be_are_one_line(change, message, file, tmp_path):
    change = [str(file) if word == "{file}" else word for word in change]
    code, _, error = run("train", file, "--output", tmp_path / "model", *SMALL, *change)
    assert code == (2 if "-" * 2 in message else 1)
    assert error.startswith(f"llmcourse: {message}") and error.count("\n") == 1
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a text file, got"),
        (b"", "expected a text, got 0 characters"),
        (b"caf\xe9 au lait", "expected text in UTF-8, got the byte 0xe9 at 3"),
    ],
)
def test_a_file_that_is_no_text_is_one_line(content, message, tmp_path):
    if content is not None:
        (tmp_path / "text").write_bytes(content)
    code, _, error = run("train", tmp_path / "text", "--output", tmp_path / "model")
    assert code == 1 and error.startswith(f"llmcourse: {message}") and error.count("\n") == 1


def test_a_folder_with_a_run_is_not_overwritten_and_is_resumed_with_its_own_settings_only(
    trained, file, tmp_path
):
    folder, _ = trained["characters"]
    before = (folder / "model.safetensors").read_bytes()
    (tmp_path / "other.txt").write_text("another text " * 50)
    tries = (
        (file, [], "expected a new or empty folder, got"),
        (file, ["--resume", "--steps", "13"], "expected --steps 12, as the run in"),
        (file, ["--resume", "--seed", "1"], "expected --seed 0, as the run in"),
        (tmp_path / "other.txt", ["--resume"], "expected the text that the run in"),
    )
    for text, options, message in tries:
        given = ("--output", folder, "--vocab-size", 280, *SMALL, *options)
        code, _, error = run("train", text, *given)
        assert code == 1 and error.startswith(f"llmcourse: {message}") and error.count("\n") == 1
    assert (folder / "model.safetensors").read_bytes() == before


def test_sample_of_no_model_and_with_wrong_settings_is_one_line(trained, tmp_path):
    folder, _ = trained["characters"]
    for arguments in ((tmp_path,), (folder, "--temperature", "-1"), (folder, "--top-p", "2")):
        code, _, error = run("sample", *arguments)
        assert code == 1 and error.startswith("llmcourse: expected ") and error.count("\n") == 1
