"""Beam search: keep the most probable few texts at each step instead of one.

The score of an ended text is the sum of its log-probabilities divided by n^length_penalty, where n
counts its new tokens with the end token. A prompt is done when none of its running beams can reach
its worst kept text any more, so nothing is lost by stopping. That is `early_stopping="never"` of
`transformers` 5.24, whose results these are; its default stops by a guess, and may return less.

A beam search can end with a lower score than greedy output: beams that look better for a while can
push the greedy text out. Beam search with one beam is greedy search.

Not here: sampled beams, diverse groups of beams.

source: Graves 2012, arXiv:1211.3711, section 2.4; Wu et al. 2016, arXiv:1609.08144, section 7
(length penalty; theirs adds 5 to n).
unit: 09_decoding
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.inference.decoding import Reader, left_padded
from llmcourse.inference.filters import largest
from llmcourse.models.transformer import Decoder


@dataclass(frozen=True)
class Hypothesis:
    """A text that a beam search found."""

    ids: list[int]  # new ids, without the end token
    score: float  # sum of log-probabilities / n^length_penalty, in nats


def best_continuations(
    logps: Float[Tensor, "P KV"], k: int
) -> tuple[Float[Tensor, "P k"], Int[Tensor, "P k"]]:
    """Return the k largest of each row in descending order and their columns.

    Ties go to the lowest column: the better beam first, then the lower token.
    """
    columns = largest(logps, k).nonzero()[:, 1].view(len(logps), -1)  # ascending in each row
    values, order = logps.gather(1, columns).sort(dim=1, descending=True, stable=True)
    return values, columns.gather(1, order)


@torch.inference_mode()
def beam_search(
    model: Decoder,
    prompts: Sequence[Sequence[int]],
    n: int,
    *,
    beams: int,
    end: Sequence[int] = (),
    length_penalty: float = 1.0,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Return the n_best texts of at most n new tokens for each prompt, best first.

    length_penalty: 0 compares sums, which favours short texts; 1 means a token; above 1 long ones.
    Texts that have not ended after n tokens are scored as they are.
    """
    if not 1 <= n_best <= beams:
        raise ValueError(
            f"expected n_best from 1 to beams = {beams}, got {n_best}: keep more beams"
        )
    prompt, prompt_mask = left_padded(prompts, model.embed.weight.device)
    B, T = prompt.shape
    read = Reader(model, B, T + n)
    if read.context_length is not None and T + n > read.context_length:
        raise ValueError(
            f"expected at most context_length = {read.context_length} tokens, got {T} in a prompt "
            f"and {n} new ones: cut the prompt, or write less"
        )
    found: list[list[Hypothesis]] = [[] for _ in prompts]
    going = list(range(B))  # prompts that are not done; each has `beams` rows, one after another
    # All beams of a prompt begin equal: only one of them may be continued at first.
    scores = torch.tensor([0.0] + [-math.inf] * (beams - 1)).repeat(B)
    logits = read(prompt, prompt_mask)  # each prompt is read once, and its row copied for each beam
    rows = torch.arange(B).repeat_interleave(beams)
    text, mask, logits = (
        prompt[rows],
        None if prompt_mask is None else prompt_mask[rows],
        logits[rows],
    )
    read.cache.reorder(rows)
    for length in range(1, n + 1):
        totals = scores[:, None] + logits.float().log_softmax(dim=-1).cpu()  # (P K, V)
        # If every beam's best is to end, K continuations are still among so many candidates.
        candidates = best_continuations(totals.view(len(going), -1), beams * (1 + max(1, len(end))))
        rows, tokens, scores, still = [], [], [], []
        for i, (sums, columns) in enumerate(zip(*(x.tolist() for x in candidates), strict=True)):
            prompt_number, running = going[i], []
            for rank, (total, column) in enumerate(zip(sums, columns, strict=True)):
                beam, token = divmod(column, totals.shape[1])
                row = i * beams + beam
                if token in end or length == n:
                    # Below the best K an end does not count: a text that is worse than K others.
                    if rank < beams and total > -math.inf:
                        ids = text[row, T:].tolist() + [token] * (token not in end)
                        found[prompt_number].append(Hypothesis(ids, total / length**length_penalty))
                elif len(running) < beams:
                    running.append((total, row, token))
            found[prompt_number].sort(key=lambda text: -text.score)
            del found[prompt_number][n_best:]
            if running and not _is_done(
                found[prompt_number], running[0][0], length, n, length_penalty, n_best
            ):
                running += [(-math.inf, i * beams, 0)] * (beams - len(running))  # tiny vocabularies
                still.append(prompt_number)
                for column, values in zip(
                    (scores, rows, tokens), zip(*running, strict=True), strict=True
                ):
                    column.extend(values)
        going = still
        if not going:
            break
        scores, rows, tokens = torch.tensor(scores), torch.tensor(rows), torch.tensor(tokens)
        read.cache.reorder(rows)  # each row gets the past of the beam that it continues
        text = torch.cat([text[rows], tokens[:, None].to(text)], dim=1)
        if mask is not None:
            mask = torch.cat([mask[rows], mask.new_ones(len(rows), 1)], dim=1)
        logits = read(text, mask)
    return found


def _is_done(
    found: list[Hypothesis], best: float, length: int, n: int, length_penalty: float, n_best: int
) -> bool:
    """Tell whether no running beam can become one of the n_best texts; `best`: their best sum.

    A sum only falls. Divided by n^length_penalty it is closest to 0 at the greatest length for a
    positive penalty, at the next length for a negative one.
    """
    if best == -math.inf:
        return True
    longest = n if length_penalty > 0 else length + 1
    return len(found) == n_best and best / longest**length_penalty <= found[-1].score
