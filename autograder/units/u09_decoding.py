"""Hidden tests of unit 09. Expected values come from loops over rows, texts and guesses
(`checks.u09_*`), never from the solution's array form.

Speculative decoding is exact: all chance is a list of numbers that the grader hands out.

unit: 09_decoding
"""

import random
from dataclasses import replace
from typing import Any

from autograder.exercise import Inputs, Judged, Outcome, asked, expect_raises
from autograder.units.arrays import EXACT, generator, or_changed
from autograder.units.judging import EVERY, add_case, core, edge, exercise_of
from autograder.units.u09_impostors import test_sampler
from llmcourse.checks import u09_cache as cache
from llmcourse.checks import u09_filters as filters
from llmcourse.checks import u09_penalty as penalty
from llmcourse.checks import u09_search as search
from llmcourse.checks import u09_speculative as speculative
from llmcourse.checks.u06_judging import ALL_AXES

__all__ = [
    "beam_search", "cached_attention", "greedy", "repetition_penalty", "speculative_decode",
    "temperature_logits", "test_sampler", "top_k_filter", "top_p_filter",
]  # fmt: skip

# --- filters; sizes are (B, V, ...)

temperature_logits = exercise_of("temperature_logits")
TEMPERED = filters.temperature_inputs, filters.tempered, filters.temperature_mistakes
add_case(
    temperature_logits, 3, "logits of other sizes",
    core(filters.TEMPERATURE, filters.FORM, unfit=EVERY), ((3, 5), (4, 4), (2, 9)), *TEMPERED,
)  # fmt: skip
add_case(
    temperature_logits, 1, "one row, one token", edge(ALL_AXES), ((1, 5), (3, 1), (1, 1)),
    *TEMPERED,
)  # fmt: skip


@temperature_logits.case(weight=1, property="refuses a temperature that is not above 0")
def temperature_of_nothing(rng: random.Random) -> Inputs:
    for temperature in (0.0, -rng.uniform(0.5, 2)):
        logits, _ = filters.temperature_inputs(generator(rng), 2, 3)
        yield (logits, temperature), expect_raises(ValueError, filters.POSITIVE)


top_k_filter = exercise_of("top_k_filter")
TOP_K = filters.top_k_inputs, filters.top_k, filters.top_k_mistakes
add_case(
    top_k_filter, 4, "the k largest of each row", core(filters.TOP_K, filters.FORM, unfit=EVERY),
    ((3, 6, 3), (4, 4, 2), (2, 9, 5)), *TOP_K,
)  # fmt: skip
add_case(
    top_k_filter, 1, "k of 1, of V and above; one row", edge(filters.ALL_STAY),
    ((1, 5, 1), (3, 4, 4), (2, 3, 8), (2, 1, 1)), *TOP_K,
)  # fmt: skip
add_case(
    top_k_filter, 1, "equal logits: exactly k stay", edge(filters.LOWEST),
    ((4, 8, 3), (3, 9, 5), (2, 30, 20)), filters.top_k_tied, filters.top_k, filters.top_k_mistakes,
)  # fmt: skip

top_p_filter = exercise_of("top_p_filter")
TOP_P = filters.top_p_inputs, filters.top_p, filters.top_p_mistakes
add_case(
    top_p_filter, 4, "the fewest tokens that reach p", core(filters.TOP_P, filters.FORM,
    unfit=EVERY), ((4, 7), (3, 5), (5, 5), (2, 12)), *TOP_P,
)  # fmt: skip
add_case(
    top_p_filter, 1, "one token alone above p; p = 1; one row, one token",
    edge(filters.ONE_STAYS),
    ((4, 5, 0.04), (3, 6, 1.0), (1, 4), (2, 1, 0.5)), *TOP_P,
)  # fmt: skip
add_case(
    top_p_filter, 1, "equal logits: those of the lowest index stay", edge(filters.LOWEST),
    ((3, 6), (2, 25)), filters.top_p_tied, filters.top_p, filters.top_p_mistakes,
)  # fmt: skip
add_case(
    top_p_filter, 1, "logits of size 1,000: no overflow", edge(filters.TOP_P_LARGE),
    ((4, 5), (2, 3)), filters.top_p_large, filters.top_p, filters.top_p_mistakes,
)  # fmt: skip

repetition_penalty = exercise_of("repetition_penalty")
PENALTY = penalty.penalty_inputs, penalty.penalised, penalty.penalty_mistakes
add_case(
    repetition_penalty, 4, "tokens of the text become less probable",
    core(penalty.PENALTY, filters.FORM, unfit=EVERY), ((4, 8, 5), (3, 6, 4), (5, 5, 3)), *PENALTY,
)  # fmt: skip
add_case(
    repetition_penalty, 1, "one row, one id, more ids than tokens; no ids at all",
    edge(penalty.NOTHING_SEEN), ((1, 4, 1), (2, 3, 9), (3, 4, 0), (2, 1, 2)), *PENALTY,
)  # fmt: skip

# --- greedy; sizes are (length of the prompt, of the script, n)

greedy = exercise_of("greedy")


def and_calls(judge: Judged, scripted: search.Scripted, needed: int) -> Judged:
    """Return a judge that also refuses calls after the last id."""

    def wrong(outcome: Outcome) -> str | None:
        return judge.wrong(outcome) or ("too many calls" if scripted.taken > needed else None)

    def say(outcome: Outcome, nature: str) -> str:
        return search.TOO_FAR if nature == "too many calls" else judge.say(outcome, nature)

    return replace(judge, wrong=wrong, say=say)


