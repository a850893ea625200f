"""Plain values as bytes, for a socket whose other end is hostile (`frames` carries them).

A payload is a 4-byte length, a JSON header of that length, then raw bytes (arrays, `bytes`) in the
order the header names them. Reading builds only fresh objects of exactly these types: None, bool,
int, float, complex, str, bytes, list, tuple, set, frozenset, dict, ndarray, `Opaque`, and what the
caller's `proxy` makes of a callable's number. Nothing is unpickled, nothing is looked up by a name
that arrived.

Writing is generous, so that an honest answer in an odd container arrives:

- a subclass becomes its base (Counter: dict, namedtuple: tuple), and what is a number, a mapping, a
  set or a sequence by its methods (UserDict) becomes the built-in one;
- Fraction and Decimal become floats, and numpy scalars Python numbers, except float32 and float16,
  whose precision a judge must know;
- range, deque, dict views, iterators (of up to `DRAINED` items) and arrays of strings or objects
  become lists;
- tensors become ndarrays of the same dtype; bfloat16, which numpy lacks, becomes float32 with a
  note in the dtype's metadata.

Anything else (modules, classes, instances) becomes `Opaque`, which is equal to nothing but itself.
This file is copied beside the runner, so it imports the standard library only (and numpy for an
array).
"""

import collections.abc
import decimal
import fractions
import itertools
import json
import math
import numbers
import re
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

FRAME_BYTES = 64 * 2**20  # one payload, both directions
HEADER_BYTES = 16 * 2**20  # its JSON part
ELEMENTS = 1_000_000  # values in one frame, nested ones included (an array counts as one)
DEPTH = 60  # containers inside containers
INT_BITS = 14_000  # Python prints no longer ones, since that takes quadratic time
HASHING_SECONDS = 2.0  # of CPU for all sets and dicts of a frame; a million honest keys take 0.1
AT_ONCE = 500  # keys between two looks at the clock
FEW = 16  # keys: even if all collide, hashing them takes less time than reading the clock
DRAINED = 100_000  # items taken from an iterator; one that has more is opaque
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NARROW = ("float16", "float32")  # scalars of these types stay what they are
SHORT, WAS = "bfloat16", "was"  # NumPy has no such type: float32 with {WAS: SHORT} as metadata
FLOATS = (*NARROW, "float64", SHORT)
DTYPES = frozenset(("bool", *INTEGERS, *FLOATS, "complex64", "complex128"))

STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # never reads a byte twice, closed or not
SURROGATE = re.compile("[\ud800-\udfff]")
VIEWS: Any = type({}.keys()) | type({}.values()) | type({}.items())
SEQUENCES: tuple[tuple[str, Any], ...] = (("l", list), ("t", tuple), ("s", set), ("f", frozenset))

Register = Callable[[Callable[..., Any]], int]
Proxy = Callable[[int], Any]


class WireError(Exception):
    """A value that cannot be sent, or bytes that are not a payload; the message says which."""


