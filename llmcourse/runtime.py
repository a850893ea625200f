"""What every notebook starts with: a preset, a device, a seed, and claims that must hold.

    rt = setup(preset="cpu", device="auto", seed=0)
    steps = rt.pick(smoke=10, cpu=500, gpu=5_000)
    rt.claim("the trained model beats the unigram", loss, loss < unigram_loss)

Claims are enforced at the presets `cpu` and `gpu` (a claim that fails stops the notebook) and
only recorded at `smoke`, where the sizes are too small to learn anything. Nothing global is
seeded: `rt.random` and `rt.generator()` are passed to whatever draws.
"""

import json
import math
import os
import random
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PRESETS = ("smoke", "cpu", "gpu")
DEVICES = ("auto", "cpu", "cuda")


class SetupError(ValueError):
    """A preset, device or seed that cannot be had; the message says what can."""


class ClaimFailed(AssertionError):
    """A claim of the notebook did not hold: the model has not learned what the text says it has."""


@dataclass(frozen=True)
class LadderRow:
    """One language model of the course, scored on the held-out end of one real text."""

    model: str
    bits_per_char: float  # cross-entropy on the held-out text, in bits per character
    parameters: int  # trained numbers, or stored counts
    tokens: int  # training tokens, in the model's own units
    seconds: float  # training time on the machine that recorded the row
    corpus: str  # name of the text; rows of different texts are not comparable


@dataclass
class Runtime:
    """The settings of one notebook run and the record of what it showed."""

    preset: str
    device_name: str
    seed: int
    records: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def device(self) -> "torch.device":
        """The torch device; `auto` is CUDA where there is one. Imports torch on first use."""
        import torch

        name = self.device_name
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        return torch.device(name)

    @cached_property
    def dtype(self) -> "torch.dtype":
        """bfloat16 for training at preset `gpu` on CUDA, else float32."""
        import torch

        return (
            torch.bfloat16 if self.preset == "gpu" and self.device.type == "cuda" else torch.float32
        )

    @cached_property
    def random(self) -> random.Random:
        """One stream of pseudo-random numbers for the notebook, started from the seed."""
        return random.Random(self.seed)

    def generator(self) -> "torch.Generator":
        """Return a fresh torch generator on the device, started from the seed."""
        import torch

        return torch.Generator(self.device).manual_seed(self.seed)

    def pick(self, *, smoke: Any, cpu: Any, gpu: Any = None) -> Any:
        """Return the value for this preset; `gpu` takes that of `cpu` where none is given."""
        return {"smoke": smoke, "cpu": cpu, "gpu": cpu if gpu is None else gpu}[self.preset]

    def claim(self, text: str, value: float | int | str, holds: bool) -> None:
        """Assert that learning happened.

        text: the claim as a sentence a reader can check; value: the number it rests on.
        Raises ClaimFailed at `cpu` and `gpu` when it does not hold; at `smoke` it is only recorded.
        """
        enforced, holds = self.preset != "smoke", bool(holds)
        value = value if isinstance(value, str) else float(value)
        self._write(kind="claim", text=text, value=value, holds=holds, enforced=enforced)
        shown = value if isinstance(value, str) else f"{value:.4g}"
        if not holds and enforced:
            raise ClaimFailed(f"{text}: does not hold (measured {shown})")
        verdict = "holds" if holds else "does not hold"
        print(f"claim {verdict}{'' if enforced else ' (not enforced at smoke)'}: {text} [{shown}]")

    def record(self, name: str, value: float | int | str, unit: str = "") -> None:
        """Keep a measured value for the run report."""
        value = value if isinstance(value, str) else float(value)
        self._write(kind="record", name=name, value=value, unit=unit)

    def ladder(
        self,
        model: str,
        bits_per_char: float,
        *,
        parameters: int,
        tokens: int,
        seconds: float,
        corpus: str,
    ) -> None:
        """Add a row to the course's ladder of language models (see LadderRow for the units)."""
        row = LadderRow(
            model, float(bits_per_char), int(parameters), int(tokens), float(seconds), corpus
        )
        self._write(kind="ladder", **asdict(row))

    def ladder_rows(self, corpus: str) -> list[LadderRow]:
        """Return the models measured so far on one text, worst first.

        These are the committed rows up to the last model that this notebook has measured, with the
        notebook's own values in place of theirs; all committed rows if it has measured none.
        """
        names = LadderRow.__dataclass_fields__
        ours = [
            LadderRow(**{n: r[n] for n in names}) for r in self.records if r["kind"] == "ladder"
        ]
        ours = [row for row in ours if row.corpus == corpus]
        before = [row for row in committed_ladder() if row.corpus == corpus]
        known = [row.model for row in before]
        last = max((known.index(row.model) for row in ours if row.model in known), default=-1)
        rows = {row.model: row for row in [*before[: last + 1 if ours else None], *ours]}
        return sorted(rows.values(), key=lambda row: -row.bits_per_char)

    def _write(self, **record: Any) -> None:
        if isinstance(record.get("value"), float) and not math.isfinite(record["value"]):
            record["value"] = str(record["value"])  # JSON has no inf and no nan
        self.records.append(record)
        path = os.environ.get("LLMCOURSE_RECORDS")
        if not path:
            return
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise SetupError(
                f"cannot write the record of this run to {path} ({error.strerror}): "
                "free some space or point LLMCOURSE_RECORDS elsewhere"
            ) from None


