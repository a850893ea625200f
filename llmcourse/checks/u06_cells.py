"""The four cells of unit 06: the formula of one step, the mistakes in it, the visible check.

Formulas are sums over indices; the hidden tests know a mistake by the same values.

unit: 06_rnn_lstm
"""

from typing import Any

import numpy as np

from llmcourse.checks import Mistake, visible
from llmcourse.checks.u06_judging import ALL_AXES, agrees, arrays_near, called

Array = np.ndarray
Params = dict[str, Any]  # arrays, or the parameters of parts of a model
OUTPUTS_ARE_ROWS = "The matrices have outputs as rows: x @ W.T."
OVERFLOWS = "With sums of 1,000 an exponential overflows: use {}."
SIGMOID = "(1 + np.tanh(a / 2)) / 2"
NO_BIAS = "Both biases are missing: add b_ih and b_hh."


def random_arrays(rng: Any, **shapes: tuple[int, ...]) -> Params:
    """Return a random array, without a 0 in it, for each name."""
    return {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}


def weights(rng: Any, blocks: int, inputs: int, H: int) -> Params:
    """Return random parameters of a cell with this number of blocks of H rows."""
    rows = blocks * H
    return random_arrays(rng, W_ih=(rows, inputs), W_hh=(rows, H), b_ih=(rows,), b_hh=(rows,))


def cell_inputs(rng: Any, blocks: int, B: int, inputs: int, H: int, states: int = 1) -> Any:
    """Return random parameters of a cell, an input (B, inputs), and states (B, H)."""
    kept = [rng.normal(size=(B, H)) for _ in range(states)]
    return weights(rng, blocks, inputs, H), rng.normal(size=(B, inputs)), *kept


def with_large_sums(p: Params, *rest: Array) -> Any:
    """Return the arguments of a cell with biases b_ih of size 1,000."""
    return p | {"b_ih": 1000 * np.sign(p["b_ih"])}, *rest


def agrees_elsewhere(
    answer: Any, formula: Any, what: Any, blocks: int, stable: str, states: int = 1
) -> None:
    """Fail unless a step is right for a single row, for sums of 1,000 and for other sizes."""
    rng = np.random.default_rng(9)
    agrees(answer, formula, [cell_inputs(rng, blocks, 1, 2, 4, states)], what, ALL_AXES)
    large = with_large_sums(*cell_inputs(rng, blocks, 3, 2, 4, states))
    agrees(answer, formula, [large], what, OVERFLOWS.format(stable))
    for B, inputs, H in ((2, 3, 3), (4, 2, 5), (5, 2, 1), (4, 1, 5), (1, 1, 1), (3, 4, 2)):
        agrees(answer, formula, [cell_inputs(rng, blocks, B, inputs, H, states)], what)


def of_input(p: Params, x: Array) -> Array:
    return np.einsum("bi,oi->bo", x, p["W_ih"]) + p["b_ih"]


def of_state(p: Params, h: Array) -> Array:
    return np.einsum("bh,oh->bo", h, p["W_hh"]) + p["b_hh"]


def sigmoid(a: Array) -> Array:
    return np.exp(np.minimum(a, 0)) / (1 + np.exp(-np.abs(a)))


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def without(p: Params, *names: str) -> Params:
    """Return the parameters with these set to 0."""
    return p | {name: 0 * p[name] for name in names}


# --- elman_step


def elman(p: Params, x: Array, h: Array) -> Array:
    return np.tanh(of_input(p, x) + of_state(p, h))