class Opaque:
    """A stand-in for a value that does not cross; `kind` is its type by name, at most 60 long."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind} object>"


# Writing


class _Writer:
    def __init__(self, register: Register | None) -> None:
        self.register, self.left = register, ELEMENTS
        self.raw: list[bytes] = []
        self.numpy: Any = sys.modules.get("numpy")
        self.torch: Any = sys.modules.get("torch")

    def value(self, value: Any, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0:
            raise WireError(f"more than {ELEMENTS} values in one message")
        if depth > DEPTH:
            raise WireError(f"nested more than {DEPTH} deep")
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int):
            return self.integer(int(value))
        if isinstance(value, float):
            return self.real(float(value))
        if isinstance(value, str):
            return self.text(str.__str__(value))
        if isinstance(value, complex):
            return ["c", self.real(value.real), self.real(value.imag)]
        if isinstance(value, bytes | bytearray | memoryview):
            self.raw.append(bytes(value))
            return ["b", len(self.raw[-1])]
        return self.container(value, depth + 1)

    def container(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return ["d", *(self.value(x, depth) for pair in dict.items(value) for x in pair)]
        for tag, kind in SEQUENCES:
            if isinstance(value, kind):
                return [tag, *(self.value(x, depth) for x in kind.__iter__(value))]
        if isinstance(value, fractions.Fraction | decimal.Decimal):
            return self.real(float(value))
        if self.torch and isinstance(value, self.torch.Tensor):
            return self.tensor(value, depth)
        if self.numpy and isinstance(value, self.numpy.generic):
            return self.scalar(value, depth)
        if self.numpy and isinstance(value, self.numpy.ndarray):
            return self.array(value, depth)
        if isinstance(value, range | collections.deque | VIEWS | collections.abc.Iterator):
            items = list(itertools.islice(iter(value), DRAINED + 1))
            if len(items) > DRAINED:
                return ["o", f"iterator of more than {DRAINED} items"]
            return ["l", *(self.value(x, depth) for x in items)]
        if isinstance(value, numbers.Real):
            built_in: Any = int if isinstance(value, numbers.Integral) else float
            return self.value(built_in(value), depth)
        if isinstance(value, collections.abc.Mapping):
            return ["d", *(self.value(x, depth) for key in value for x in (key, value[key]))]
        if isinstance(value, collections.abc.Set):
            return ["s", *(self.value(x, depth) for x in value)]
        if isinstance(value, collections.abc.Sequence):
            return ["l", *(self.value(x, depth) for x in value)]
        if hasattr(value, "tolist") and hasattr(value, "shape"):  # arrays of another library
            return self.value(value.tolist(), depth)
        if callable(value) and self.register is not None:
            return ["call", self.register(value)]
        return ["o", _name(type(value).__name__)]

    def integer(self, value: int) -> Any:
        if value.bit_length() > INT_BITS:
            raise WireError(f"an integer of more than {INT_BITS} bits")
        return value if -(2**63) <= value < 2**64 else ["n", hex(value)]

    def real(self, value: float) -> Any:
        return value if math.isfinite(value) else ["r", str(value)]

    def text(self, value: str) -> Any:
        """Send two lone surrogates as bytes, since JSON would join them into one character."""
        if not SURROGATE.search(value):
            return value
        self.raw.append(value.encode("utf-8", "surrogatepass"))
        return ["u", len(self.raw[-1])]

    def scalar(self, value: Any, depth: int) -> Any:
        if value.dtype.name == SHORT:
            return self.array(value, depth)
        if value.dtype.name in NARROW:
            return ["h", *self.array(value, depth)[1:]]
        return self.value(float(value) if value.dtype.kind == "f" else value.item(), depth)

    def tensor(self, value: Any, depth: int) -> Any:
        value = value.detach().cpu()
        if value.layout != self.torch.strided:
            value = value.to_dense()
        if value.dtype is self.torch.bfloat16:
            return self.array(value.float().numpy(), depth, SHORT)
        return self.array(value.resolve_conj().resolve_neg().numpy(), depth)

    def array(self, value: Any, depth: int, name: str = "") -> Any:
        value = self.numpy.asarray(value)
        name = name or (value.dtype.metadata or {}).get(WAS) or value.dtype.name
        if value.dtype.kind in "USO":
            return self.value(value.tolist(), depth)
        if value.dtype.kind == "f" and value.dtype.itemsize > 8:
            value = value.astype("float64")
            name = "float64"
        if name not in DTYPES:
            return ["o", _name(f"array of {name}")]
        if name == SHORT:
            value = value.astype("float32")
        if value.nbytes > FRAME_BYTES:
            raise WireError(f"an array of {value.nbytes} bytes; the limit is {FRAME_BYTES}")
        self.raw.append(value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes())
        return ["a", name, *value.shape]


def _name(name: object) -> str:
    return re.sub(r"[^\w .]", "?", str(name).encode("ascii", "replace").decode())[:60]


def pack(value: Any, register: Register | None = None) -> bytes:
    """Return the payload of `value`; callables become numbers by `register`, else are opaque.

    Raises WireError over any of the caps, and whatever an iterator among the values raises.
    """
    writer = _Writer(register)
    header = json.dumps(writer.value(value), allow_nan=False, separators=(",", ":")).encode("ascii")
    size = 4 + len(header) + sum(map(len, writer.raw))
    if len(header) > HEADER_BYTES or size > FRAME_BYTES:
        raise WireError(
            f"a message of {size} bytes; the limit is {FRAME_BYTES}, {HEADER_BYTES} without arrays"
        )
    return b"".join([struct.pack(">I", len(header)), header, *writer.raw])


# Reading


def unpack(data: bytes, proxy: Proxy | None = None) -> Any:
    """Return the value of a payload; WireError for what is malformed, oversized, or left over."""
    if len(data) < 4 or len(data) > FRAME_BYTES:
        raise WireError(f"a payload has 4 to {FRAME_BYTES} bytes, got {len(data)}")
    (length,) = struct.unpack_from(">I", data)
    if length > min(HEADER_BYTES, len(data) - 4):
        raise WireError(f"the header claims {length} bytes, {len(data) - 4} came")
    header = data[4 : 4 + length]
    _limit_elements(header)
    reader = _Reader(memoryview(data)[4 + length :], proxy)
    try:
        value = reader.value(json.loads(header, parse_constant=_refuse, parse_int=_integer))
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise WireError(f"malformed payload: {type(error).__name__}") from None
    if len(reader.raw):
        raise WireError(f"{len(reader.raw)} bytes left over")
    return value


def _limit_elements(header: bytes) -> None:
    """Refuse before parsing what would become too many objects (commas inside strings do not
    count).
    """
    if header.count(b",") + header.count(b"[") > ELEMENTS:
        header = STRING.sub(b"", header)
        if header.count(b",") > 2 * ELEMENTS or header.count(b"[") > ELEMENTS:
            raise WireError(f"more than {ELEMENTS} values in one message")


def _refuse(constant: str) -> None:
    raise WireError(f"{constant} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise WireError("long integers are sent tagged")
    return int(digits)


class _Reader:
    def __init__(self, raw: memoryview, proxy: Proxy | None) -> None:
        self.raw, self.proxy = raw, proxy
        self.hashing = HASHING_SECONDS

    def value(self, item: Any, depth: int = 0) -> Any:
        if isinstance(item, dict):
            raise WireError("a JSON object is no value")
        if not isinstance(item, list):
            return item
        if depth > DEPTH:
            raise WireError(f"nested more than {DEPTH} deep")
        if not item or not isinstance(item[0], str):
            raise WireError("a tagged value starts with its tag")
        tag, rest = item[0], item[1:]
        if tag in "ltsfd" and len(tag) == 1:
            return self.container(tag, [self.value(x, depth + 1) for x in rest])
        if tag == "a":
            return self.array(*rest)
        if tag == "h" and len(rest) == 1 and rest[0] in NARROW:
            return self.array(*rest)[()]
        if tag == "c":
            real, imag = (self.value(x, DEPTH) for x in rest)
            return complex(_typed(real, float), _typed(imag, float))
        (only,) = rest
        if tag == "b":
            return self.take(only)
        if tag == "u":
            return self.take(only).decode("utf-8", "surrogatepass")
        if tag == "n" and len(_typed(only, str)) <= INT_BITS // 4 + 4:
            return int(only, 16)
        if tag == "r" and only in ("nan", "inf", "-inf"):
            return float(only)
        if tag == "o":
            return Opaque(_name(_typed(only, str)))
        if tag == "call" and self.proxy is not None:
            return self.proxy(_typed(only, int))
        raise WireError("no such tag, or not allowed here")

    def container(self, tag: str, items: list[Any]) -> Any:
        if tag == "l":
            return items
        if tag == "t":
            return tuple(items)
        if tag == "d":
            table: dict[Any, Any] = {}
            for part in self.slices(items, 2 * AT_ONCE):
                table.update(zip(part[::2], part[1::2], strict=True))
            return table
        members: set[Any] = set()
        for part in self.slices(items, AT_ONCE):
            members.update(part)
        return members if tag == "s" else frozenset(members)

    def slices(self, items: list[Any], size: int) -> Iterator[list[Any]]:
        """Yield parts of what is to be hashed: keys chosen to collide take quadratic time."""
        if len(items) <= 2 * FEW:
            yield items
            return
        started = time.thread_time()
        for start in range(0, len(items), size):
            yield items[start : start + size]
            self.hashing -= time.thread_time() - started
            started = time.thread_time()
            if self.hashing < 0:
                raise WireError("keys chosen to collide")

    def take(self, count: Any) -> bytes:
        if _typed(count, int) < 0 or count > len(self.raw):
            raise WireError(f"{count} bytes are claimed, {len(self.raw)} are left")
        taken, self.raw = self.raw[:count], self.raw[count:]
        return bytes(taken)

    def array(self, name: Any, *shape: Any) -> Any:
        import numpy

        if name not in DTYPES or len(shape) > 16 or any(_typed(n, int) < 0 for n in shape):
            raise WireError("an array needs a dtype of the table and a shape")
        if math.prod(n or 1 for n in shape) > FRAME_BYTES:
            raise WireError("an array of nothing whose list would fill the memory")
        kind = numpy.dtype("float32", metadata={WAS: SHORT}) if name == SHORT else numpy.dtype(name)
        dtype = numpy.dtype("float32" if name == SHORT else name).newbyteorder("<")
        flat = numpy.frombuffer(self.take(math.prod(shape) * dtype.itemsize), dtype)
        if name == "bool" and flat.view("uint8").max(initial=0) > 1:
            raise WireError("a truth value is 0 or 1")
        return flat.reshape(shape).astype(kind, copy=True)


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise WireError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
