"""Structure-aware fuzzing of all that comes from a learner: `python -m tests.fuzz 100000`.

Four kinds of input, each begun as something real and then changed where its structure is:
notebooks, archives, replies of a sandbox to a call, outputs of a cell. A check fails for what must
never be: an exception that is no refusal, more seconds of processor than `SECONDS`, a cell that is
not the released one, a point earned. The choices come from a `random.Random`, so hypothesis can
make (and shrink) them, too. The command writes `tests/fuzz.md`.
"""

import contextlib
import copy
import functools
import gc
import io
import json
import os
import random
import socket
import stat
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tqdm import tqdm

from autograder.errors import Unreadable
from autograder.exercise import (
    Exercise,
    Mistake,
    expect_equal,
    expect_near,
    expect_that,
    fraction,
    mark,
)
from autograder.grading import policy
from autograder.grading.archive import notebook_in
from autograder.grading.ingest import FILE_BYTES, parse
from autograder.grading.program import rebuild
from autograder.sandbox import wire
from autograder.sandbox.limits import Limits
from autograder.sandbox.outputs import SIGNATURES, clean_outputs
from autograder.sandbox.patience import Patience
from autograder.sandbox.session import Calls
from tests.submissions import toy
from tests.submissions.hostile import ATTACKS, BROKEN, HONEST

SECONDS = 5.0  # of the processor, for one input
SECRET = 271828.18284
RELEASED = toy.released()
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 4, 2**63, 10**30, 1e308, -0.0, "", "x", "\ud800", "\0", "mean"),
    *([], {}, [[]], [None], {"": None}, "code", "markdown", "raw", "solution", "<script>"),
    *("mean_check", "why", ["skip-execution"], {"nbgrader": 5}, {"grade_id": "mean", "points": 99}),
]


def notebook(rng: random.Random) -> bytes:
    """The released notebook, solved or attacked, with a few parts of its tree or bytes changed."""
    tree = copy.deepcopy(rng.choice(_trees()))
    for _ in range(rng.randrange(1, 7)):
        _change(tree, rng)
    data = json.dumps(tree).encode()
    return _damaged(data, rng) if rng.random() < 0.3 else data


@functools.cache
def _trees() -> list[Any]:
    """The tricks that are notebooks, as trees; not to be changed."""
    made = []
    for trick in (*ATTACKS, *HONEST, *BROKEN):
        data = trick.make(toy.released(), toy.RIGHT, "mean")
        with contextlib.suppress(ValueError, RecursionError):
            made.append(json.loads(data.decode("utf-8-sig")))
    return [tree for tree in made if isinstance(tree, dict) and _size(tree) < 100_000]


def _size(tree: Any) -> int:
    try:
        return len(json.dumps(tree))
    except RecursionError:
        return sys.maxsize


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a tree of lists and dicts."""
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        found += [(node, key) for key in keys]
        todo += [node[key] for key in keys if isinstance(node[key], list | dict)]
    return found


def _change(tree: Any, rng: random.Random) -> None:
    places = _places(tree)
    if not places:
        return
    (node, key), (other, there) = rng.choice(places), rng.choice(places)
    how = rng.randrange(6)
    if how == 0:
        node[key] = copy.deepcopy(rng.choice(ODD))
    elif how == 1:
        del node[key]
    elif how == 2:
        node[key] = copy.deepcopy(other[there])
    elif how == 3 and isinstance(node, list):
        node.insert(rng.randrange(len(node) + 1), copy.deepcopy(node[key]))
    elif how == 4 and isinstance(node, dict):
        node[rng.choice(("source", "id", "metadata", "nbgrader", "cell_type", "cells"))] = node[key]
    elif isinstance(node[key], str):
        node[key] = _damaged(node[key].encode("utf-8", "replace"), rng).decode("latin-1")


def _damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut, doubled or put in at a place or two."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        piece = data[at : at + rng.randrange(1, 40)]
        new = rng.choice((b"", b"\0", b"\xff\xff\xff\xff", b"[", b'"', b"9" * 30, 2 * piece))
        data = data[:at] + new + data[at + len(piece) :]
    return data[: rng.randrange(len(data) + 1)] if rng.random() < 0.1 else data


def check_notebook(data: bytes) -> str:
    """Refused, or the released cells, each once, with nothing but the learner's sources."""
    try:
        submission = parse(data)
    except Unreadable as error:
        return _refused(error)
    rebuilt = rebuild(submission, RELEASED)
    theirs = ("part", "extra", "note")
    kept = {c.notebook["id"]: c for c in rebuilt.cells if c.role not in theirs}
    added = [cell for cell in rebuilt.cells if cell.role in theirs]
    assert len(kept) + len(added) == len(rebuilt.cells)
    assert set(kept) == {cell["id"] for cell in RELEASED["cells"]}
    sources = {cell.source for cell in submission.cells}
    for released in RELEASED["cells"]:
        cell = kept[released["id"]]
        assert {**cell.notebook, "source": 0} == {**released, "source": 0}
        texts = cell.source.split("\n\n") if cell.role == "written" else [cell.source]
        own = cell.role in ("solution", "written") and all(
            any(text.strip() in source for source in sources) for text in texts
        )
        assert own or cell.source == released["source"]
    for cell in added:
        assert cell.source in sources and cell.notebook["metadata"] == {}
    texts = [cell.source for cell in rebuilt.cells]
    shown = "\n".join([*texts, *(cell["source"] for cell in RELEASED["cells"])])
    assert all(cell.source.strip() in shown for cell in submission.cells)
    assert all(isinstance(notice, str) and len(notice) < 500 for notice in rebuilt.notices)
    policy.forbidden_use("mean", ("numpy.mean",), sorted(sources), [])
    return "read"