def elman_mistakes(p: Params, x: Array, h: Array) -> list[Mistake]:
    a, b = of_input(p, x), of_state(p, h)
    turned = h @ p["W_hh"] + p["b_hh"]
    return [
        Mistake(a + b, "The nonlinearity is missing: apply np.tanh to the sum."),
        Mistake(sigmoid(a + b), "The nonlinearity is tanh, not a sigmoid: np.tanh."),
        Mistake(np.maximum(a + b, 0), "The nonlinearity is tanh, not relu: np.tanh."),
        Mistake(np.tanh(a) + np.tanh(b), "Apply one tanh to the sum, do not add two of them."),
        Mistake(h + np.tanh(a + b), "The old state enters through W_hh only: do not add it again."),
        Mistake(elman(without(p, "b_hh"), x, h), "The bias b_hh is missing."),
        Mistake(elman(without(p, "b_ih"), x, h), "The bias b_ih is missing."),
        Mistake(elman(without(p, "b_ih", "b_hh"), x, h), NO_BIAS),
        Mistake(np.tanh(a + turned), "W_hh has its outputs as rows: h @ W_hh.T."),
        Mistake(np.tanh(a + p["b_hh"]), "The old state has no influence: add h @ W_hh.T."),
        Mistake(np.tanh(b + p["b_ih"]), "The input has no influence: add x @ W_ih.T."),
    ]


@visible
def elman_step(answer):
    args = cell_inputs(np.random.default_rng(1), 1, 3, 2, 4)
    got = called(answer, args, product=OUTPUTS_ARE_ROWS)
    hint = "The state is the tanh of the sum of both parts."
    arrays_near(got, elman(*args), "the state", "It is (B, H).", hint, *elman_mistakes(*args))
    agrees_elsewhere(answer, elman, "the state", 1, "np.tanh")


# --- jordan_step


def jordan_inputs(rng: Any, B: int, inputs: int, H: int, out: int) -> Any:
    """Return random parameters, an input (B, inputs), and an output (B, out)."""
    shapes = {"W_ih": (H, inputs), "W_yh": (H, out), "b_h": (H,), "W_hy": (out, H), "b_y": (out,)}
    return random_arrays(rng, **shapes), rng.normal(size=(B, inputs)), rng.normal(size=(B, out))


def jordan_sums(p: Params, x: Array, y: Array) -> Array:
    back = np.einsum("bo,ho->bh", y, p["W_yh"])
    return np.einsum("bi,hi->bh", x, p["W_ih"]) + back + p["b_h"]


def jordan_output(p: Params, h: Array) -> Array:
    return np.einsum("bh,oh->bo", h, p["W_hy"]) + p["b_y"]


def jordan(p: Params, x: Array, y: Array) -> tuple[Array, Array]:
    h = np.tanh(jordan_sums(p, x, y))
    return h, jordan_output(p, h)


def jordan_mistakes(p: Params, x: Array, y: Array) -> list[Mistake]:
    a, (h, out) = jordan_sums(p, x, y), jordan(p, x, y)
    from_a, by_other = jordan_output(p, a), jordan_output(p | {"W_hy": p["W_yh"].T}, h)
    return [
        Mistake((h, np.tanh(out)), "The output has no nonlinearity: no tanh around y."),
        Mistake((h, softmax(out)), "The output has no nonlinearity: no softmax."),
        Mistake((out, h), "Return (hidden units, output), in this order."),
        Mistake((a, from_a), "The nonlinearity of the hidden units is missing: np.tanh."),
        Mistake((a, out), "Return the hidden units after the tanh."),
        Mistake((h, from_a), "Compute the output from the hidden units after the tanh."),
        Mistake((h, by_other), "Compute the output with W_hy: h @ W_hy.T."),
        Mistake(jordan(p | {"W_yh": p["W_hy"].T}, x, y),
                "The previous output enters through W_yh: y @ W_yh.T."),
        Mistake(jordan(p, x, np.tanh(y)),
                "The previous output is fed back unchanged: no tanh around it."),
        Mistake((h, out - p["b_y"]), "The bias b_y is missing."),
        Mistake(jordan(without(p, "b_h"), x, y), "The bias b_h is missing."),
        Mistake(jordan(without(p, "b_h", "b_y"), x, y),
                "Both biases are missing: add b_h and b_y."),
        Mistake(jordan(p, x, 0 * y), "The previous output has no influence: add y @ W_yh.T."),
    ]  # fmt: skip


