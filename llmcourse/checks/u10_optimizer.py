"""AdamW and the learning rate's schedule in unit 10: formulas, mistakes, visible checks.

unit: 10_pretraining
"""

import math
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, diagnosed, items, noted, number, visible
from llmcourse.checks.u06_judging import arrays_near, called
from llmcourse.checks.u10_judging import SHAPES, Params, State, told

# --- adamw_step

ADAM = "m and v first, then m_hat and v_hat, then the step; look at the formulas once more."
ADAM_FORM = 'Return (params, state); the state has the keys "step", "m" and "v".'
APART = "Compute in new arrays; do not modify the arguments."


def adamw(
    params: Params, grads: Params, state: State, lr: float, betas: Any = (0.9, 0.95),
    eps: float = 1e-8, weight_decay: float = 0.1, flaw: str = "",
) -> tuple[Params, State]:  # fmt: skip
    """Return the parameters and the state after one step of AdamW, number by number."""
    t = state.get("step", 0) + 1
    betas = (0.9, 0.95) if flaw == "defaults" else betas
    b1, b2 = betas[::-1] if flaw == "betas" else betas
    new: Params = {}
    ms, vs = Params(), Params()
    for name, p in params.items():
        g = np.asarray(grads[name], float)
        if flaw == "coupled" and p.ndim > 1:
            g = g + weight_decay * p
        m = b1 * state.get("m", {}).get(name, np.zeros(p.shape)) + (1 - b1) * g
        v = b2 * state.get("v", {}).get(name, np.zeros(p.shape)) + (1 - b2) * g**2
        if flaw == "sums":
            m = m + b1 * g
        if flaw == "not squared":
            v = v - (1 - b2) * g**2 + (1 - b2) * abs(g)
        ms[name], vs[name] = m, v
        at = {"late": t + 1, "from 0": max(t - 1, 1)}.get(flaw, t)
        m_hat, v_hat = m / (1 - b1**at), v / (1 - b2**at)
        if flaw in ("no correction", "no m"):
            m_hat = m
        if flaw in ("no correction", "no v"):
            v_hat = v
        if flaw == "stored":
            ms[name], vs[name] = m_hat, v_hat
        root = np.sqrt(v_hat) + eps
        if flaw == "inside":
            root = np.sqrt(v_hat + eps)
        if flaw == "no root":
            root = v_hat + eps
        decayed = p.ndim > 1 or flaw == "all decay"
        if flaw in ("coupled", "no decay"):
            decayed = False
        kept = 1 - {"no lr": 1.0}.get(flaw, lr) * weight_decay if decayed else 1.0
        move = lr * m_hat / root
        new[name] = p * kept - move
        if flaw == "decay after":
            new[name] = (p - move) * kept
        if flaw == "uphill":
            new[name] = p * kept + move
    return new, {"step": float(t - (flaw == "no step")), "m": ms, "v": vs}


ADAM_FLAWS = {
    "no correction": "The bias corrections are missing: divide m by 1 - beta1^t, v by 1 - beta2^t.",
    "no m": "m needs its bias correction, too: m / (1 - beta1^t).",
    "no v": "v needs its bias correction, too: v / (1 - beta2^t).",
    "late": "t is 1 in the first step: increase the number of steps once.",
    "from 0": "t is 1 in the first step: increase the number of steps before you use it.",
    "stored": "Store m and v themselves: the corrected ones are for this step only.",
    "inside": "eps is added after the root: sqrt(v_hat) + eps.",
    "no root": "Divide by the square root of v_hat.",
    "coupled": "The decay is not part of the gradient: it acts on the parameters directly.",
    "all decay": "Only arrays with two axes or more decay, not biases and norms.",
    "no decay": "The weight decay is missing.",
    "no lr": "The decay is multiplied by lr, too: lr * weight_decay * p.",
    "decay after": "The decay is that of the OLD parameters: subtract lr * weight_decay * p.",
    "not squared": "v averages the SQUARED gradients.",
    "sums": "m is an average: (1 - beta1) times the gradient.",
    "betas": "beta1 is for m, beta2 for v.",
    "defaults": "Use the arguments betas, eps and weight_decay.",
    "uphill": "You went uphill: subtract the step.",
    "no step": 'state["step"] is the number of steps done, this one included.',
}


def adam_inputs(rng: Any, t: int, *rest: Any) -> Any:
    """Return parameters, gradients, the state after t steps, a learning rate and other settings."""
    made = [{n: rng.normal(size=shape) for n, shape in SHAPES.items()} for _ in range(3)]
    params, grads, m = made
    v = {n: rng.uniform(0.2, 2, shape) for n, shape in SHAPES.items()}
    state = {"step": t, "m": m, "v": v} if t else {}
    return params, grads, state, float(rng.uniform(0.1, 0.3)), *rest