def _refused(error: Unreadable) -> str:
    assert 10 < len(str(error)) < 500 and "\n" not in str(error)
    return "refused"


def archive(rng: random.Random) -> bytes:
    """A zip as a learner would make it, or one of odd entries, sometimes damaged."""
    buffer = io.BytesIO()
    names, kinds, methods = ["b/data.csv", "b/", "__MACOSX/c.ipynb"], [0, stat.S_IFREG], [0, 8]
    if rng.random() < 0.5:
        names += ["A.ipynb", "../d.ipynb", "/e", "f.zip", "C:g", "h\\i", "é", "", "a.ipynb"]
        kinds += [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR]
        methods += [12, 14]
    chosen = ["a.ipynb", *rng.sample(names, rng.randrange(3))]
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as made:
        warnings.simplefilter("ignore", UserWarning)
        for name in chosen:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.external_attr = rng.choice(kinds) << 16
            made.writestr(info, notebook(rng) if name == "a.ipynb" else b"", rng.choice(methods))
    data = buffer.getvalue()
    return _damaged(data, rng) if rng.random() < 0.3 else data


def check_archive(data: bytes) -> str:
    """Refused, or no more than a notebook may have, which is read as one."""
    try:
        found = notebook_in(data, FILE_BYTES)
    except Unreadable as error:
        return _refused(error)
    assert isinstance(found, bytes) and len(found) <= FILE_BYTES + 1
    return check_notebook(found)


def replies(rng: random.Random) -> bytes:
    """What a sandbox may send for a call: frames of calls, values and nonsense."""
    stream = b""
    for _ in range(rng.randrange(1, 5)):
        payload = _payload(rng)
        length = len(payload) if rng.random() < 0.95 else rng.choice((0, 2**20, 2**62, 2**64 - 1))
        stream += length.to_bytes(8, "big") + payload
    return _damaged(stream, rng) if rng.random() < 0.2 else stream


def _payload(rng: random.Random) -> bytes:
    call = {"call": rng.choice((0, 0, 1, -1, 9, "0")), "args": (_value(rng, 2),), "keywords": {}}
    raised = {"raised": [rng.choice(("ValueError", "int", "Mine"))], "message": "m"}
    silent = {"no": rng.choice(("missing", "timeout", "policy", 5))}
    returned = {"returned": _value(rng)}
    reply = rng.choice((returned, returned, returned, call, raised, silent, _value(rng)))
    payload = wire.pack(reply)
    if rng.random() < 0.7:
        return payload
    size = int.from_bytes(payload[:4], "big")
    header = json.loads(payload[4 : 4 + size])
    for _ in range(rng.randrange(1, 4)):
        if isinstance(header, list):
            _change(header, rng)
    text = json.dumps(header).encode()
    return len(text).to_bytes(4, "big") + text + payload[4 + size :]


