"""The encoder and one step of the decoder of unit 07: formulas, mistakes, visible checks.

unit: 07_attention
"""

from typing import Any

import numpy as np

from llmcourse.checks import Mistake, visible
from llmcourse.checks.u06_cells import (
    OUTPUTS_ARE_ROWS,
    Array,
    Params,
    gru,
    random_arrays,
    softmax,
    weights,
    without,
)
from llmcourse.checks.u06_judging import ALL_AXES, agrees, arrays_near, called

# --- encode

KEEP = "np.where(mask[:, s, None], gru_cell(...), h)"
WIDTH = "A state of one GRU is (B, H), with H = W_hh.shape[1]; start from zeros."
ENCODED = ("the states", "the summary")
ENCODED_FORM = "Return (states, summary): they are (B, S, 2H) and (B, 2H)."
ENCODED_HINT = (
    "Each half of the states belongs to one GRU: is h carried on, and stored after the step? Does "
    "gru_cell get the parameters of its side?"
)


def encode_inputs(rng: Any, vocab: int, d: int, H: int, B: int, S: int) -> Any:
    """Return random parameters, ids (B, S) and a mask (B, S).

    The first row begins with a real token 0 and is padded, with ids that are not 0.
    """
    p: Params = random_arrays(rng, E=(vocab, d))
    p |= {"forward": weights(rng, 3, d, H), "backward": weights(rng, 3, d, H)}
    ids, lengths = rng.integers(0, vocab, (B, S)), rng.integers(1, S + 1, B)
    ids[0, 0], lengths[0] = 0, max(1, S - 2)
    ids[0, lengths[0] :] = vocab - 1
    return p, ids, np.arange(S) < lengths[:, None]


def read(p: Params, xs: Array, real: Array, reset: bool = False) -> Array:
    """Return the states (S, B, H) of a GRU that reads xs (S, B, d) and keeps its state at padding;
    reset: a mistake, it becomes 0 there."""
    h, kept = np.zeros((xs.shape[1], p["W_hh"].shape[1])), []
    for x, row in zip(xs, real.T, strict=True):
        h = np.where(row[:, None], gru(p, x, h), 0 if reset else h)
        kept.append(h)
    return np.array(kept)


def encoded(p: Params, ids: Array, mask: Array, reset: bool = False) -> tuple[Array, Array]:
    xs = p["E"][ids.T]
    ahead = read(p["forward"], xs, mask, reset)
    back = read(p["backward"], xs[::-1], mask[:, ::-1], reset)
    return _joined(ahead, back[::-1]), np.concatenate([ahead[-1], back[-1]], axis=1)


def _joined(ahead: Array, back: Array) -> Array:
    return np.concatenate([ahead, back], axis=2).swapaxes(0, 1)


def encode_mistakes(p: Params, ids: Array, mask: Array) -> list[Mistake]:
    (states, summary), xs, H = encoded(p, ids, mask), p["E"][ids.T], p["forward"]["W_hh"].shape[1]
    ahead, back = read(p["forward"], xs, mask), read(p["backward"], xs[::-1], mask[:, ::-1])
    from_left = read(p["backward"], xs, mask)
    exchanged = p | {"forward": p["backward"], "backward": p["forward"]}
    padding = f"Padding must not change a state: keep the old one, {KEEP}."
    swapped = np.concatenate([summary[:, H:], summary[:, :H]], axis=1)
    return [
        Mistake(encoded(p, ids, np.ones_like(mask)), padding),
        Mistake(encoded(p, ids, ids != 0), "Token 0 is an ordinary token: the mask says what is "
                "real, not ids != 0."),
        Mistake(encoded(p, ids, mask, reset=True),
                f"At padding keep the old state, do not set it to 0: {KEEP}."),
        Mistake((states, states[:, -1]), "The backward GRU ends at the first token: the summary "
                "takes its state there, at index 0."),
        Mistake((states, states[:, 0]), "The forward GRU ends at the last token: the summary takes "
                "its state there, at index -1."),
        Mistake((states, swapped), "In the summary the forward state comes first."),
        Mistake((states, states.mean(axis=1)), "The summary is the last state of each GRU, not a "
                "mean."),
        Mistake((summary, states), "Return (states, summary), in this order."),
        Mistake((_joined(ahead, back), summary),
                "Bring the backward states into the order of the text: index s is token s."),
        Mistake((_joined(ahead, from_left), np.concatenate([ahead[-1], from_left[-1]], axis=1)),
                "The backward GRU reads from the end: for s in reversed(range(S))."),
        Mistake(encoded(exchanged, ids, mask), "forward and backward are exchanged."),
        Mistake(encoded(p | {"backward": p["forward"]}, ids, mask),
                "Each direction has its own parameters."),
        Mistake((states.swapaxes(0, 1), summary),
                "The states are (B, S, 2H), batch first: np.stack(states, axis=1)."),
    ]  # fmt: skip