def adam_mistakes(*args: Any) -> list[Mistake]:
    return told(adamw, args, ADAM_FLAWS)


@visible
def adamw_step(answer):
    what = ("params", "state")
    rng = np.random.default_rng(3)
    tiny = {"W": np.array([[1.0]])}, {"W": np.array([[1e-6]])}, {}, 0.1  # eps counts here
    one = {"W": np.array([[1.0, -2.0]])}, {"W": np.array([[100.0, -0.01]])}, {}, 0.1
    settings = (0.8, 0.6), 0.1, 0.5
    tries = tiny, one, *(adam_inputs(rng, t, *settings) for t in (0, 1, 4)), adam_inputs(rng, 0)
    for args in tries:
        with noted('Before the first step the state is {}: state.get("step", 0).', "'"):
            got = called(answer, args)
        parts = items(got, 2, ADAM_FORM)
        arrays_near(parts, adamw(*args), what, ADAM_FORM, ADAM, *adam_mistakes(*args),
                    tolerance=1e-9)  # fmt: skip
    for t, betas in ((2, (0.5, 0.9)), (0, (0.7, 0.99)), (30, (0.0, 0.5))):
        args = adam_inputs(rng, t, betas, 1e-3, 0.3)
        arrays_near(items(called(answer, args), 2, ADAM_FORM), adamw(*args), what, ADAM_FORM,
                    "Use the arguments betas, eps and weight_decay.", tolerance=1e-9)  # fmt: skip
    scalar = {"s": np.array(2.0)}, {"s": np.array(-3.0)}, {}, 0.1
    hint = "A parameter without axes is like a bias: no decay."
    arrays_near(items(called(answer, scalar), 2, ADAM_FORM), adamw(*scalar), what, ADAM_FORM, hint)


# --- warmup_cosine


def scheduled(
    step: int, steps: int, warmup: int, lr: float, lr_min: float = 0.0, flaw: str = ""
) -> float:
    """Return the learning rate of a step, which is counted from 0."""
    if flaw == "from 1":
        step -= 1
    if flaw == "rises again":
        step = step if step <= steps else 2 * steps - step
    if step < warmup and flaw == "from lr_min":
        return lr_min + (lr - lr_min) * (step + 1) / warmup
    if step < warmup and flaw != "no warmup":
        return lr * (step + (flaw != "zero")) / max(warmup, 1)
    if step >= steps:
        return 0.0 if flaw == "to zero" else lr_min
    length = max(steps - (0 if flaw == "whole" else warmup), 1)
    progress = (step if flaw in ("whole", "no warmup") else step - warmup) / length
    if flaw == "line":
        return lr + (lr_min - lr) * progress
    factor = (1 + math.cos((2 if flaw == "full turn" else 1) * math.pi * progress)) / 2
    if flaw == "to zero":
        return lr * factor
    if flaw == "added":
        return lr_min + lr * factor
    return lr_min + (lr - lr_min) * (1 - factor if flaw == "rising" else factor)


SCHEDULE_FLAWS = {
    "zero": "Step 0 already has the rate lr / warmup: lr * (step + 1) / warmup.",
    "from 1": "Steps are counted from 0.",
    "no warmup": "For step < warmup the rate rises on a line: lr * (step + 1) / warmup.",
    "from lr_min": "The warm-up begins at 0, not at lr_min: lr * (step + 1) / warmup.",
    "whole": "The cosine begins at the end of the warm-up: (step - warmup) / (steps - warmup).",
    "line": "After the warm-up the rate falls along a cosine, not along a line.",
    "full turn": "The cosine goes through half a turn only: cos(pi * progress).",
    "rising": "The rate falls from lr to lr_min: the cosine begins at 1.",
    "to zero": "The rate ends at lr_min, not at 0.",
    "added": "lr_min + (lr - lr_min) * ..., so that the rate begins at lr.",
    "rises again": "After the last step the rate stays at lr_min: a cosine would rise again.",
}
SCHEDULE = (
    "lr * (step + 1) / warmup, then lr_min + (lr - lr_min) (1 + cos(pi progress)) / 2 with "
    "progress = (step - warmup) / (steps - warmup)."
)


def schedule_mistakes(*args: Any) -> list[Mistake]:
    return told(scheduled, args, SCHEDULE_FLAWS)


@visible
def warmup_cosine(answer):
    runs = ((10, 4, 2.0, 0.5), (10, 4, 2.0), (6, 0, 1.0, 0.1), (3, 3, 1.0, 0.2), (100, 7, 0.3, 0.0))
    for steps, *rest in runs:
        for step in (0, 1, 3, 4, 5, 7, steps - 1, steps, steps + 3):
            args = step, steps, *rest
            with noted("With warmup = steps there is no step left for the cosine.", "division"):
                got = number(answer(*args), "the rate")
            diagnosed(got, scheduled(*args), SCHEDULE, *schedule_mistakes(*args), what="the rate")