@visible
def jordan_step(answer):
    names = ("the hidden units", "the output")
    pair = "Return (hidden units, output): they are (B, H) and (B, O)."
    for B, out, form in ((3, 5, pair), (1, 1, ALL_AXES)):
        args = jordan_inputs(np.random.default_rng(2), B, 2, 4, out)
        got = called(answer, args, product=OUTPUTS_ARE_ROWS)
        hint = "Compute h first, then y from the new h."
        arrays_near(got, jordan(*args), names, form, hint, *jordan_mistakes(*args))
    rng = np.random.default_rng(9)
    sizes = ((2, 3, 3, 3), (4, 2, 5, 2), (1, 2, 3, 2), (3, 1, 1, 2), (1, 1, 1, 1), (3, 4, 2, 5))
    agrees(answer, jordan, (jordan_inputs(rng, *size) for size in sizes), names)


# --- blocks of the gated cells


def adjacent(sums: Array, order: str) -> dict[str, Array]:
    """Return the blocks of columns by their letters."""
    return dict(zip(order, np.split(sums, len(order), axis=1), strict=True))


def interleaved(sums: Array, order: str) -> dict[str, Array]:
    return {letter: sums[:, n :: len(order)] for n, letter in enumerate(order)}


def steep(a: Array) -> Array:
    """Return the sigmoid by tanh without the factor 1/2 in its argument."""
    return (1 + np.tanh(a)) / 2


def block_mistakes(cell: Any, right: str, wrong: tuple[str, ...], p: Params, *rest: Array) -> Any:
    """Return the mistakes that both gated cells know: orders of blocks, sigmoids, biases."""
    return [
        *(Mistake(cell(p, *rest, order=order),
                  f"The order of the blocks is {', '.join(right)}: you used {', '.join(order)}.")
          for order in wrong),
        Mistake(cell(p, *rest, split=interleaved),
                f"Each block is H adjacent columns: np.split(sums, {len(right)}, axis=1)."),
        Mistake(cell(p, *rest, sigmoid=steep), f"The sigmoid halves its argument, too: {SIGMOID}."),
        Mistake(cell(p, *rest, sigmoid=np.tanh), "The gates are sigmoids: a tanh can be negative."),
        Mistake(cell(without(p, "b_hh"), *rest), "The bias b_hh is missing."),
        Mistake(cell(without(p, "b_ih"), *rest), "The bias b_ih is missing."),
        Mistake(cell(without(p, "b_ih", "b_hh"), *rest), NO_BIAS),
    ]  # fmt: skip


# --- lstm_cell


def lstm(
    p: Params, x: Array, h: Array, c: Array, order: str = "ifgo",
    split: Any = adjacent, sigmoid: Any = sigmoid,
) -> tuple[Array, Array]:  # fmt: skip
    """Return one step; the options are mistakes: other blocks, another sigmoid."""
    a = split(of_input(p, x) + of_state(p, h), order)
    new = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
    return sigmoid(a["o"]) * np.tanh(new), new


def lstm_mistakes(p: Params, x: Array, h: Array, c: Array) -> list[Mistake]:
    a = adjacent(of_input(p, x) + of_state(p, h), "ifgo")
    i, f, g, o = sigmoid(a["i"]), sigmoid(a["f"]), np.tanh(a["g"]), sigmoid(a["o"])
    new = f * c + i * g

    def shown(new: Array) -> tuple[Array, Array]:
        return o * np.tanh(new), new

    return [
        *block_mistakes(lstm, "ifgo", ("ifog", "figo", "igfo"), p, x, h, c),
        Mistake(shown(f * c + i * sigmoid(a["g"])),
                "The nonlinearity of the candidate g is tanh, not a sigmoid."),
        Mistake(shown(f * c + i * a["g"]),
                "The nonlinearity of the candidate g is missing: np.tanh."),
        Mistake((np.tanh(new), new), "The output gate o is missing."),
        Mistake((o * new, new), "h is o tanh(c), not o c."),
        Mistake((o * np.tanh(c), new), "Compute h from the NEW c."),
        Mistake(shown(f * c + (1 - f) * g), "The candidate has its own gate: i, not 1 - f."),
        Mistake(shown(new)[::-1], "Return (h, c), in this order."),
        Mistake(shown(new)[:1] * 2, "Return (h, c): you returned h twice."),
        Mistake(lstm(p, x, 0 * h, c), "The old state has no influence: add h @ W_hh.T."),
    ]  # fmt: skip


