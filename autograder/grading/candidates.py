"""Which file of a folder or archive is the notebook that was handed in.

Files that systems and programs create on their own ("companions") are ignored everywhere. The
notebook with the unit's name counts, in the folder or below it (an unpacked archive is often one
folder too deep), else the only one. Between two, or without any, nothing is chosen, and the error
lists the files that are there.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath, PurePosixPath

from autograder.errors import Unreadable

FILES, LEVELS = 1_000, 4  # looked at below a folder
SHOWN, LETTERS = 5, 60  # names in a message, letters of each
COMPANIONS = frozenset({
    ".ds_store", "__macosx", ".appledouble", ".apdisk", ".localized", ".fseventsd", ".trashes",
    ".spotlight-v100", "icon\r", "thumbs.db", "thumbs.db:encryptable", "ehthumbs.db",
    "ehthumbs_vista.db", "desktop.ini", "$recycle.bin", "system volume information", ".directory",
    "lost+found", "@eadir", ".stfolder", ".dropbox", ".dropbox.cache", ".ipynb_checkpoints",
    ".virtual_documents", ".jupyter", ".ipython", ".jupyter_ystore.db", "__pycache__",
    ".pytest_cache", ".mypy_cache", ".ruff_cache", ".git", ".gitignore", ".gitkeep",
    ".gitattributes", ".svn", ".hg", ".idea", ".vscode", ".venv", "venv", "node_modules",
    "site-packages",
})  # fmt: skip
COMPANION = re.compile(
    r"(\._|~\$|\.~|\.#|\.nfs|\.trash-|\.fuse_hidden|\.goutputstream).*"
    r"|.*(-checkpoint\.ipynb|\.tmp|~|\.swp|\.swo|\.part|\.crdownload|\.download|:zone\.identifier)"
    r"|#.*#"
)
NOTEBOOK = re.compile(r"(?P<stem>.*)\.ipynb(\.json|\.txt)?", re.IGNORECASE)  # as browsers save it


def is_companion(path: PurePosixPath) -> bool:
    """Say whether a file, or a folder above it, was left by a system or program.

    >>> [is_companion(PurePosixPath(p)) for p in ("__MACOSX/a/._b.ipynb", "~$b.ipynb", "b.ipynb")]
    [True, True, False]
    """
    names = [part.casefold() for part in path.parts]
    return any(name in COMPANIONS or COMPANION.fullmatch(name) for name in names)


def is_notebook(path: PurePosixPath) -> bool:
    """Say whether a name is that of a notebook, as Jupyter or a browser writes it."""
    return NOTEBOOK.fullmatch(path.name) is not None


def is_archive(path: PurePath) -> bool:
    """Say whether a name is that of a zip archive."""
    return path.suffix.lower() == ".zip"


def below(folder: Path) -> list[PurePosixPath]:
    """Return the names of the files and empty folders below a folder, without companions.

    Links are not followed. Raises Unreadable for more than `FILES`.
    """
    found, level, seen = list[PurePosixPath](), [PurePosixPath()], 0
    for depth in range(LEVELS):
        deeper = list[PurePosixPath]()
        for path in level:
            empty = True
            with os.scandir(folder / path) as entries:
                for entry in entries:
                    if is_companion(name := path / entry.name):
                        continue
                    empty, seen = False, seen + 1
                    if seen > FILES:
                        raise Unreadable(
                            f"more than {FILES} files in {folder.name}: hand in the notebook alone"
                        )
                    (deeper if entry.is_dir(follow_symlinks=False) else found).append(name)
            found += [path] if empty and depth else []
        level = sorted(deeper)
    return sorted([*found, *level])


def chosen(
    found: Sequence[PurePosixPath],
    seen: Sequence[PurePosixPath],
    slug: str,
    where: str,
    show: Callable[[object], str] = str,
) -> PurePosixPath:
    """Return the notebook that counts among those found.

    Raises Unreadable if several could, or if there is none; the error then lists what was `seen`.
    """
    named = [name for name in found if _stem(name) == slug.casefold()]
    best = _shallowest(named) or _shallowest(found)
    if len(best) != 1:
        raise Unreadable(
            f"expected one notebook in {where}, got {len(best)} ({shown(best or seen, show)})"
        )
    return best[0]


def _stem(path: PurePosixPath) -> str:
    match = NOTEBOOK.fullmatch(path.name)
    return (match["stem"] if match else path.stem).casefold()


def _shallowest(names: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    least = min((len(name.parts) for name in names), default=0)
    return [name for name in names if len(name.parts) == least]


def shown(names: Iterable[object], show: Callable[[object], str] = str) -> str:
    """Return a few names for a message.

    >>> shown(["a.ipynb", "b", "c", "d", "e", "f"])
    'a.ipynb, b, c, d, e, ...'
    """
    texts = list(names)
    listed = [show(text)[:LETTERS] for text in texts[:SHOWN]]
    return ", ".join([*listed, *["..."] * (len(texts) > SHOWN)]) or "none"
