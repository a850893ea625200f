"""Speculative decoding: a small model drafts k tokens, the target reads all of them in one call.

Each drafted token is accepted with probability min(1, p / q), where p is the target's probability
of it and q the draft's. At the first rejection a token is drawn from what the target has more than
the draft, max(0, p - q), renormalised; if all are accepted, the target's last row gives one token
more. So a call of the target yields 1 to k + 1 tokens, and each has exactly the distribution that
the target alone gives it, whatever the draft. Two mistakes that look right: to draw from p after a
rejection, and to accept without the comparison. Both change the distribution.

With greedy choices p and q are 1 at one token each: a draft is accepted if it is the target's own
choice. The target reads several tokens in one product there, which is rounded differently: where
two logits nearly tie, the ids can differ from `generate`'s.

Not here: batches (rows would accept different numbers of tokens), trees of drafts.

source: Leviathan, Kalman and Matias 2023, arXiv:2211.17192, algorithm 1; Chen et al. 2023,
arXiv:2302.01318.
unit: 09_decoding
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from llmcourse.inference.decoding import Reader, Sampling, left_padded
from llmcourse.models.cache import KVCache
from llmcourse.models.transformer import Decoder


@dataclass(frozen=True)
class Speculation:
    """What speculative decoding wrote, and how often it called the target."""

    ids: list[int]  # new ids, without the end token
    target_calls: int  # the first one reads the prompt, too
    drafted: int  # tokens that the draft proposed
    accepted: int  # those of them that the target accepted


def verify_draft(
    p: Float[Tensor, "n V"],
    q: Float[Tensor, "k V"],
    draft: Int[Tensor, "k"],
    generator: Generator | None = None,
) -> list[int]:
    """Return the accepted beginning of a draft and one token of the target's own.

    p: the target's probabilities at the k positions of the draft and at the one behind it, n =
    k + 1; q: those that the draft was drawn with.
    """
    chances = torch.rand(len(draft), generator=generator, device=p.device)
    for i, token in enumerate(draft.tolist()):
        # Not u <= p / q: u may be 0, and a token that the target never writes would pass.
        if chances[i] * q[i, token] < p[i, token]:
            continue
        residual = (p[i] - q[i]).clamp(min=0)
        # p = q up to rounding: then a rejection is rounding, too, and p is what is left to draw.
        weights = residual if residual.sum() > 0 else p[i]
        return [*draft[:i].tolist(), _drawn(weights, generator)]
    return [*draft.tolist(), _drawn(p[-1], generator)]


def _drawn(weights: Tensor, generator: Generator | None) -> int:
    return int(torch.multinomial(weights, 1, generator=generator))


@torch.inference_mode()
def speculative_decode(
    target: Decoder,
    draft: Decoder,
    prompt: Sequence[int],
    n: int,
    *,
    k: int = 4,
    choose: Sampling | None = None,
    end: Sequence[int] = (),
    generator: Generator | None = None,
) -> Speculation:
    """Return at most n new ids of the target for one prompt, with k tokens drafted at a time.

    choose: how the target would sample, None: greedily. The draft samples with the same filters,
    which makes it agree more often. The two models need one vocabulary.

    Raises ValueError for different vocabularies, for k below 1, and where the text outgrows the
    context of one of the models.
    """
    _refuse(target, draft, len(prompt), n, k)
    how = Sampling(top_k=1) if choose is None else choose  # one token left: greedy, ties included
    ids, _ = left_padded([prompt], target.embed.weight.device)
    T = ids.shape[1]
    past, drafting = KVCache(target, 1, T + n), Reader(draft, 1, T + n)
    calls = drafted = accepted = 0
    while ids.shape[1] < T + n:
        S = ids.shape[1]
        room = min(k, T + n - S - 1)  # the target adds a token of its own
        text, q = ids, []
        for _ in range(room):
            q.append(how.probabilities(drafting(text), text))
            token = torch.multinomial(q[-1], 1, generator=generator)
            text = torch.cat([text, token], dim=1)
        # One call reads what the target has not seen yet: its last own token and the draft.
        unread = text[:, past.length :]
        x = target.read(unread, cache=past)[0, -room - 1 :]
        logits = target.logits(x[None])[0]  # (room + 1, V)
        p = torch.cat(
            [how.probabilities(row[None], text[:, : S + i]) for i, row in enumerate(logits)]
        )
        new = verify_draft(p, torch.cat([*q, p[:0]]), text[0, S:], generator)
        calls, drafted, accepted = calls + 1, drafted + room, accepted + len(new) - 1
        stop = next((i for i, token in enumerate(new) if token in end), None)
        ids = torch.cat([ids, ids.new_tensor([new[:stop]])], dim=1)
        if stop is not None:
            break
        for cache in (past, drafting.cache):  # forget what was rejected; the last token is unread
            cache.cut(min(cache.length, ids.shape[1] - 1))
    return Speculation(ids[0, T:].tolist(), calls, drafted, accepted)


def _refuse(target: Decoder, draft: Decoder, T: int, n: int, k: int) -> None:
    """Raise ValueError for arguments that cannot be meant."""
    sizes = target.config.vocab_size, draft.config.vocab_size
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"expected one vocabulary, got {sizes[0]} ids in the target and {sizes[1]} in the "
            "draft: train both with one tokenizer"
        )
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}: a draft has a token or more")
    context = min(target.config.context_length, draft.config.context_length)
    if T + n > context:
        raise ValueError(
            f"expected at most context_length = {context} tokens, got {T} in the prompt and {n} "
            "new ones: cut the prompt, or write less"
        )
