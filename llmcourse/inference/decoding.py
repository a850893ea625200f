"""Write text with a language model: one loop for greedy output and for sampling.

At each step the model reads the new tokens, `choose` picks one token a row from the logits, and a
row ends at an end token, at a stop string or after n tokens. `generate` collects what `stream`
yields. Prompts of different lengths are padded on the left, and each row gets what its prompt gets
alone.

`choose` is `greedy` or a `Sampling`, or any function of their signature:

    generate(model, [[5, 3], [7]], 20, end=[0])
    generate(model, [[5, 3]], 20, choose=Sampling(temperature=0.8, top_p=0.95), generator=g)

Not here: beams (`beam_search`), drafts (`speculative`).

source: Holtzman et al. 2020, arXiv:1904.09751 (why greedy text loops).
unit: 09_decoding
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn

from llmcourse.arguments import ids_of
from llmcourse.inference.fast_step import FastStep
from llmcourse.inference.filters import (
    min_p_filter,
    repetition_penalty,
    temperature_logits,
    top_k_filter,
    top_p_filter,
)
from llmcourse.models.cache import KVCache

# logits (B, V), the text so far (B, S), its mask (B, S) or None, a generator -> ids (B,)
Choose = Callable[[Tensor, Tensor, Tensor | None, Generator | None], Tensor]


def greedy(
    logits: Float[Tensor, "B V"],
    ids: Int[Tensor, "B S"] | None = None,
    mask: Bool[Tensor, "B S"] | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "B"]:
    """Return the most probable token of each row; ties go to the lowest id."""
    return logits.argmax(dim=-1)


@dataclass(frozen=True)
class Sampling:
    """A random choice from filtered probabilities; None: the filter is not used.

    Filters are applied in the order of the fields.
    """

    repetition_penalty: float | None = None  # above 1: tokens of the text become less probable
    temperature: float = 1.0  # above 0; below 1 sharper
    top_k: int | None = None  # number of tokens kept; 1 is greedy
    top_p: float | None = None  # the fewest tokens with this probability together, 0 to 1
    min_p: float | None = None  # at least this fraction of the top probability, 0 to 1

    def __post_init__(self) -> None:
        self.filtered(torch.zeros(1, 1), torch.zeros(1, 1, dtype=torch.long))  # refuses bad values

    def filtered(
        self,
        logits: Float[Tensor, "B V"],
        ids: Int[Tensor, "B S"],
        mask: Bool[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B V"]:
        """Return the logits after all filters, -inf where a token is removed."""
        if self.repetition_penalty is not None:
            logits = repetition_penalty(logits, ids, self.repetition_penalty, mask)
        logits = temperature_logits(logits, self.temperature)
        if self.top_k is not None:
            logits = top_k_filter(logits, self.top_k)
        if self.top_p is not None:
            logits = top_p_filter(logits, self.top_p)
        if self.min_p is not None:
            logits = min_p_filter(logits, self.min_p)
        return logits

    def probabilities(
        self,
        logits: Float[Tensor, "B V"],
        ids: Int[Tensor, "B S"],
        mask: Bool[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B V"]:
        """Return the probabilities that tokens are drawn with; filtering renormalises them."""
        return self.filtered(logits.float(), ids, mask).softmax(dim=-1)

    def __call__(
        self,
        logits: Float[Tensor, "B V"],
        ids: Int[Tensor, "B S"],
        mask: Bool[Tensor, "B S"] | None = None,
        generator: Generator | None = None,
    ) -> Int[Tensor, "B"]:
        """Draw a token for each row."""
        p = self.probabilities(logits, ids, mask)
        return torch.multinomial(p, 1, generator=generator)[:, 0]


def left_padded(
    prompts: Sequence[Sequence[int]], device: torch.device | None = None
) -> tuple[Int[Tensor, "B T"], Bool[Tensor, "B T"] | None]:
    """Return the prompts as rows that end together, and True at tokens; None without padding.

    >>> left_padded([[5, 6, 7], [8]])[0].tolist()
    [[5, 6, 7], [0, 0, 8]]
    """
    if len(prompts) == 0 or min(map(len, prompts)) == 0:
        raise ValueError(
            "expected prompts of at least one token each, got an empty one or none: a model reads "
            "something before it writes, so begin with a start token"
        )
    rows = [ids_of(prompt, row=True) for prompt in prompts]
    T = max(map(len, rows))
    ids = torch.zeros(len(rows), T, dtype=torch.long)
    mask = torch.zeros(len(rows), T, dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, T - len(row) :], mask[i, T - len(row) :] = torch.from_numpy(row), True
    return ids.to(device), None if mask.all() else mask.to(device)


class Reader:
    """The logits of the token after a text that grows at its end, read through a cache or anew.

    cache: whether each token is read once. model: a `Decoder`; without a cache any function of ids
    (B, T), and with padding of a `mask`, too, that returns logits (B, T, V).
    """

    def __init__(self, model: nn.Module, B: int, capacity: int, cache: bool = True) -> None:
        self.model = model
        self.context_length = getattr(getattr(model, "config", None), "context_length", None)
        if self.context_length is not None:
            capacity = min(capacity, self.context_length)
        self.start = 0  # the first column of the text that is in view
        self.cache = KVCache(model, B, capacity) if cache else None
        self.step: FastStep | None = None

    def __call__(
        self, ids: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"] | None = None
    ) -> Float[Tensor, "B V"]:
        """Return the logits after the text, whose beginning is what was given before.

        A text that outgrows context_length is read anew from its last half context on.
        """
        S = ids.shape[1]
        if self.context_length is not None and S - self.start > self.context_length:
            self.start = S - (self.context_length + 1) // 2
            if self.cache is not None:
                self.cache.cut(0)
        done = self.start + (0 if self.cache is None else self.cache.length)
        new, real = ids[:, done:], None if mask is None else mask[:, done:]
        if self.cache is None:
            return (self.model(new) if real is None else self.model(new, mask=real))[:, -1]
        if new.shape[1] == 1 and new.device.type == "cpu":
            self.step = self.step or FastStep(self.model, self.cache)
            return self.step(new[:, 0])
        # Only the last logits are needed: those of a long prompt would fill the memory.
        x = self.model.read(new, mask=real, cache=self.cache)[:, -1:]
        return self.model.logits(x)[:, 0]


@torch.inference_mode()
def stream(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    n: int,
    *,
    choose: Choose = greedy,
    end: Sequence[int] = (),
    stop: Sequence[str] = (),
    decode: Callable[[list[int]], str] | None = None,
    generator: Generator | None = None,
    cache: bool = True,
) -> Iterator[list[int | None]]:
    """Yield at each of at most n steps the next id of each row, None once the row has ended.

    The arguments are those of `generate`.
    """
    if stop and decode is None:
        raise ValueError("expected decode with stop strings, got None: give the tokenizer's decode")
    device = next(model.parameters()).device if isinstance(model, nn.Module) else None
    prompt, prompt_mask = left_padded(prompts, device)
    B, T = prompt.shape
    ids = torch.cat([prompt, prompt.new_zeros(B, n)], dim=1)  # room for what will be written
    mask = None
    if prompt_mask is not None:
        mask = torch.cat([prompt_mask, prompt_mask.new_ones(B, n)], dim=1)
    read = Reader(model, B, T + n, cache)
    written: list[list[int]] = [[] for _ in prompts]
    going = [True] * B
    for S in range(T, T + n):
        text, real = ids[:, :S], None if mask is None else mask[:, :S]
        ids[:, S] = choose(read(text, real), text, real, generator)
        step: list[int | None] = [None] * B
        for row, token in enumerate(ids[:, S].tolist()):
            if not going[row]:  # it is read on with the others, and nobody sees what it says
                continue
            if token in end:
                going[row] = False
                continue
            step[row] = token
            if stop:
                written[row].append(token)
                # The whole text: a stop string may begin in one token and end in another.
                going[row] = not any(s in decode(written[row]) for s in stop)
        if any(token is not None for token in step):
            yield step
        if not any(going):
            return


def generate(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    n: int,
    *,
    choose: Choose = greedy,
    end: Sequence[int] = (),
    stop: Sequence[str] = (),
    decode: Callable[[list[int]], str] | None = None,
    generator: Generator | None = None,
    cache: bool = True,
) -> list[list[int]]:
    """Return the ids that the model writes after each prompt, at most n a row.

    end: ids that end a row, and are not part of it. stop: strings that end a row once they occur in
    `decode` of its new ids; the token that completes one is part of the row, as it may hold more
    than the string. cache: False reads the whole text anew at each step.

    Rows draw from one generator: what is sampled for a row depends on the rows beside it.

    Raises ValueError for an empty prompt and for stop strings without `decode`.
    """
    rows: list[list[int]] = [[] for _ in prompts]
    steps = stream(
        model, prompts, n, choose=choose, end=end, stop=stop, decode=decode,
        generator=generator, cache=cache,
    )  # fmt: skip
    for step in steps:
        for row, token in zip(rows, step, strict=True):
            if token is not None:
                row.append(token)
    return rows
