"""Hidden tests of unit 07. Expected values are sums over indices and loops over rows (`checks.u07_*`,
which tests/models/test_translation.py holds to torch), never the solution's matrix form."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from autograder.exercise import Inputs, Judged, Outcome
from autograder.units.arrays import generator
from autograder.units.judging import EVERY, Judging, add_case, core, edge, exercise_of
from autograder.units.u07_impostors import test_attention
from llmcourse.checks import u07_decoding as decoding
from llmcourse.checks import u07_encoding as encoding
from llmcourse.checks import u07_scores as scores
from llmcourse.checks.u06_judging import ALL_AXES

__all__ = [
    "attention_weights", "bilinear_score", "context_vector", "decode_step", "dot_score", "encode",
    "teacher_forced_loss", "test_attention", "translate_greedy",
]  # fmt: skip
AXES = edge(ALL_AXES)

# --- the encoder and a step of the decoder; sizes as `encode_inputs`, `decode_inputs` take them

encode = exercise_of("encode")
ENCODE = encoding.encode_inputs, encoding.encoded, encoding.encode_mistakes
add_case(
    encode, 4, "states and summary on other sizes",
    core(encoding.ENCODED_HINT, encoding.WIDTH, unfit=EVERY),
    ((7, 3, 2, 4, 5), (5, 2, 3, 3, 3), (6, 2, 4, 2, 7)), *ENCODE,
)  # fmt: skip
add_case(
    encode, 1, "one row, one token, one unit", AXES,
    ((5, 2, 3, 1, 6), (5, 2, 2, 3, 1), (4, 3, 1, 3, 4), (3, 1, 1, 1, 1)), *ENCODE,
)  # fmt: skip

decode_step = exercise_of("decode_step")
DECODE = encoding.decode_inputs, encoding.decoded, encoding.decode_mistakes
add_case(
    decode_step, 4, "logits and new state on other sizes",
    core(encoding.DECODED_HINT, encoding.READOUT, unfit=EVERY),
    ((5, 3, 2, 4), (4, 2, 3, 3), (8, 2, 5, 2)), *DECODE,
)  # fmt: skip
add_case(
    decode_step, 1, "one row, one unit", AXES,
    ((5, 2, 4, 1), (4, 3, 1, 3), (2, 1, 1, 1)), *DECODE,
)  # fmt: skip

# --- teacher_forced_loss; sizes are (vocabulary, C, B, T)

teacher_forced_loss = exercise_of("teacher_forced_loss")
FORCED = decoding.loss_inputs, decoding.loss_of, decoding.loss_mistakes
add_case(
    teacher_forced_loss, 4, "the loss on other batches",
    core(decoding.LOSS_HINT, decoding.LOSS_FORM, unfit=EVERY),
    ((6, 3, 3, 5), (4, 4, 4, 4), (9, 2, 5, 7)), *FORCED,
)  # fmt: skip
add_case(
    teacher_forced_loss, 1, "one row, one token", edge("The same holds for one row or one token."),
    ((5, 3, 1, 4), (5, 2, 3, 1), (3, 1, 1, 1)), *FORCED,
)  # fmt: skip
add_case(
    teacher_forced_loss, 1, "logits of size 1,000: no overflow, no -inf",
    edge(decoding.LOSS_STABLE), ((6, 3, 3, 4, 1000.0),), *FORCED,
)  # fmt: skip

# --- translate_greedy

translate_greedy = exercise_of("translate_greedy")
Scripts = tuple[tuple[tuple[int, ...], int], ...]  # lengths of the rows, max_length
GREEDY = edge(decoding.GREEDY_HINT)


def add_greedy(weight: float, property: str, scripts: Scripts, judging: Callable[..., Any]) -> None:
    """Add a case with a script for each of these; judging(judge, scripted, steps needed)."""

    @translate_greedy.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        for lengths, limit in scripts:
            scripted, *rest = args = decoding.greedy_inputs(generator(rng), 12, lengths, limit)
            found = decoding.greedy_mistakes(*args) if limit else []
            judge = GREEDY(decoding.texts_of(*args), found)
            given = (scripted.step, scripted.state(), *rest)
            yield given, judging(judge, scripted, decoding.most_steps(*args))


def only_texts(judge: Judged, scripted: decoding.Scripted, needed: int) -> Judged:
    return judge


def and_steps(judge: Judged, scripted: decoding.Scripted, needed: int) -> Judged:
    """Return a judge that also refuses steps after every row has ended."""

    def wrong(outcome: Outcome) -> str | None:
        return judge.wrong(outcome) or ("too many steps" if scripted.taken > needed else None)

    def say(outcome: Outcome, nature: str) -> str:
        if nature == "too many steps":
            return decoding.TOO_FAR
        return judge.say(outcome, nature)

    return replace(judge, wrong=wrong, say=say)


CORE = (((3, 1, 4), 9), ((2, 5, 3, 6), 8), ((6, 2, 3), 4))
add_greedy(4, "each row up to its end", CORE, only_texts)
add_greedy(1, "at most max_length tokens", (((2, 6, 9), 4), ((5, 5), 5)), only_texts)
add_greedy(
    1, "one row; an empty text; no token allowed", (((4,), 6), ((0, 2), 3), ((2, 2), 0)), only_texts
)  # fmt: skip
add_greedy(1, "no step after all have ended", (((2, 4), 9), ((1, 1, 1), 6)), and_steps)

# --- scores, weights, contexts


def add_formula(
    name: str, hint: str, form: str, draw: Any, formula: Any, mistakes: Any, sizes: Any, small: Any
) -> Any:
    """Return an exercise with a core and a case of small sizes."""
    exercise, known = exercise_of(name), (draw, formula, mistakes)
    add_case(exercise, 4, "other sizes", core(hint, form, unfit=EVERY), sizes, *known)
    add_case(exercise, 1, "axes of length 1", AXES, small, *known)
    return exercise


dot_score = add_formula(
    "dot_score", scores.DOT_HINT, scores.ROW_BY_ROW,
    scores.dot_inputs, scores.dot, scores.dot_mistakes,
    ((3, 5, 4), (2, 4, 3), (4, 4, 4), (5, 2, 9)), ((1, 4, 3), (3, 1, 2), (2, 3, 1), (1, 1, 1)),
)  # fmt: skip
bilinear_score = add_formula(
    "bilinear_score", scores.BILINEAR_HINT, scores.BILINEAR_FIT,
    scores.bilinear_inputs, scores.bilinear, scores.bilinear_mistakes,
    ((3, 5, 4, 4), (2, 4, 3, 3), (4, 3, 2, 5), (3, 3, 3, 3)),
    ((1, 4, 3, 2), (3, 1, 2, 4), (2, 3, 1, 1), (1, 1, 1, 1)),
)  # fmt: skip
context_vector = add_formula(
    "context_vector", scores.CONTEXT_HINT, scores.CONTEXT_FORM,
    scores.context_inputs, scores.context, scores.context_mistakes,
    ((3, 5, 4), (2, 4, 4), (3, 3, 3), (4, 2, 6)), ((1, 4, 3), (3, 1, 2), (2, 3, 1), (1, 1, 1)),
)  # fmt: skip

attention_weights = exercise_of("attention_weights")


def add_weights(
    weight: float, property: str, judging: Judging, shapes: Any, changed: Any = lambda *args: args
) -> None:
    """Add a case of scores and masks of these shapes, after a change."""

    def draw(rng: Any, *shape: int) -> Any:
        return changed(*scores.weights_inputs(rng, *shape))

    known = draw, scores.weighed, scores.weights_mistakes
    add_case(attention_weights, weight, property, judging, shapes, *known)


add_weights(
    4, "the weights on other sizes", core(scores.WEIGHTS_HINT, scores.WEIGHTS_FORM, unfit=EVERY),
    ((3, 6), (5, 4), (4, 4), (2, 9)),
)  # fmt: skip
add_weights(1, "one row, three axes, one position", AXES, ((1, 5), (2, 3, 4), (4,), (3, 1)))
add_weights(
    0.5, "scores of 1,000", edge(scores.OVERFLOW), ((3, 5), (2, 4)), scores.large_scores
)  # fmt: skip
add_weights(
    0.5, "scores of 1,000, the masked ones larger", edge(scores.OF_ALLOWED), ((3, 5), (2, 4)),
    partial(scores.large_scores, masked=2000.0),
)  # fmt: skip
add_weights(
    1, "a row with nothing to attend to is zeros", edge(scores.NOTHING_ALLOWED), ((3, 5), (2, 4)),
    scores.none_allowed,
)  # fmt: skip
