"""Models of sequences on recurrent layers: a language model, a tagger, a classifier, in torch.

Also here: chunks of a long text for truncated backpropagation through time, bits per token of a
whole text, and generation token by token. The training loop is in the notebook.

source: Williams and Peng 1990, Neural Computation 2 (truncated BPTT); Jozefowicz, Zaremba and
Sutskever 2015, ICML (the forget gate's bias of 1).
unit: 06_rnn_lstm
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from llmcourse.arguments import ids_of
from llmcourse.models.recurrent import Recurrent, State

READ_AT_ONCE = 256  # steps per call when a text is scored, which bounds the memory of the logits


@dataclass(frozen=True)
class RecurrentConfig:
    """Sizes of a recurrent model; each at least 1."""

    vocab_size: int  # V
    d_embed: int  # width of the vector of a token
    d_hidden: int  # H, width of the state of one layer
    n_out: int  # logits at each step: V for a language model, else the number of labels
    kind: str = "lstm"  # elman, lstm or gru
    n_layers: int = 1
    bidirectional: bool = False

    def __post_init__(self) -> None:
        sizes = (self.vocab_size, self.d_embed, self.d_hidden, self.n_out, self.n_layers)
        if min(sizes) < 1:
            raise ValueError(f"every size must be at least 1, got {self}")


class RecurrentLM(nn.Module):
    """A map of ids (B, T) to logits (B, T, n_out): token vectors, recurrent layers, a linear head.

    With n_out = V it is a language model, with the number of labels a tagger. The forget gates of
    an LSTM start with a bias of 1. The head is not initialised to zero: a zero head would pass no
    gradient to the layers.
    """

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.d_embed)
        self.rnn = Recurrent(
            config.kind, config.d_embed, config.d_hidden, config.n_layers, config.bidirectional
        )
        width = config.d_hidden * len(self.rnn.directions)
        self.head = nn.Linear(width, config.n_out)
        nn.init.normal_(self.head.weight, std=width**-0.5)
        nn.init.zeros_(self.head.bias)
        if config.kind == "lstm":
            H = config.d_hidden
            with torch.no_grad():
                for name, bias in self.rnn.named_parameters():
                    if name.startswith("bias_ih"):
                        bias[H : 2 * H] += 1  # the forget gate, in torch's order i, f, g, o

    def read(
        self, ids: Int[Tensor, "B T"], state: State | None = None
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """Return the states at every step, and the last state, from which reading can continue.

        Raises ValueError for ids outside 0 .. V - 1. On a GPU, where checking them would wait for
        all queued work, torch's own assertion stops the program.
        """
        if not ids.is_cuda and ids.numel():
            ids_of(ids.cpu().numpy(), self.config.vocab_size)
        if ids.numel() < self.config.vocab_size:
            return self.rnn(self.embed(ids), state)
        return self.rnn.read(ids.T, state, self.embed.weight)

    def forward(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Return the logits at every step, read from a state of zeros."""
        return self.head(self.read(ids)[0])

    @property
    def n_parameters(self) -> int:
        """The number of trained parameters."""
        return sum(p.numel() for p in self.parameters())


class SequenceModel(nn.Module):
    """A map of ids (B, T) and lengths (B,) to logits (B, n_out), one row for each whole sequence.

    The logits are computed from the last state or from the mean of all states; positions after the
    end of a sequence have no influence.
    """

    def __init__(self, config: RecurrentConfig, pooling: str = "last") -> None:
        super().__init__()
        if config.bidirectional or pooling not in ("last", "mean"):
            raise ValueError("expected one direction and pooling last or mean")
        self.reader, self.pooling = RecurrentLM(config), pooling

    def forward(self, ids: Int[Tensor, "B T"], lengths: Int[Tensor, "B"]) -> Float[Tensor, "B V"]:
        """Return the logits for ids of which the first lengths (B,) are real.

        Raises ValueError for lengths outside 1 .. T: one of 0 would read the last state.
        """
        if len(lengths) and not 1 <= int(lengths.min()) <= int(lengths.max()) <= ids.shape[1]:
            raise ValueError(
                f"expected lengths from 1 to {ids.shape[1]}, got from {int(lengths.min())} to "
                f"{int(lengths.max())}: leave empty texts out"
            )
        states, _ = self.reader.read(ids)
        if self.pooling == "last":
            pooled = states[torch.arange(len(ids)), lengths - 1]
        else:
            real = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
            pooled = (states * real[:, :, None]).sum(1) / lengths[:, None]
        return self.reader.head(pooled)


