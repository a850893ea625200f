"""Real English: what every Python carries, and tiny Shakespeare where it can be had.

`text("manual")` is the language manual inside CPython (`pydoc_data.topics`, about 460 kB of prose)
and `text("docstrings")` the documentation of a fixed list of standard modules: both need no
download and vary a little with the Python version, so `fingerprint` names what a result was
measured on. `text("tinyshakespeare")` looks in the folder LLMCOURSE_DATA, then in pooch's cache,
then on the network, and checks the sha256.

Left out: tokenizers and batches, which the units build.

source: tiny Shakespeare was made by A. Karpathy for char-rnn, 2015, from the plays of Shakespeare;
the analogy questions are Mikolov's, 2013, arXiv:1301.3781.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import logging
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from llmcourse.arguments import a_string

MODULES = (
    "argparse", "ast", "bisect", "calendar", "collections", "configparser", "contextlib",
    "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions",
    "functools", "gettext", "glob", "gzip", "heapq", "inspect", "itertools", "json", "logging",
    "math", "operator", "os", "pathlib", "pickle", "pprint", "queue", "random", "re", "sched",
    "shlex", "shutil", "socket", "statistics", "string", "struct", "subprocess", "tarfile",
    "tempfile", "textwrap", "threading", "timeit", "traceback", "types", "unittest",
    "urllib.parse", "uuid", "weakref", "zipfile",
)  # fmt: skip


class DataError(ValueError):
    """A text that does not exist or cannot be had; one line with the remedy."""


class FolderError(DataError):
    """LLMCOURSE_DATA names a folder that does not exist: another text would hide the mistake."""


@dataclass(frozen=True)
class Download:
    """A file on the network: its name in LLMCOURSE_DATA and the cache, its URL and sha256."""

    file: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Corpus:
    """A text cut in two: `train` to learn from, `held_out` (the last part) to measure on."""

    name: str
    train: str
    held_out: str


DOWNLOADS = {
    "tinyshakespeare": Download(
        "tinyshakespeare.txt",
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
    "questions-words": Download(
        "questions-words.txt",
        "https://raw.githubusercontent.com/tmikolov/word2vec/master/questions-words.txt",
        "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36",
    ),
}
BUILT_IN = ("manual", "docstrings")


@cache
def text(name: str) -> str:
    """Return the whole text called `name`, one of BUILT_IN or DOWNLOADS.

    Raises DataError for an unknown name, a local file with another content than expected, and a
    text that is neither local nor cached and cannot be downloaded within seconds.
    """
    if name == "manual":
        topics = importlib.import_module("pydoc_data.topics").topics
        return "\n\n".join(topics[key].strip() for key in sorted(topics)) + "\n"
    if name == "docstrings":
        return "\n\n".join(doc for module in MODULES for doc in _docstrings(module)) + "\n"
    if name in DOWNLOADS:
        return _fetch(name, DOWNLOADS[name]).decode("utf-8")
    names = ", ".join((*BUILT_IN, *DOWNLOADS))
    raise DataError(f"expected one of {names}, got {name!r}: choose one of these texts")


def fingerprint(name: str) -> str:
    """Return the first 12 hex digits of the sha256 of `text(name)` in UTF-8."""
    return hashlib.sha256(text(name).encode("utf-8")).hexdigest()[:12]


def words(text: str) -> list[str]:
    """Return words, the ending 's on its own, and single punctuation marks, in order; no spaces.

    Combining marks (the vowel signs of Hindi and Thai, an accent after its letter) belong to the
    character before them. Half of a surrogate pair counts as a mark: nothing is encoded here.

    >>> words("Mia's son didn't wait, did he?")
    ['Mia', "'s", 'son', "didn't", 'wait', ',', 'did', 'he', '?']
    """
    a_string(text)
    return _words().findall(text)


@cache
def _words() -> re.Pattern[str]:
    on_top = word_marks()
    letter, word, end = rf"[\w{on_top}]", rf"\w[\w{on_top}]*", rf"(?![\w{on_top}])"
    return re.compile(rf"\w{letter}*?(?='s{end})|'s{end}|{word}(?:'{word})*|[^\w\s][{on_top}]*")


@cache
def word_marks() -> str:
    """Return the combining marks of Unicode, and the two joiners, as ranges of a character class.

    They are no letters for Python's `\\w`, but stand inside the words of many scripts.
    """
    joiners = (0x200C, 0x200D)  # zero width: Persian and Hindi words hold them
    planes = (range(0x300, 0x20000), range(0xE0100, 0xE01F0))  # the others have no marks
    marks = [c for plane in planes for c in plane if unicodedata.category(chr(c))[0] == "M"]
    return character_ranges([*marks, *joiners])


def character_ranges(codes: Iterable[int]) -> str:
    """Return code points as the ranges of a character class.

    >>> character_ranges([97, 98, 99, 120])
    'a-cx-x'
    """
    known = set(codes)
    starts = sorted(c for c in known if c - 1 not in known)
    ends = sorted(c for c in known if c + 1 not in known)
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


def split(text: str, held_out: float = 0.1) -> tuple[str, str]:
    """Return (train, held out); the last `held_out` of the characters, at least one, are held out.

    Raises ValueError for a fraction outside (0, 1) or a text with fewer than two characters.
    """
    if not 0 < held_out < 1:
        raise ValueError(
            f"expected held_out between 0 and 1, got {held_out}: 0.1 holds out the last tenth"
        )
    if len(text) < 2:
        raise ValueError(f"expected 2 or more characters, got {len(text)}: there is nothing to cut")
    cut = min(max(int(len(text) * (1 - held_out)), 1), len(text) - 1)
    return text[:cut], text[cut:]


@cache
def english() -> Corpus:
    """Return tiny Shakespeare if it is here or can be downloaded, else the manual.

    `name` says which. The last 10 % of the characters are held out. A missing network is no error;
    raises DataError where LLMCOURSE_DATA names a folder that does not exist.
    """
    try:
        name, whole = "tinyshakespeare", text("tinyshakespeare")
    except FolderError:
        raise
    except DataError:
        name, whole = "manual", text("manual")
    return Corpus(name, *split(whole))


# --- where texts come from ----------------------------------------------------------------


def _docstrings(module_name: str) -> list[str]:
    """Return docstrings of a module, its public classes and functions, and their public methods."""
    module = importlib.import_module(module_name)
    docs = [inspect.getdoc(module)]
    for name, member in sorted(vars(module).items()):
        if name.startswith("_") or getattr(member, "__module__", None) != module_name:
            continue
        if inspect.isclass(member):
            docs.append(inspect.getdoc(member))
            methods = sorted(vars(member).items())
            docs += [inspect.getdoc(m) for n, m in methods if inspect.isfunction(m) and n[0] != "_"]
        elif inspect.isfunction(member):
            docs.append(inspect.getdoc(member))
    return list(dict.fromkeys(doc for doc in docs if doc))


def local_folder() -> Path | None:
    """Return the folder that LLMCOURSE_DATA names; None where it is not set.

    A relative name is looked for from the working directory upwards, since a notebook runs in its
    own folder: `data`, beside the course, is found from every unit. Raises DataError where there is
    no such folder.
    """
    name = os.environ.get("LLMCOURSE_DATA")
    if not name:
        return None
    here = Path.cwd()
    places = [place / Path(name).expanduser() for place in (here, *here.parents)]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise FolderError(
            f"expected a folder in LLMCOURSE_DATA, got {name!r}, which does not exist: set it to "
            f"the whole path, or unset it (built in, without download: {', '.join(BUILT_IN)})"
        )
    return found.resolve()


def _fetch(name: str, source: Download) -> bytes:
    """Return the bytes of a download: local folder, cache, network."""
    folder = local_folder()
    if folder and (folder / source.file).is_file():
        content = (folder / source.file).read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != source.sha256:
            raise DataError(
                f"expected {source.file} in LLMCOURSE_DATA with sha256 {source.sha256[:12]}..., "
                f"got {found[:12]}...: replace the file or remove it"
            )
        return content
    try:
        return Path(_download(source)).read_bytes()
    except Exception as error:  # requests, urllib3, pooch and the disk each raise their own
        raise DataError(
            f"expected {source.file} in LLMCOURSE_DATA, the cache or on the network, got "
            f"{type(error).__name__}: put it in a folder and set LLMCOURSE_DATA to it "
            f"(built in, without download: {', '.join(BUILT_IN)})"
        ) from None


def _download(source: Download) -> str:
    """Return the file's path in pooch's cache, downloaded if need be (atomic, hash checked)."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        return str(
            pooch.retrieve(
                source.url,
                known_hash=source.sha256,
                fname=source.file,
                path=pooch.os_cache("llmcourse"),
                downloader=pooch.HTTPDownloader(timeout=5),
            )
        )
    finally:
        logger.setLevel(level)
