"""Find the tensors in the safetensors files of a folder, and read them one by one.

A folder holds `model.safetensors`, or shards that `model.safetensors.index.json` lists. Pickles are
never read. What is missing, cut off or no such file is one line: expected, got, remedy.

unit: 08_transformers
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jaxtyping import Shaped
from safetensors import SafetensorError, safe_open
from torch import Tensor

from llmcourse.arguments import shown

CONFIG, WEIGHTS = "config.json", "model.safetensors"
INDEX = "model.safetensors.index.json"
# Buffers that earlier versions stored: the causal mask of GPT-2, the frequencies of rotary angles.
COMPUTED = re.compile(
    r"h\.\d+\.attn\.(masked_)?bias|(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq"
)


class Stored(NamedTuple):
    """A tensor in a file, not read yet."""

    name: str  # with its prefix
    path: Path
    file: Any  # safetensors' handle

    def shape(self) -> tuple[int, ...]:
        """Return the shape, from the header."""
        return tuple(self.file.get_slice(self.name).get_shape())

    def dtype(self) -> str:
        """Return safetensors' name of the dtype, from the header."""
        return self.file.get_slice(self.name).get_dtype()

    def read(self) -> Shaped[Tensor, "..."]:
        """Return the tensor; its memory may be that of the file."""
        return self.file.get_tensor(self.name)


def json_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file."""
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the file {path}, got none: give the folder of a checkpoint, with {CONFIG} "
            f"and {WEIGHTS}"
        )
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested too deeply
        raise ValueError(f"expected JSON in {path}, got {error}: fetch the file again") from None
    if not isinstance(contents, dict):
        kind = type(contents).__name__
        raise ValueError(f"expected an object in {path}, got {kind}: fetch the file again")
    return contents


def stored_tensors(folder: Path, prefix: str, opened: Callable[[Path], Any]) -> dict[str, Stored]:
    """Return the tensors in a folder by their names without prefix."""
    found: dict[str, Stored] = {}
    for path, names in _files(folder).items():
        file = opened(path)
        inside = set(file.keys())
        for name in sorted((names or inside) | inside):
            if name not in inside:
                raise ValueError(
                    f"expected the tensor {name!r} in {path}, as {INDEX} says, got none: fetch "
                    "both files again"
                )
            plain = name.removeprefix(prefix)
            if plain in found:
                raise ValueError(
                    f"expected each tensor once in {folder}, got {found[plain].name!r} and "
                    f"{name!r}: remove one"
                )
            if not COMPUTED.fullmatch(plain):
                found[plain] = Stored(name, path, file)
    return found


def _files(folder: Path) -> dict[Path, set[str] | None]:
    """Return the files with weights; for shards, with the names that the index says are inside."""
    if (folder / WEIGHTS).is_file():
        return {folder / WEIGHTS: None}
    if not (folder / INDEX).is_file():
        pickles = sorted(path.name for path in folder.glob("*.bin"))
        got = f"{pickles[0]}, a pickle, which can run code when it is read" if pickles else "none"
        raise FileNotFoundError(
            f"expected {WEIGHTS} or {INDEX} in {folder}, got {got}: take the checkpoint in "
            "safetensors form"
        )
    weight_map = json_object(folder / INDEX).get("weight_map")
    if not isinstance(weight_map, dict):
        raise ValueError(
            f"expected an object weight_map in {folder / INDEX}, got {shown(weight_map)}: fetch "
            "the file again"
        )
    shards: dict[Path, set[str] | None] = {}
    for name, file in weight_map.items():
        if not isinstance(file, str) or file != Path(file).name:
            raise ValueError(
                f"expected the name of a file beside it for {name!r} in {folder / INDEX}, got "
                f"{shown(file)}: fetch the file again"
            )
        shards.setdefault(folder / file, set()).add(name)
    for path in shards:
        if not path.is_file():
            raise FileNotFoundError(
                f"expected the shard {path}, as {INDEX} says, got none: fetch it"
            )
    return shards


def opened_file(path: Path) -> Any:
    """Return safetensors' handle of a file, which is to be closed.

    Raises ValueError for a file that is cut off or is no safetensors file.
    """
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        cause = " ".join(str(error).split())
        raise ValueError(
            f"expected a whole safetensors file, got {path} of {path.stat().st_size} bytes "
            f"({cause}): fetch it again"
        ) from None