def add_greedy(weight: float, property: str, sizes: Any, calls: bool = False) -> None:
    @greedy.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        for size in sizes:
            args = search.greedy_inputs(generator(rng), *size)
            want = search.written(*args)
            judge = edge(search.GREEDY)(want, search.greedy_mistakes(*args))
            judge = and_calls(judge, args[0], len(want)) if calls else judge
            yield search.greedy_args(*args), judge


add_greedy(4, "the text up to its end", ((3, 4, 9), (5, 6, 8), (2, 6, 4)))
add_greedy(1, "at most n ids; the end at once; n = 0", ((2, 7, 3), (1, 0, 4), (3, 2, 1), (2, 2, 0)))
add_greedy(1, "no call after the last id", ((2, 3, 8), (3, 6, 4), (2, 0, 3)), calls=True)

# --- beam_search; sizes are (V, width, n, alpha, size of the logits)

beam_search = exercise_of("beam_search")


def add_beams(weight: float, property: str, hint: str, sizes: Any) -> None:
    @beam_search.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        for size in sizes:
            args = search.beam_inputs(generator(rng), *size)
            known = or_changed(search.beam_mistakes)
            yield asked(args, search.beams, hint, known, EXACT)


add_beams(
    4, "texts and scores of other searches", search.BEAM, ((6, 3, 4), (5, 2, 5), (4, 3, 4, 0.4))
)
add_beams(
    1, "alpha of 0 and 1; one beam", "The same holds for other alphas and for one beam.",
    ((5, 2, 4, 0.0), (4, 3, 4, 1.0), (6, 1, 5)),
)  # fmt: skip
add_beams(
    1, "more beams than texts; one step; no step", search.NO_STEPS,
    ((3, 40, 3), (5, 3, 1), (4, 9, 1), (4, 2, 0)),
)  # fmt: skip
add_beams(1, "logits of size 1,000: no overflow", search.BEAM_STABLE, ((5, 2, 3, 0.7, 300.0),))

# --- cached_attention; sizes are (B, T, S, C, D)

cached_attention = exercise_of("cached_attention")


def add_attention(weight: float, property: str, judging: Any, sizes: Any) -> None:
    known = cache.cache_inputs, cache.attended, cache.cache_mistakes
    add_case(cached_attention, weight, property, judging, sizes, *known)


add_attention(
    4, "new positions behind a cache", core(cache.CACHE, cache.CACHE_FORM, unfit=EVERY),
    ((2, 3, 4, 4, 3), (3, 2, 5, 2, 4), (2, 4, 2, 3, 3)),
)  # fmt: skip
add_attention(
    1, "no cache: causal attention", edge("Without a cache it is causal attention."),
    ((2, 4, 0, 3, 2), (1, 1, 0, 2, 2)),
)  # fmt: skip
add_attention(1, "one position, one row, one column", edge(ALL_AXES),
              ((1, 1, 6, 3, 2), (3, 1, 1, 1, 1), (1, 2, 1, 4, 1)))  # fmt: skip


@cached_attention.case(weight=1, property="token by token gives what the whole text gives")
def token_by_token(rng: random.Random) -> Inputs:
    p, x, _ = cache.cache_inputs(generator(rng), 2, 5, 0, 3, 4)
    held = None
    for t in range(x.shape[1]):
        _, after = cache.attended(p, x[:, : t + 1])
        args = (p, x[:, t : t + 1], held)
        out, _ = cache.attended(p, x[:, : t + 1])
        judge = edge(cache.CACHE)((out[:, -1:], after), cache.cache_mistakes(*args))
        yield args, judge
        held = after


# --- speculative_decode; sizes are (V, prompt, n, k, far)

speculative_decode = exercise_of("speculative_decode")


def and_rounds(judge: Judged, tables: speculative.Tables, most: int) -> Judged:
    """Return a judge that also refuses more calls of the target than there are rounds."""

    def wrong(outcome: Outcome) -> str | None:
        return judge.wrong(outcome) or ("too many rounds" if tables.asked > most else None)

    def say(outcome: Outcome, nature: str) -> str:
        return speculative.CALLS if nature == "too many rounds" else judge.say(outcome, nature)

    return replace(judge, wrong=wrong, say=say)


def add_speculation(
    weight: float, property: str, hint: str, sizes: Any, counted: bool = False
) -> None:
    @speculative_decode.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        for size in sizes:
            args = speculative.speculative_inputs(generator(rng), *size)
            found = speculative.speculative_mistakes(*args)
            judge = edge(hint)(speculative.speculated(*args), found)
            if counted:  # draft and target are equal: every guess is accepted
                tables, _, n, k, _ = args
                judge = and_rounds(judge, tables, -(-n // (k + 1)))
            yield speculative.speculative_args(*args), judge


WHOLE = f"{speculative.SPECULATE} {speculative.ORDER}"
add_speculation(
    4, "the text that the numbers of uniform() decide", WHOLE,
    ((4, 2, 40, 3), (5, 1, 40, 2), (3, 3, 40, 4, 0.9)),
)  # fmt: skip
add_speculation(
    1, "one guess a round; a single id; none", speculative.SPECULATE_FORM,
    ((4, 2, 15, 1), (3, 1, 1, 4), (4, 2, 0, 3)),
)  # fmt: skip
add_speculation(
    1, "a draft like the target: one call for k + 1 ids", speculative.CALLS,
    ((4, 2, 20, 3, 0.0), (3, 1, 9, 2, 0.0)), counted=True,
)  # fmt: skip
add_speculation(1, "a draft that has nothing to do with the target", WHOLE, ((5, 2, 25, 3, 1.0),))
