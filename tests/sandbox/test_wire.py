"""The wire format: honest values arrive, and bytes that nobody honest sent are refused."""

import array
import collections
import contextlib
import json
import math
import struct
import time
import types
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.sandbox import wire
from llmcourse.checks import compare

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
)
KEYS = st.recursive(ATOMS, lambda inner: st.tuples(inner) | st.frozensets(inner), max_leaves=5)
VALUES = st.recursive(
    KEYS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


def there_and_back(value):
    return wire.unpack(wire.pack(value))


def exact(value):
    """A value with the types of all its parts."""
    if isinstance(value, dict):
        return dict, [(exact(k), exact(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [exact(x) for x in value]
    if isinstance(value, set | frozenset):
        return type(value), sorted((exact(x) for x in value), key=repr)
    return type(value), repr(value)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_plain_values_arrive_with_their_exact_types(value):
    assert exact(there_and_back(value)) == exact(value)


class Table(collections.abc.Mapping):
    """A mapping that is no dict."""

    def __init__(self, table):
        self.table = table

    def __getitem__(self, key):
        return self.table[key]

    def __iter__(self):
        return iter(self.table)

    def __len__(self):
        return len(self.table)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (sympy.Float("0.5"), 0.5),
        (sympy.Integer(2), 2),
        (sympy.Rational(1, 2), 0.5),
        (Table({"a": 0.5}), {"a": 0.5}),
        (collections.UserDict({"a": 0.5}), {"a": 0.5}),
        (collections.ChainMap({"a": 0.5}, {"b": 1}), {"a": 0.5, "b": 1}),
        (types.MappingProxyType({"a": 0.5}), {"a": 0.5}),
        (collections.UserList([0.5, 2]), [0.5, 2]),
        (array.array("d", [0.5, 2]), [0.5, 2]),
        ([np.ma.array([0.5, 2.0])], [[0.5, 2.0]]),
        (torch.Size([2, 3]), [2, 3]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_visible_check_accepts_arrives(value, want):
    assert compare(value, want, 1e-9) is None
    assert compare(there_and_back(value), want, 1e-9) is None


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_random_bytes_are_refused_or_read_and_never_crash(data):
    with contextlib.suppress(wire.WireError):
        wire.unpack(data)


@given(VALUES, st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_payloads_are_refused_or_read_and_never_crash(value, data):
    payload = bytearray(wire.pack(value))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.WireError):
        wire.unpack(bytes(payload))


def test_nan_and_infinities_arrive():
    nan, plus, minus = there_and_back([math.nan, math.inf, -math.inf])
    assert math.isnan(nan) and plus == math.inf and minus == -math.inf


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.defaultdict(int, {1: 2}), {1: 2}),
        (collections.namedtuple("Pair", "a b")(1, 2), (1, 2)),
        (collections.deque([1, 2]), [1, 2]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        ((x for x in "ab"), ["a", "b"]),
        (map(str, [1, 2]), ["1", "2"]),
        (Fraction(1, 2), 0.5),
        (np.float64(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (bytearray(b"x"), b"x"),
        (np.array([["a"], ["b"]]), [["a"], ["b"]]),
        (10**400, 10**400),
    ],
)
def test_honest_values_in_odd_containers_arrive_plain(odd, plain):
    assert exact(there_and_back(odd)) == exact(plain)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_numbers_of_a_narrower_type_stay_what_they_are(kind):
    odd = {kind(0.5): [kind(0.1), kind("nan"), kind("inf")], 1: (kind(-0.0),)}
    assert exact(there_and_back(odd)) == exact(odd)
    assert exact(there_and_back(there_and_back(odd))) == exact(odd)


def test_bfloat16_is_noted_where_numpy_has_no_such_type():
    torch = pytest.importorskip("torch")
    for sent in (torch.tensor(0.1, dtype=torch.bfloat16), torch.ones(2, 3, dtype=torch.bfloat16)):
        for got in (there_and_back(sent), there_and_back(there_and_back(sent))):
            assert got.dtype == np.float32 and got.dtype.metadata == {"was": "bfloat16"}
            assert got.shape == sent.shape and (got == sent.float().numpy()).all()
    assert there_and_back(np.ones(2, dtype=np.float32)).dtype.metadata is None


@pytest.mark.parametrize(
    "tag", [["h"], ["h", "float64"], ["h", "bool"], ["h", "float32", 1], ["h", ["float32"]]]
)
def test_scalars_are_of_a_narrow_float_type_only(tag):
    with pytest.raises(wire.WireError):
        wire.unpack(payload(json.dumps(tag).encode(), bytes(8)))


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES - {"bfloat16"}))
def test_arrays_keep_dtype_shape_and_values(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for sent in (array, array.T, array[:, ::2], array[:0], array[0, 0:1].reshape(())):
        got = there_and_back(sent)
        assert got.dtype == sent.dtype and got.shape == sent.shape and (got == sent).all()
        assert type(got) is np.ndarray and got.flags.writeable


def test_big_endian_arrays_arrive_in_native_order():
    assert (there_and_back(np.array([1, 2], ">i4")) == [1, 2]).all()


def test_tensors_arrive_as_arrays():
    torch = pytest.importorskip("torch")
    assert there_and_back(torch.ones(2, requires_grad=True)).dtype == "float32"
    half = there_and_back(torch.tensor([1.5, 3e38], dtype=torch.bfloat16))
    assert half.dtype == "float32" and half[0] == 1.5
    assert there_and_back(torch.tensor(3)).shape == ()


def test_what_does_not_cross_is_opaque_and_equal_to_nothing():
    class Sly:
        def __eq__(self, other):
            return True

        __hash__ = None

    got = there_and_back([Sly(), math, len, object])
    assert [type(x) for x in got] == [wire.Opaque] * 4
    assert got[0].kind == "Sly" and got[0] != 1 and got[0] != Sly


def test_an_endless_iterator_is_opaque():
    assert "more than" in there_and_back(iter(int, 1)).kind


def test_a_number_that_claims_to_equal_everything_arrives_as_itself():
    class Sly(float):
        def __eq__(self, other):
            return True

        __hash__ = None

    got = there_and_back(Sly(0.5))
    assert type(got) is float and got != 0.6


def test_callables_cross_as_numbers_only_with_a_table():
    payload = wire.pack([len], register=lambda function: 7)
    assert wire.unpack(payload, proxy=lambda number: number) == [7]
    with pytest.raises(wire.WireError):
        wire.unpack(payload)


@pytest.mark.parametrize("value", [[1 << 70_000], [0] * (wire.ELEMENTS + 1), np.zeros(2**24)])
def test_what_is_over_a_cap_is_not_sent(value):
    with pytest.raises(wire.WireError):
        wire.pack(value)


def test_a_list_inside_itself_is_not_sent():
    loop = []
    loop.append(loop)
    with pytest.raises(wire.WireError, match="deep"):
        wire.pack(loop)


def payload(header, raw=b""):
    return struct.pack(">I", len(header)) + header + raw


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff[]",
        payload(b"{}"),
        payload(b"[]"),
        payload(b"[1]"),
        payload(b'["l",{}]'),
        payload(b"NaN"),
        payload(b"9" * 30),
        payload(b"[" * 100_000),
        payload(b'["l",' * 100 + b'["l"]' + b"]" * 100),
        payload(b'["d",1]'),
        payload(b'["s",["l"]]'),
        payload(b'["a","object",1]', b"12345678"),
        payload(b'["a","float64",1]', b"1234"),
        payload(b'["a","float64",-1]'),
        payload(b'["a","float64",99999999999]'),
        payload(b'["a","int8",true]', b"1"),
        payload(b'["a","bool",1]', b"\2"),
        payload(b'["b",true]', b"x"),
        payload(b'["b",-1]', b"x"),
        payload(b'["b",2]', b"x"),
        payload(b'["u",1]', b"\xff"),
        payload(b'["n","' + b"f" * 100_000 + b'"]'),
        payload(b'["n","x"]'),
        payload(b'["r","infinity"]'),
        payload(b'["c",1,2]'),
        payload(b'["lt"]'),
        payload(b'["call",1]'),
        payload(b'["eval","1"]'),
        payload(b"null", b"left over"),
        payload(b"[" + b"1," * (3 * wire.ELEMENTS) + b"1]"),
        payload(b'"\xff"'),
    ],
)
def test_malformed_payloads_are_refused(data):
    with pytest.raises(wire.WireError):
        wire.unpack(data)


def test_keys_chosen_to_collide_are_refused_in_time():
    keys = b",".join(b'["n","%s"]' % hex((2**61 - 1) * i).encode() for i in range(1, 50_000))
    started = time.thread_time()
    with pytest.raises(wire.WireError, match="collide"):
        wire.unpack(payload(b'["s",' + keys + b"]"))
    assert time.thread_time() - started < 5


def keys_along_one_path(table, path, walkers):
    """Whole numbers of different hashes that a dictionary of `table` slots looks up ever more
    slowly: `path` of them fill the slots that follow each other once all bits of a hash are used
    (slot -> 5 slot + 1, dictobject.c), the others come to the beginning of that path.
    """
    slots = [1]
    while len(slots) < path:
        slots.append((5 * slots[-1] + 1) % table)
    place = np.full(table, table)
    place[slots] = range(path)
    rest = keys = np.arange(table, 2**23)
    slot = keys % table
    late = place[slot] < path
    while rest.any():
        rest = rest >> 5
        slot = (5 * slot + rest + 1) % table
        late &= place[slot] < path
    return slots + keys[late & (place[slot] < path // 2)][:walkers].tolist()


def test_a_dictionary_whose_keys_collide_along_a_probe_path_is_refused_in_time():
    keys = keys_along_one_path(2**17, path=60_000, walkers=25_000)
    assert len(set(map(hash, keys))) == len(keys)
    pairs = b",".join(b"%d,0" % key for key in keys)
    started = time.thread_time()
    with pytest.raises(wire.WireError, match="collide"):
        wire.unpack(payload(b'["d",' + pairs + b"]"))
    assert time.thread_time() - started < 10


def test_as_many_honest_keys_are_read():
    table = {number * 7: 0 for number in range(85_000)}
    assert there_and_back(table) == table


def test_a_header_of_quotes_and_commas_is_refused_in_time():
    header = b"," * (wire.ELEMENTS + 1) + b'"' + b'\\"' * 1_000_000
    started = time.thread_time()
    with pytest.raises(wire.WireError):
        wire.unpack(payload(header))
    assert time.thread_time() - started < 5


def test_an_array_of_nothing_does_not_become_many_lists():
    with pytest.raises(wire.WireError, match="memory"):
        wire.unpack(wire.pack(np.zeros((10**9, 0))))
    assert wire.unpack(wire.pack(np.zeros((3, 0)))).shape == (3, 0)


def test_many_strings_with_commas_are_no_many_values():
    text = ["," * 1000] * 2000
    assert there_and_back(text) == text