@visible
def lstm_cell(answer):
    args, names = cell_inputs(np.random.default_rng(4), 4, 3, 2, 5, states=2), ("h", "c")
    blocks = "np.split(sums, 4, axis=1) splits the columns into blocks of width H."
    got = called(answer, args, product=OUTPUTS_ARE_ROWS, sums=blocks)
    form, hint = "Return (h, c), both (B, H).", "c = f c + i g, then h = o tanh(c)."
    arrays_near(got, lstm(*args), names, form, hint, *lstm_mistakes(*args))
    agrees_elsewhere(answer, lstm, names, 4, SIGMOID, states=2)


# --- gru_cell


def gru(
    p: Params, x: Array, h: Array, order: str = "rzn",
    split: Any = adjacent, sigmoid: Any = sigmoid,
) -> Array:  # fmt: skip
    """Return one step; the options are mistakes: other blocks, another sigmoid."""
    a, b = split(of_input(p, x), order), split(of_state(p, h), order)
    r, z = sigmoid(a["r"] + b["r"]), sigmoid(a["z"] + b["z"])
    return (1 - z) * np.tanh(a["n"] + r * b["n"]) + z * h


def gru_mistakes(p: Params, x: Array, h: Array) -> list[Mistake]:
    a, b = adjacent(of_input(p, x), "rzn"), adjacent(of_state(p, h), "rzn")
    r, z = sigmoid(a["r"] + b["r"]), sigmoid(a["z"] + b["z"])
    new, old, bias = a["n"], b["n"], p["b_hh"][2 * h.shape[1] :]
    n, reset_first = np.tanh(new + r * old), np.tanh(new + adjacent(of_state(p, r * h), "rzn")["n"])

    def mixed(n: Array, z: Array = z) -> Array:
        return (1 - z) * n + z * h

    return [
        Mistake(mixed(n, 1 - z), "z is the weight of the OLD state: (1 - z) n + z h."),
        Mistake(mixed(reset_first), "r multiplies h W^T + b AFTER the product, not h before it."),
        Mistake(mixed(reset_first, 1 - z),
                "This is the other form of the papers: here r multiplies h W^T + b after the "
                "product, and z is the weight of the old state."),
        Mistake(mixed(np.tanh(new + r * (old - bias) + bias)),
                "The last block of b_hh is inside the bracket that r multiplies."),
        Mistake(mixed(np.tanh(r * (new + old))),
                "r multiplies only the block of the state: x_n + r * h_n."),
        Mistake(mixed(np.tanh(new + old)), "The reset gate r is missing."),
        Mistake(n + z * h, "The weight of the candidate is 1 - z: (1 - z) n + z h."),
        Mistake(mixed(sigmoid(new + r * old)),
                "The nonlinearity of the candidate n is tanh, not a sigmoid."),
        Mistake(mixed(new + r * old), "The nonlinearity of the candidate n is missing: np.tanh."),
        *block_mistakes(gru, "rzn", ("zrn", "rnz"), p, x, h),
    ]  # fmt: skip


@visible
def gru_cell(answer):
    args = cell_inputs(np.random.default_rng(5), 3, 3, 2, 5)
    blocks = "np.split(sums, 3, axis=1) splits the columns into blocks of width H."
    got = called(answer, args, product=OUTPUTS_ARE_ROWS, sums=blocks)
    hint = "Compute r and z first, then n, then (1 - z) n + z h."
    arrays_near(got, gru(*args), "the state", "It is (B, H).", hint, *gru_mistakes(*args))
    agrees_elsewhere(answer, gru, "the state", 3, SIGMOID)