@visible
def encode(answer):
    args = encode_inputs(np.random.default_rng(1), 6, 2, 3, 4, 5)
    got = called(answer, args, product=WIDTH, sums=f"The mask of a step is (B, 1): {KEEP}.")
    mistakes = encode_mistakes(*args)
    arrays_near(got, encoded(*args), ENCODED, ENCODED_FORM, ENCODED_HINT, *mistakes)
    rng = np.random.default_rng(9)
    p, ids, mask = args
    agrees(answer, encoded, [(p, ids[:1], mask[:1])], ENCODED, ALL_AXES)
    sizes = ((5, 2, 3, 3, 3), (7, 3, 2, 2, 6), (4, 1, 1, 3, 2), (5, 2, 2, 3, 1), (3, 1, 1, 1, 1))
    agrees(answer, encoded, (encode_inputs(rng, *size) for size in sizes), ENCODED)


# --- decode_step

DECODED = ("the logits", "the new state")
DECODED_FORM = "Return (logits, new state): they are (B, V) and (B, C)."
DECODED_HINT = (
    "First the new state from the vectors of ids and the old state, then the logits from "
    "the new state and c."
)
READOUT = f"np.concatenate([s, c], axis=1) is (B, 2C). {OUTPUTS_ARE_ROWS}"


def decode_inputs(rng: Any, vocab: int, d: int, C: int, B: int) -> Any:
    """Return random parameters of a decoder, ids (B,), states (B, C), contexts (B, C)."""
    p: Params = random_arrays(rng, E=(vocab, d), W_c=(C, 2 * C), b_c=(C,), W=(vocab, C), b=(vocab,))
    p |= {"gru": weights(rng, 3, d, C)}
    return p, rng.integers(0, vocab, B), rng.normal(size=(B, C)), rng.normal(size=(B, C))


def read_out(p: Params, s: Array, c: Array, bend: Any = np.tanh) -> Array:
    both = np.concatenate([s, c], axis=1)
    hidden = bend(np.einsum("bk,ck->bc", both, p["W_c"]) + p["b_c"])
    return np.einsum("bc,vc->bv", hidden, p["W"]) + p["b"]


def decoded(p: Params, ids: Array, s: Array, c: Array) -> tuple[Array, Array]:
    new = gru(p["gru"], p["E"][ids], s)
    return read_out(p, new, c), new


def decode_mistakes(p: Params, ids: Array, s: Array, c: Array) -> list[Mistake]:
    logits, new = decoded(p, ids, s, c)
    return [
        Mistake((read_out(p, s, c), new), "Compute the logits from the NEW state."),
        Mistake((read_out(p, c, new), new), "The state comes first: concatenate [s, c]."),
        Mistake((read_out(p, new, new), new), "The context c is missing: s is there twice."),
        Mistake((read_out(p, new, 0 * c), new), "The context c has no influence."),
        Mistake((read_out(p, 0 * new, c), new), "The new state has no influence on the logits."),
        Mistake((read_out(p, new, c, bend=lambda a: a), new),
                "The nonlinearity is missing: np.tanh around the first product."),
        Mistake((np.tanh(logits), new), "The logits have no nonlinearity: no tanh around them."),
        Mistake((softmax(logits), new), "Logits are not probabilities: no softmax."),
        Mistake((logits, s), "Return the NEW state."),
        Mistake((new, logits), "Return (logits, new state), in this order."),
        Mistake((read_out(without(p, "b_c"), new, c), new), "The bias b_c is missing."),
        Mistake((read_out(without(p, "b"), new, c), new), "The bias b is missing."),
        Mistake((read_out(without(p, "b", "b_c"), new, c), new),
                "Both biases are missing: add b_c and b."),
        Mistake(decoded(p, ids, c, c), "The GRU goes on from s, not from the context."),
        Mistake(decoded(p, ids, 0 * s, c), "The old state has no influence: give it to gru_cell."),
    ]  # fmt: skip


@visible
def decode_step(answer):
    args = decode_inputs(np.random.default_rng(2), 6, 2, 4, 3)
    got = called(answer, args, product=READOUT)
    mistakes = decode_mistakes(*args)
    arrays_near(got, decoded(*args), DECODED, DECODED_FORM, DECODED_HINT, *mistakes)
    rng = np.random.default_rng(9)
    agrees(answer, decoded, [decode_inputs(rng, 5, 2, 3, 1)], DECODED, ALL_AXES)
    sizes = ((3, 3, 3, 3), (8, 2, 5, 4), (4, 1, 1, 2), (2, 1, 1, 1))
    agrees(answer, decoded, (decode_inputs(rng, *size) for size in sizes), DECODED)