def streams(ids: Int[Tensor, "N"], batch_size: int) -> Int[Tensor, "B L"]:
    """Cut a text into batch_size consecutive rows of equal length; leave the remainder out.

    Raises ValueError for no row and for fewer than two tokens a row.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    length = len(ids) // batch_size
    if length < 2:
        raise ValueError(
            f"need at least {2 * batch_size} ids for {batch_size} rows, got {len(ids)}"
        )
    return ids[: batch_size * length].view(batch_size, length)


def chunks(
    rows: Int[Tensor, "B L"], steps: int
) -> Iterator[tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]]:
    """Yield (ids, targets), each (B, steps or fewer), from left to right; targets are one ahead.

    For truncated BPTT, carry the state from one chunk to the next, `detached`.
    Raises ValueError for steps below 1.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    for start in range(0, rows.shape[1] - 1, steps):
        targets = rows[:, start + 1 : start + 1 + steps]
        yield rows[:, start : start + targets.shape[1]], targets


def detached(state: State) -> State:
    """Detach the state: its values carry over to the next chunk, gradients do not."""
    return tuple(part.detach() for part in state)


@torch.no_grad()
def bits_per_token(
    model: RecurrentLM, ids: Int[Tensor, "N"], before: Int[Tensor, "M"], n_rows: int = 64
) -> float:
    """Return the mean of -log2 P(token) over all of `ids`, each given the text in front of it.

    before: the text in front of `ids`. For speed, `ids` is cut into n_rows pieces that are read as
    the rows of a batch. A row begins with the M tokens in front of its piece, which give it a state
    and are not scored. With M = 2 and the text a b | c d e f g h in two rows:

        row 0:  a b c d e      scored: c d e
        row 1:  d e f g h      scored: f g h

    Raises ValueError for n_rows below 1, and if `ids` or `before` is empty: the first token needs
    one in front of it.
    """
    if n_rows < 1:
        raise ValueError(f"expected n_rows of 1 or more, got {n_rows}: cut the text into some rows")
    if not (len(ids) and len(before)):
        raise ValueError(
            f"expected at least one id to score and one before it, got {len(ids)} and "
            f"{len(before)}: give each part of the text one token"
        )
    text, M = torch.cat([before, ids]), len(before)
    length = math.ceil(len(ids) / n_rows)  # tokens that a row scores; the last row may have fewer
    starts = torch.arange(0, len(ids), length, device=ids.device)
    # index[r] runs from M tokens in front of piece r to its end; text[M] is ids[0]
    index = starts[:, None] + torch.arange(M + length, device=ids.device)
    real = index < len(text)  # False after the end of the text, in the last row
    rows = text[index.clamp(max=len(text) - 1)]
    inputs, targets = rows[:, :-1], rows[:, 1:]
    scored = real[:, 1:].clone()
    scored[:, : M - 1] = False  # these targets are in front of the piece
    state, total = None, 0.0
    for at in range(0, inputs.shape[1], READ_AT_ONCE):
        part = slice(at, at + READ_AT_ONCE)
        states, state = model.read(inputs[:, part], state)
        logps = torch.log_softmax(model.head(states), dim=2)
        picked = logps.gather(2, targets[:, part, None])[:, :, 0]  # log P(target)
        total -= float(picked[scored[:, part]].double().sum())  # sum of -log P, in nats
    return total / len(ids) / math.log(2)  # mean, in bits


@torch.no_grad()
def generate(
    model: RecurrentLM,
    start: Int[Tensor, "T"],
    n: int,
    generator: torch.Generator,
    end: int | None = None,
) -> list[int]:
    """Return up to n tokens drawn one by one after `start`; `end`, once drawn, is the last.

    Raises ValueError for an empty `start`, and if the model gives no token a probability
    (logits of nan, or all -inf).
    """
    if len(start) == 0:
        raise ValueError("expected at least one id to start from, got none: give a start token")
    ids, state, drawn = start[None], None, []
    while len(drawn) < n and (not drawn or drawn[-1] != end):
        states, state = model.read(ids, state)
        probs = torch.softmax(model.head(states[:, -1]), dim=1)
        if not probs.isfinite().all():
            raise ValueError(
                f"expected finite logits, got none after {len(drawn)} drawn tokens: the model's "
                "weights are nan or infinite"
            )
        ids = torch.multinomial(probs, 1, generator=generator)
        drawn.append(int(ids))
    return drawn