def committed_ladder() -> list[LadderRow]:
    """Return the recorded rows, in the order of the course (`make ladder` rebuilds them)."""
    text = (resources.files("llmcourse") / "ladder.json").read_text(encoding="utf-8")
    return [LadderRow(**row) for row in json.loads(text)]


def setup(preset: str = "cpu", device: str = "auto", seed: int = 0) -> Runtime:
    """Check the three parameters of a notebook and return its runtime.

    preset: smoke, cpu or gpu (the variable LLMCOURSE_PRESET overrides it); device: auto, cpu or
    cuda. Raises SetupError, one line, for anything else and for `cuda` on a machine that has none.
    """
    preset = os.environ.get("LLMCOURSE_PRESET") or preset
    if preset not in PRESETS:
        raise SetupError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    if device not in DEVICES:
        raise SetupError(f"device must be one of {', '.join(DEVICES)}, got {device!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise SetupError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SetupError(
                "device is 'cuda', but torch sees no CUDA device here: use device='auto' or 'cpu', "
                "or install a CUDA build of torch"
            )
    runtime = Runtime(preset, device, seed)
    threads = os.environ.get("OMP_NUM_THREADS") or os.cpu_count()
    runtime._write(kind="setup", preset=preset, device=device, seed=seed, threads=str(threads))
    return runtime


_passed: dict[int, Any] = {}  # by identity: an answer need not be hashable


def remember(answer: Any, passed: bool) -> None:
    """Note whether a learner's function or class passed its visible check in this kernel."""
    if passed:
        _passed[id(answer)] = answer
    else:
        _passed.pop(id(answer), None)


def choose(mine: Any, library: Any) -> Any:
    """Return the learner's own version once its check has passed, else the library's; say which.

    So an unsolved exercise never blocks the cells below it.
    """
    if id(mine) in _passed:
        print(f"{mine.__name__}: using yours")
        return mine
    name = f"{library.__module__}.{library.__name__}"
    print(f"{mine.__name__}: using {name} until yours passes its check")
    return library


def repository_root(start: Path | None = None) -> Path | None:
    """Return the course folder (`course/` and pyproject.toml in it) at or above `start`, or None.

    start: the working directory by default.
    """
    for folder in [start or Path.cwd(), *(start or Path.cwd()).resolve().parents]:
        if (folder / "course").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    return None
