"""Filters of the next-token distribution: pure functions on logits (B, V).

Each returns new logits in the dtype of the given ones, in which a removed token is -inf. What is
compared is computed in float32: in bfloat16 a sum of probabilities can be off by a whole token.
Every row keeps at least one token, whatever the parameter. Ties go to the lowest index, so
`top_k_filter(logits, 1)` leaves what `greedy` takes.

The order that `Sampling` and `transformers` use: repetition penalty, temperature, top-k, top-p,
min-p. It matters: top-p after a temperature above 1 keeps more tokens than before it.

What differs from the processors of `transformers` 5.24, on purpose:

- Equal logits at the edge of top-k: it keeps all of them, so more than k tokens; here k are kept.
- Equal logits at the edge of top-p: it keeps those of the highest ids, here those of the lowest.
- Probabilities that sum to exactly p: sums are rounded in another order, so the edge can fall
  one token apart. It removes what underflows to 0 even at p = 1; here p = 1 removes nothing.
- Padding: it is penalised as a repeated token when the processor is called by hand; here a mask
  leaves it out, as its `generate` does.

source: Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020, arXiv:1904.09751 (top-p);
Nguyen et al. 2024, arXiv:2407.01082 (min-p); Keskar et al. 2019, arXiv:1909.05858, section 4.1
(repetition penalty).
unit: 09_decoding
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def temperature_logits(logits: Float[Tensor, "B V"], temperature: float) -> Float[Tensor, "B V"]:
    """Return logits / temperature: below 1 the distribution is sharper, above 1 flatter.

    Raises ValueError for a temperature that is not above 0; its limit at 0 is `greedy`.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(
            f"expected a temperature above 0, got {temperature}: for the most probable token "
            "take greedy"
        )
    return logits / temperature


def top_k_filter(logits: Float[Tensor, "B V"], k: int) -> Float[Tensor, "B V"]:
    """Return the logits with all but the k largest of each row removed; all are kept if k >= V.

    >>> top_k_filter(torch.tensor([[1.0, 3.0, 2.0, 3.0]]), 1)
    tensor([[-inf, 3., -inf, -inf]])
    """
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}: a row needs a token to draw")
    return logits.masked_fill(~largest(logits, k), -math.inf)


def top_p_filter(logits: Float[Tensor, "B V"], p: float) -> Float[Tensor, "B V"]:
    """Return the logits with all removed but the fewest tokens whose probabilities sum to p.

    A token stays if those before it in descending order sum to less than p. So the one that crosses
    p stays, too, and the first one always does.
    """
    _refuse_fraction("p", p)
    if p == 1:
        return logits.clone()
    # A stable sort leaves equal logits in the order of their indices; the default one may not.
    ordered, order = logits.float().sort(dim=-1, descending=True, stable=True)
    before = ordered.softmax(dim=-1).cumsum(dim=-1).roll(1, dims=-1)  # the sum up to the one before
    before[..., :1] = 0
    kept_in_order = before < p
    kept_in_order[..., :1] = True  # p = 0
    kept = torch.zeros_like(kept_in_order).scatter(-1, order, kept_in_order)
    return logits.masked_fill(~kept, -math.inf)


def min_p_filter(logits: Float[Tensor, "B V"], p: float) -> Float[Tensor, "B V"]:
    """Return the logits with the tokens removed that have less than p times the top probability."""
    _refuse_fraction("p", p)
    probabilities = logits.float().softmax(dim=-1)
    least = p * probabilities.amax(dim=-1, keepdim=True)
    return logits.masked_fill(probabilities < least, -math.inf)


def repetition_penalty(
    logits: Float[Tensor, "B V"],
    ids: Int[Tensor, "B S"],
    penalty: float,
    mask: Bool[Tensor, "B S"] | None = None,
) -> Float[Tensor, "B V"]:
    """Return the logits with those of tokens in `ids` divided by the penalty, if they are positive.

    Negative ones are multiplied: for a penalty above 1 both make the token less probable. A token
    is penalised once, however often it occurs. The result depends on where the logits have their
    zero, which the softmax does not: give them as the model returns them.

    mask: False = padding, which is not counted.
    """
    if not 0 < penalty < math.inf:
        raise ValueError(f"expected a penalty above 0, got {penalty}: 1 changes nothing")
    B, V = logits.shape
    columns = ids if mask is None else ids.where(mask, V)  # a column of its own, cut off below
    seen = logits.new_zeros(B, V + 1, dtype=torch.bool).scatter_(1, columns, True)[:, :V]
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def largest(values: Float[Tensor, "B V"], k: int) -> Bool[Tensor, "B V"]:
    """Return True at the k largest values of each row, exactly k (V if that is less).

    Of equal values those of the lowest indices: `topk` alone may take any of them.
    """
    k = min(k, values.shape[-1])
    threshold = values.topk(k).values[..., -1:]
    above, equal = values > threshold, values == threshold
    room = k - above.sum(dim=-1, keepdim=True)
    return above | (equal & (equal.cumsum(dim=-1) <= room))


def _refuse_fraction(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"expected {name} from 0 to 1, got {p}: it is a fraction")