def _value(rng: random.Random, depth: int = 3) -> Any:
    """A plain value; never the one that is wanted."""
    import numpy

    if depth and rng.random() < 0.5:
        items = [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
        keys = map(repr, items)
        return rng.choice((items, tuple(items), dict(zip(keys, items, strict=True))))
    dtype = rng.choice(("float32", "int8", "bool", "complex64"))
    array = numpy.ones([rng.randrange(3) for _ in range(rng.randrange(3))], dtype)
    odd = (None, True, 2**70, float("nan"), float("inf"), -0.0, 1j, "é\ud800", b"\0", {1, 2}, array)
    return rng.choice(odd)


wanted = Exercise("wanted", given={"twice": lambda x: 2 * x}, seconds=2.0)


@wanted.case(weight=1, property="a number that no input holds")
def _number(rng: random.Random) -> Any:
    yield (
        (lambda x: x,),
        expect_near(SECRET, 1e-9, hint="think", mistakes=[Mistake(SECRET / 2, "half")]),
    )


@wanted.case(weight=1, property="a table")
def _table(rng: random.Random) -> Any:
    yield (1,), expect_equal({"a": [SECRET]}, hint="think", mistakes=[Mistake({"a": [None]}, "b")])


@wanted.case(weight=1, property="a predicate")
def _predicate(rng: random.Random) -> Any:
    yield (1,), expect_that(lambda value: value["a"][0] == SECRET, hint="think")


def check_replies(stream: bytes) -> str:
    """No reply earns a point; each failed case has a message."""
    theirs: list[socket.socket] = []

    def fork(kept: str) -> socket.socket:
        ours, other = socket.socketpair()
        other.sendall(stream[:60_000])
        other.shutdown(socket.SHUT_WR)
        theirs.append(other)
        return ours

    def patience(seconds: float) -> Patience:
        return Patience(os.getpid(), seconds, 60.0)

    limits = Limits(exercise_seconds=4.0)
    session: Any = SimpleNamespace(
        fork=fork, kept="", patience=patience, spend=lambda patience: None, spent=0.0, limits=limits
    )
    with Calls(session, "wanted") as calls:
        results = mark(wanted, calls.ask, b"seed", lambda answer: answer(1))
    for other in theirs:
        other.close()
    assert fraction(results) == 0 and all(r.message for r in results if not r.passed)
    return results[0].message.split(" (")[0][:40]


def outputs(rng: random.Random) -> Any:
    """What a runner may claim that a cell showed."""
    picture = "iVBORw0KGgoAAAANSUhEUg=="
    claimed: list[Any] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * rng.choice((1, 1000))},
        {"output_type": "display_data", "data": {"image/png": picture, "text/html": "<script>"}},
        {"output_type": "execute_result", "data": {"text/plain": "5.0"}, "execution_count": 1},
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["a", "b"]},
    ]
    for _ in range(rng.randrange(1, 8)):
        _change(claimed, rng)
    return claimed


def check_outputs(claimed: Any) -> str:
    """Text and pictures, as a notebook holds them, within the cap."""
    kept = clean_outputs(claimed, 5_000)
    text = json.dumps(kept, ensure_ascii=False).encode()
    assert len(text) < 6_500
    for output in kept:
        assert set(output.get("data", {})) <= {"text/plain", *SIGNATURES}
        assert b"<script>" not in json.dumps(output.get("data", {})).encode() or (
            "<script>" in output["data"]["text/plain"]
        )
    return f"{len(kept)} kept"


TARGETS: dict[str, tuple[Callable[[random.Random], Any], Callable[[Any], str]]] = {
    "notebooks": (notebook, check_notebook),
    "archives": (archive, check_archive),
    "replies": (replies, check_replies),
    "outputs": (outputs, check_outputs),
}


def check(name: str, rng: random.Random) -> tuple[str, float]:
    """One input of a kind: what became of it, in how many seconds of the processor.

    No garbage is collected meanwhile: where an input has used up the recursion limit, the
    finalizers of what other tests left cannot run, and pytest would blame this one.
    """
    make, verdict = TARGETS[name]
    gc.disable()
    try:
        value = make(rng)
        started = time.thread_time()
        came = verdict(value)
        took = time.thread_time() - started
    finally:
        gc.enable()
    assert took < SECONDS, f"{took:.1f} seconds"
    return came, took


def main(count: int, seed: int) -> None:
    """Check `count` inputs, the kinds in turn, and write what was seen; stops at the first failure
    with the seed that makes it again.
    """
    lines, began = [], time.monotonic()
    for name in TARGETS:
        came: Counter[str] = Counter()
        slowest = 0.0
        for number in tqdm(range(count // len(TARGETS)), desc=name, mininterval=5):
            try:
                result, took = check(name, random.Random(f"{seed} {name} {number}"))
            except BaseException:
                print(f"failed: random.Random('{seed} {name} {number}')", file=sys.stderr)
                raise
            came[result] += 1
            slowest = max(slowest, took)
        common = ", ".join(f"{times:,} {what}" for what, times in came.most_common(4))
        lines.append(f"| {name} | {came.total():,} | {slowest:.2f} | {common} |")
    minutes = (time.monotonic() - began) / 60
    about = f"`python -m tests.fuzz {count} {seed}`, {datetime.now(UTC):%Y-%m-%d}"
    head = "| kind | inputs | slowest, s of processor | outcomes |\n|---|---|---|---|"
    text = f"# Fuzzing\n\n{about}, {minutes:.1f} minutes: no crash, no hang, no false grade.\n\n"
    Path(__file__).with_suffix(".md").write_text(text + "\n".join([head, *lines, ""]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
