"""One step of each cell of unit 06, as sums over indices, and the usual mistakes in it.

A table of mistakes gives for each hint the wrong function that it belongs to: the visible checks
and the hidden tests recognise a mistake by its value. Sequences are in `u06_mistakes`.

unit: 06_rnn_lstm
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks.expectations import Mistake

Params = dict[str, np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]
Mistakes = Sequence[Mistake]  # each value is the wrong formula
AXES = "Keep all axes, also those of length 1."
LARGE = "With sums of 1,000 an exponential overflows: use (1 + np.tanh(a / 2)) / 2."
TANH = "With sums of 1,000 an exponential overflows: use np.tanh."
ROWS = "The matrices have outputs as rows: x @ W.T."


def weights(rng: Any, blocks: int, inputs: int, hidden: int) -> Params:
    """Return random parameters of a cell with this number of blocks of rows, none of them 0."""
    rows = blocks * hidden
    shapes = {"W_ih": (rows, inputs), "W_hh": (rows, hidden), "b_ih": (rows,), "b_hh": (rows,)}
    return {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}


def values(mistakes: Mistakes, *args: Any) -> list[Mistake]:
    """Return the mistakes with what their formulas lead to, if they lead to something."""
    found = []
    for formula, hint in mistakes:
        try:
            with np.errstate(all="ignore"):
                found.append(Mistake(formula(*args), hint))
        except (ValueError, IndexError):  # shapes that do not fit: numpy tells the learner itself
            continue
    return found


def without(name: str, formula: Callable[..., Any]) -> Callable[..., Any]:
    """Return the formula with this parameter set to 0."""
    return lambda p, *args: formula(p | {name: 0 * p[name]}, *args)


def gate(a: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(a, 0)) / (1 + np.exp(-np.abs(a)))


def steep(a: np.ndarray) -> np.ndarray:
    """Return the sigmoid by tanh without the factor 1/2 in its argument."""
    return (1 + np.tanh(a)) / 2


STEEP = "The sigmoid halves its argument, too: (1 + np.tanh(a / 2)) / 2."
ORDER = "The order of the blocks is {}: you used {}."
INTERLEAVED = "Each block is H adjacent columns: np.split(sums, {}, axis=1)."


def of_input(p: Params, x: np.ndarray) -> np.ndarray:
    return np.einsum("bi,oi->bo", x, p["W_ih"]) + p["b_ih"]


def of_state(p: Params, h: np.ndarray) -> np.ndarray:
    return np.einsum("bh,oh->bo", h, p["W_hh"]) + p["b_hh"]


def blocks(sums: np.ndarray, order: str, interleaved: bool = False) -> dict[str, np.ndarray]:
    """Return the blocks of the columns by their letters."""
    k = len(order)
    parts = [sums[:, n::k] for n in range(k)] if interleaved else np.split(sums, k, axis=1)
    return dict(zip(order, parts, strict=True))


def elman(p: Params, x: np.ndarray, h: np.ndarray, act: Any = np.tanh) -> np.ndarray:
    """Return one step; act: the nonlinearity."""
    return act(of_input(p, x) + of_state(p, h))


ELMAN: Mistakes = [
    Mistake(
        partial(elman, act=lambda a: a), "The nonlinearity is missing: apply np.tanh to the sum."
    ),
    Mistake(partial(elman, act=gate), "The nonlinearity is tanh, not a sigmoid: np.tanh."),
    Mistake(
        partial(elman, act=lambda a: np.maximum(a, 0)),
        "The nonlinearity is tanh, not relu: np.tanh.",
    ),
    Mistake(
        lambda p, x, h: np.tanh(of_input(p, x)) + np.tanh(of_state(p, h)),
        "Apply one tanh to the whole sum, do not add two of them.",
    ),
    Mistake(
        lambda p, x, h: h + elman(p, x, h),
        "The old state enters through W_hh only: do not add it again.",
    ),
    Mistake(without("b_hh", elman), "The bias b_hh is missing."),
    Mistake(without("b_ih", elman), "The bias b_ih is missing."),
    Mistake(
        lambda p, x, h: elman(p | {"W_hh": p["W_hh"].T}, x, h),
        "W_hh has its outputs as rows: h @ W_hh.T.",
    ),
    Mistake(without("W_hh", elman), "The old state has no influence: add h @ W_hh.T."),
    Mistake(without("W_ih", elman), "The input has no influence: add x @ W_ih.T."),
]


def jordan(p: Params, x: np.ndarray, y: np.ndarray, form: str = "") -> Pair:
    """Return one step. form "all", "shown" or "read": without the tanh in both results, only in the
    hidden units that are returned, only in those from which the output is computed."""
    back = np.einsum("bo,ho->bh", y, p["W_yh"])
    a = np.einsum("bi,hi->bh", x, p["W_ih"]) + back + p["b_h"]
    h = np.tanh(a)
    out = np.einsum("bh,oh->bo", a if form in ("all", "read") else h, p["W_hy"]) + p["b_y"]
    return (a if form in ("all", "shown") else h), out


def _outputs(wrongly: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Pair]:
    return lambda p, x, y: (jordan(p, x, y)[0], wrongly(jordan(p, x, y)[1]))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


JORDAN: Mistakes = [
    Mistake(_outputs(np.tanh), "The output has no nonlinearity: no tanh around y."),
    Mistake(_outputs(softmax), "The output has no nonlinearity: no softmax."),
    Mistake(lambda p, x, y: jordan(p, x, y)[::-1], "Return (hidden units, output), in this order."),
    Mistake(
        partial(jordan, form="all"), "The nonlinearity of the hidden units is missing: np.tanh."
    ),
    Mistake(partial(jordan, form="shown"), "Return the hidden units after the tanh."),
    Mistake(
        partial(jordan, form="read"), "Compute the output from the hidden units after the tanh."
    ),
    Mistake(
        lambda p, x, y: jordan(p | {"W_hy": p["W_yh"].T}, x, y),
        "Compute the output with W_hy: h @ W_hy.T.",
    ),
    Mistake(
        lambda p, x, y: jordan(p | {"W_yh": p["W_hy"].T}, x, y),
        "The previous output enters through W_yh: y @ W_yh.T.",
    ),
    Mistake(
        lambda p, x, y: jordan(p, x, np.tanh(y)),
        "The previous output is fed back unchanged: no tanh around it.",
    ),
    Mistake(without("b_y", jordan), "The bias b_y is missing."),
    Mistake(without("b_h", jordan), "The bias b_h is missing."),
    Mistake(without("W_yh", jordan), "The previous output has no influence: add y @ W_yh.T."),
]


def jordan_weights(rng: Any, inputs: int, hidden: int, outputs: int) -> Params:
    shapes = {"W_ih": (hidden, inputs), "W_yh": (hidden, outputs), "b_h": (hidden,)}
    shapes |= {"W_hy": (outputs, hidden), "b_y": (outputs,)}
    return {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}


def lstm(
    p: Params,
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    order: str = "ifgo",
    form: str = "",
    sigmoid: Any = gate,
    candidate: Any = np.tanh,
) -> Pair:
    """Return one step, with the blocks in this order.

    form "interleaved": every fourth column is one block; "open": o left out; "bare": h without the
    tanh; "late": h from the old cell; "coupled": 1 - f in place of i.
    """
    a = blocks(of_input(p, x) + of_state(p, h), order, form == "interleaved")
    f = sigmoid(a["f"])
    new = f * c + (1 - f if form == "coupled" else sigmoid(a["i"])) * candidate(a["g"])
    shown = {"bare": new, "late": np.tanh(c)}.get(form, np.tanh(new))
    return (shown if form == "open" else sigmoid(a["o"]) * shown), new


LSTM: Mistakes = [
    *(
        Mistake(partial(lstm, order=order), ORDER.format("i, f, g, o", ", ".join(order)))
        for order in ("ifog", "figo", "igfo")
    ),
    Mistake(partial(lstm, form="interleaved"), INTERLEAVED.format(4)),
    Mistake(
        partial(lstm, candidate=gate), "The nonlinearity of the candidate g is tanh, not a sigmoid."
    ),
    Mistake(
        partial(lstm, candidate=lambda a: a),
        "The nonlinearity of the candidate g is missing: np.tanh.",
    ),
    Mistake(partial(lstm, sigmoid=steep), STEEP),
    Mistake(partial(lstm, sigmoid=np.tanh), "The gates are sigmoids: a tanh can be negative."),
    Mistake(partial(lstm, form="open"), "The output gate o is missing."),
    Mistake(partial(lstm, form="bare"), "h is o tanh(c), not o c."),
    Mistake(partial(lstm, form="late"), "Compute h from the NEW c."),
    Mistake(partial(lstm, form="coupled"), "The candidate has its own gate: i, not 1 - f."),
    Mistake(lambda p, x, h, c: lstm(p, x, h, c)[::-1], "Return (h, c), in this order."),
    Mistake(lambda p, x, h, c: (lstm(p, x, h, c)[0],) * 2, "Return (h, c): you returned h twice."),
    Mistake(without("b_hh", lstm), "The bias b_hh is missing."),
    Mistake(without("b_ih", lstm), "The bias b_ih is missing."),
    Mistake(without("W_hh", lstm), "The old state has no influence: add h @ W_hh.T."),
]


def gru(
    p: Params,
    x: np.ndarray,
    h: np.ndarray,
    order: str = "rzn",
    form: str = "",
    sigmoid: Any = gate,
    candidate: Any = np.tanh,
) -> np.ndarray:
    """Return one step, with the blocks in this order.

    form, words of: "first": r inside the product; "bare": b_hh's last block outside the bracket;
    "turned": z and 1 - z exchanged; "open": r left out; "both": r multiplies x's block, too;
    "added": no 1 - z; "interleaved": every third column is one block.
    """
    words, H = form.split(), h.shape[1]
    a, b = (blocks(s, order, "interleaved" in words) for s in (of_input(p, x), of_state(p, h)))
    r, z = sigmoid(a["r"] + b["r"]), sigmoid(a["z"] + b["z"])
    kept, scale = b["n"], 1 if "open" in words else r
    if "first" in words:
        kept, scale = np.split(of_state(p, r * h), 3, axis=1)[2], 1
    outside = (1 - r) * p["b_hh"][2 * H :] if "bare" in words else 0
    n = candidate((r if "both" in words else 1) * a["n"] + scale * kept + outside)
    if "turned" in words:
        return z * n + (1 - z) * h
    return (n if "added" in words else (1 - z) * n) + z * h


GRU: Mistakes = [
    Mistake(partial(gru, form="turned"), "z is the weight of the OLD state: (1 - z) n + z h."),
    Mistake(
        partial(gru, form="first"), "r multiplies h W^T + b AFTER the product, not h before it."
    ),
    Mistake(
        partial(gru, form="first turned"),
        "This is the other form of the papers: here r multiplies h W^T + b after the product, and "
        "z is the weight of the old state.",
    ),
    Mistake(
        partial(gru, form="bare"), "The last block of b_hh is inside the bracket that r multiplies."
    ),
    Mistake(partial(gru, form="both"), "r multiplies only the block of the state: x_n + r * h_n."),
    Mistake(partial(gru, form="open"), "The reset gate r is missing."),
    Mistake(partial(gru, form="added"), "The weight of the candidate is 1 - z: (1 - z) n + z h."),
    *(
        Mistake(partial(gru, order=order), ORDER.format("r, z, n", ", ".join(order)))
        for order in ("zrn", "rnz")
    ),
    Mistake(partial(gru, form="interleaved"), INTERLEAVED.format(3)),
    Mistake(
        partial(gru, candidate=gate), "The nonlinearity of the candidate n is tanh, not a sigmoid."
    ),
    Mistake(
        partial(gru, candidate=lambda a: a),
        "The nonlinearity of the candidate n is missing: np.tanh.",
    ),
    Mistake(partial(gru, sigmoid=steep), STEEP),
    Mistake(partial(gru, sigmoid=np.tanh), "The gates are sigmoids: a tanh can be negative."),
    Mistake(without("b_hh", gru), "The bias b_hh is missing."),
    Mistake(without("b_ih", gru), "The bias b_ih is missing."),
]
