"""All data sets of the world by name, and how to keep one on disk.

`load("reviews", 100)` streams what `reviews(100)` streams. With a `cache` folder the records are
written there once, as JSON lines, and read from there afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache as once
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from llmcourse.world.chat.conversations import dialogues
from llmcourse.world.chat.fact_questions import questions, unknown_questions
from llmcourse.world.chat.preference_pairs import preferences
from llmcourse.world.chat.small_tasks import instructions
from llmcourse.world.engine.splits import check_choice
from llmcourse.world.language.second_language import parallel
from llmcourse.world.story.agreement import agreement_pairs
from llmcourse.world.story.telling import stories
from llmcourse.world.story.transcripts import transcript_pairs
from llmcourse.world.tasks.few_shot import episodes
from llmcourse.world.tasks.inferences import entailment
from llmcourse.world.tasks.minimal_pairs import acceptability
from llmcourse.world.tasks.opinions import reviews
from llmcourse.world.tasks.pronouns import coreference
from llmcourse.world.tasks.queries import retrieval
from llmcourse.world.tasks.senses import word_senses
from llmcourse.world.tasks.sentence_pairs import similarity
from llmcourse.world.tasks.spans import span_questions
from llmcourse.world.tasks.sums import arithmetic
from llmcourse.world.tasks.tagging import tagged

DATASETS: dict[str, Callable[..., Iterable[Any]]] = {
    make.__name__: make
    for make in (
        stories,
        agreement_pairs,
        transcript_pairs,
        parallel,
        tagged,
        word_senses,
        coreference,
        reviews,
        acceptability,
        similarity,
        entailment,
        span_questions,
        questions,
        unknown_questions,
        retrieval,
        dialogues,
        instructions,
        preferences,
        arithmetic,
        episodes,
    )
}


def load(name: str, n: int, *, cache: str | Path | None = None, **options: Any) -> Iterator[Any]:
    """Stream the `n` records that the function `name` gives with these options.

    With `cache`, an existing folder, the records are in `cache/<name>-<hash>.jsonl`, written whole
    before the first one is given; the hash is of the name, the size, the options and the world's
    own code, so a file is never read for another configuration. Raises ValueError for an unknown
    data set, a folder that does not exist, and whatever the data set's function raises it for.
    """
    check_choice(name, DATASETS, "data set")
    records = iter(DATASETS[name](n, **options))
    if cache is None:
        return records
    folder = Path(cache)
    if not folder.is_dir():
        raise ValueError(
            f"expected an existing folder for the cache, got {folder}: make it, or leave cache out"
        )
    path = folder / f"{name}-{_hash(name, n, options)}.jsonl"
    if not path.exists():
        _write(path, records)
    return _read(path, record_type(name))


def record_type(name: str) -> type:
    """Return the dataclass that the data set `name` consists of."""
    return get_args(get_type_hints(DATASETS[name])["return"])[0]


def _hash(name: str, n: int, options: dict[str, Any]) -> str:
    configuration = json.dumps([name, n, options, world_version()], sort_keys=True)
    return hashlib.sha256(configuration.encode()).hexdigest()[:16]


@once
def world_version() -> str:
    """Return a hash of the code and the texts that write the world, 16 hex digits.

    With other code or other texts the records may be others.
    """
    return _hash_of(Path(__file__).parent)


def _hash_of(folder: Path) -> str:
    """Hash every module and text under the folder, in all its rooms, by path and content."""
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("py", "txt") for path in folder.rglob(f"*.{kind}")):
        name = path.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _write(path: Path, records: Iterable[Any]) -> None:
    """Write all records or no file: a part is written beside it, then renamed."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps(record, default=vars, ensure_ascii=False) + "\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path, kind: type) -> Iterator[Any]:
    decode = _decoder(kind)
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield decode(json.loads(line))


@once
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """Make a value of this type again of what JSON made of it."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        parts = [(f.name, _decoder(hints[f.name])) for f in fields(kind)]
        return lambda value: kind(*[decode(value[name]) for name, decode in parts])
    if get_origin(kind) is tuple:
        return _tuple_decoder(get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        (some,) = (_decoder(k) for k in get_args(kind) if k is not type(None))
        return lambda value: None if value is None else some(value)
    return _same


def _tuple_decoder(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    if kinds[-1] is not Ellipsis:
        each = [_decoder(kind) for kind in kinds]
        return lambda value: tuple(d(v) for d, v in zip(each, value, strict=True))
    one = _decoder(kinds[0])
    return tuple if one is _same else lambda value: tuple(map(one, value))


def _same(value: Any) -> Any:
    return value
