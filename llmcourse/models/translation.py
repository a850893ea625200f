"""Translation: an encoder, a decoder with a fixed context or with attention, greedy output, BLEU.

The first part is numpy, one step at a time, as formulas. `Translator` is the same model in torch,
to train; `Translator.arrays` gives its weights to the functions. Shapes: source ids (B, S), target
ids (B, T); a mask is True at real tokens. The encoder reads in both directions, so its states are
C = 2 H wide, and so is the state of the decoder. The keys of attention are the encoder's states.
The values are the states, too, or else the vectors of the source words: then the decoder starts
from zeros, so that all it learns about the source are the words that its weights select.

Encoder parameters: E (V, d), forward and backward (of a GRU each, see `models.rnn`). Decoder
parameters: E (V, d), gru (of a GRU of width C), W_a (C, C) with attention, W_c (C, 2 C) or, with
attention to words, (C, C + d), b_c (C,), W (V, C), b (V,).

Not here: several layers, dropout, beam search (unit 09), attention between the tokens of one text
(unit 08).

source: Sutskever, Vinyals and Le 2014, arXiv:1409.3215; Cho et al. 2014, arXiv:1406.1078;
Bahdanau, Cho and Bengio 2015, arXiv:1409.0473; Luong, Pham and Manning 2015, arXiv:1508.04025;
Vaswani et al. 2017, arXiv:1706.03762 (the scale); Papineni et al. 2002, ACL (BLEU).
unit: 07_attention
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.arguments import ids_of
from llmcourse.models.recurrent import Recurrent
from llmcourse.models.rnn import gru_cell

Params = Mapping[str, Any]
Step = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]  # ids, s -> logits, new s
ORDER = 4  # longest n-gram that BLEU counts
VALUES = ("none", "states", "words")  # what a decoder attends to


# --- with a fixed context


def encode(params: Params, ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the states (B, S, C) of an encoder, and its summary (B, C), the last of each GRU.

    Padding, where the mask is False, does not change a state: the state after it is the one before.
    """
    xs, sides = params["E"][ids_of(ids, len(params["E"])).T], []
    for params_of_side, step in ((params["forward"], 1), (params["backward"], -1)):
        h = np.zeros((len(ids), params_of_side["W_hh"].shape[1]), dtype=xs.dtype)
        states = []
        for x, real in zip(xs[::step], mask.T[::step], strict=True):
            h = np.where(real[:, None], gru_cell(params_of_side, x, h), h)
            states.append(h)
        sides.append((np.stack(states[::step], axis=1), h))
    (ahead, last), (back, first) = sides
    return np.concatenate([ahead, back], axis=2), np.concatenate([last, first], axis=1)


def readout(params: Params, s: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return the logits (B, V) for decoder states s (B, C) and contexts c (B, K)."""
    both = np.concatenate([s, c], axis=1)
    return np.tanh(both @ params["W_c"].T + params["b_c"]) @ params["W"].T + params["b"]


def decode_step(
    params: Params, ids: np.ndarray, s: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (logits (B, V), next state (B, C)); ids (B,): the tokens before; c: the context."""
    s = gru_cell(params["gru"], params["E"][ids_of(ids, len(params["E"]))], s)
    return readout(params, s, c), s


def teacher_forced_loss(
    step: Step, s: np.ndarray, targets: np.ndarray, mask: np.ndarray, start: int
) -> float:
    """Return the mean of -log P(target) in nats over the positions where the mask is True.

    The first input is `start`, the later ones are the targets before. Raises ValueError if the mask
    has no True.
    """
    if not mask.any():
        raise ValueError("expected at least one real target, got none: leave empty batches out")
    ids, total = np.full(len(targets), start), 0.0
    for target, real in zip(targets.T, mask.T, strict=True):
        logits, s = step(ids, s)
        top = logits.max(axis=1)  # subtracted, so that no exponential overflows
        log_sum = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
        total += float(((log_sum - logits[np.arange(len(target)), target]) * real).sum())
        ids = target  # teacher forcing: the true token, not the model's guess
    return total / int(mask.sum())


def translate_greedy(
    step: Step, s: np.ndarray, start: int, end: int, max_length: int
) -> list[list[int]]:
    """Return for each row the most probable token at each step, without `end`, at most max_length.

    Ties go to the lowest id. No step is taken once every row has ended.
    """
    ids, rows = np.full(len(s), start), [[] for _ in range(len(s))]
    ended = np.zeros(len(s), dtype=bool)
    for _ in range(max_length):
        if ended.all():
            break
        logits, s = step(ids, s)
        ids = np.argmax(logits, axis=1)
        ended = ended | (ids == end)
        for row in np.flatnonzero(~ended):
            rows[row].append(int(ids[row]))
    return rows


# --- attention


def dot_score(q: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the scaled dot products q k / sqrt(C), (B, S), of queries (B, C), keys (B, S, C)."""
    return np.einsum("bc,bsc->bs", q, keys) / math.sqrt(q.shape[1])


def bilinear_score(q: np.ndarray, keys: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return q W k, (B, S), of queries (B, D), keys (B, S, C) and a matrix (D, C)."""
    return np.einsum("bc,bsc->bs", q @ W, keys)


def attention_weights(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the softmax of scores (..., S) over the positions where the mask is True.

    The others get weight 0; a row with nothing to attend to is zeros. Finite for finite scores.
    """
    allowed = np.where(mask, scores, -np.inf)
    top = allowed.max(axis=-1, keepdims=True)
    e = np.exp(allowed - np.where(np.isfinite(top), top, 0))  # -inf - -inf would be nan
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total > 0, total, 1)


def context_vector(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the weighted sums (B, C) of values (B, S, C), with weights (B, S)."""
    return np.einsum("bs,bsc->bc", weights, values)


# --- how good a translation is


def corpus_bleu(
    translations: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Hashable]]
) -> float:
    """Return BLEU, from 0 to 100, of lists of tokens with one reference each.

    The geometric mean of the precisions of 1- to 4-grams, counted over all sentences together,
    times a penalty if the translations are shorter than the references. As in sacrebleu, a
    precision of 0 counts as 1/2, then 1/4, ... of a match. Raises ValueError for lists of different
    lengths.
    """
    if len(translations) != len(references):
        raise ValueError(
            f"expected one reference for each translation, got {len(references)} and "
            f"{len(translations)}: give both in the same order"
        )
    matches, totals = [0] * ORDER, [0] * ORDER
    for said, wanted in zip(translations, references, strict=True):
        for n in range(1, ORDER + 1):
            grams, allowed = (
                Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))
                for text in (said, wanted)
            )
            matches[n - 1] += (grams & allowed).total()  # each counts as often as in the reference
            totals[n - 1] += grams.total()
    if not matches[0] or not totals[-1]:
        return 0.0
    logs, smallest = 0.0, 1.0
    for match, total in zip(matches, totals, strict=True):
        if not match:
            smallest /= 2
        logs += math.log((match or smallest) / total) / ORDER
    length, wanted_length = (sum(map(len, texts)) for texts in (translations, references))
    return 100 * math.exp(logs + min(0.0, 1 - wanted_length / length))


# --- the same in torch, to train


@dataclass(frozen=True)
class TranslatorConfig:
    """Sizes of a translator; each at least 1."""

    source_size: int  # V of the source language
    target_size: int  # V of the target language
    d_embed: int  # width of the vector of a token
    d_hidden: int  # H, width of each GRU of the encoder; the decoder has C = 2 H
    attention: str  # values, one of VALUES; none: the summary is the context at every step

    def __post_init__(self) -> None:
        if min(self.source_size, self.target_size, self.d_embed, self.d_hidden) < 1:
            raise ValueError(f"every size must be at least 1, got {self}")
        if self.attention not in VALUES:
            raise ValueError(f"attention must be one of {VALUES}, got {self.attention!r}")


class Translator(nn.Module):
    """A map of source ids (B, S), their mask, and decoder inputs (B, T) to logits (B, T, V)."""

    def __init__(self, config: TranslatorConfig) -> None:
        super().__init__()
        self.config, d, C = config, config.d_embed, 2 * config.d_hidden
        self.source_embed = nn.Embedding(config.source_size, d)
        self.target_embed = nn.Embedding(config.target_size, d)
        self.forward_gru = Recurrent("gru", d, config.d_hidden)
        self.backward_gru = Recurrent("gru", d, config.d_hidden)
        self.decoder = Recurrent("gru", d, C)
        context = d if config.attention == "words" else C
        self.combine, self.head = nn.Linear(C + context, C), nn.Linear(C, config.target_size)
        if config.attention != "none":
            self.score = nn.Parameter(torch.eye(C) / math.sqrt(C))  # at first the scaled dot

    def encode(
        self, ids: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S C"], Float[Tensor, "B C"]]:
        """Return the states, 0 at padding, and the summary. Padding is at the end of each row."""
        steps, lengths = torch.arange(ids.shape[1], device=ids.device), mask.sum(1, keepdim=True)
        back = torch.where(mask, lengths - 1 - steps, steps)  # real tokens in reverse, (B, S)
        table, rows = self.source_embed.weight, torch.arange(len(ids), device=ids.device)[:, None]
        halves = (
            self.forward_gru.read(ids.T, table=table)[0],
            self.backward_gru.read(ids[rows, back].T, table=table)[0],  # (B, S, H), in reverse
        )
        summary = torch.cat([half[rows, lengths - 1][:, 0] for half in halves], dim=1)
        states = torch.cat([halves[0], halves[1][rows, back]], dim=2)
        return states * mask[:, :, None], summary

    def weights(
        self,
        s: Float[Tensor, "B T C"],
        states: Float[Tensor, "B S C"],
        mask: Bool[Tensor, "B S"],
    ) -> Float[Tensor, "B T S"]:
        """Return the attention of decoder states to encoder states; every row has a real token."""
        scores = (s @ self.score) @ states.transpose(1, 2)  # s W_a k
        return scores.masked_fill(~mask[:, None], -math.inf).softmax(2)

    def forward(
        self, ids: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"], inputs: Int[Tensor, "B T"]
    ) -> Float[Tensor, "B T V"]:
        """Return the logits after each of the inputs: the start token, then the true tokens."""
        states, summary = self.encode(ids, mask)
        start = torch.zeros_like(summary) if self.config.attention == "words" else summary
        s, _ = self.decoder.read(inputs.T, (start[None],), self.target_embed.weight)  # (B, T, C)
        if self.config.attention == "none":
            c = summary[:, None].expand(s.shape)
        else:
            values = states if self.config.attention == "states" else self.source_embed(ids)
            c = self.weights(s, states, mask) @ values
        return self.head(torch.tanh(self.combine(torch.cat([s, c], dim=2))))

    @property
    def n_parameters(self) -> int:
        """The number of trained parameters."""
        return sum(p.numel() for p in self.parameters())

    def arrays(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the parameters of encoder and decoder for the functions of this module."""
        made = {name: value.detach().cpu().numpy() for name, value in self.named_parameters()}
        encoder = {"E": made["source_embed.weight"]}
        encoder |= {way: _gru(made, f"{way}_gru") for way in ("forward", "backward")}
        decoder = {"E": made["target_embed.weight"], "gru": _gru(made, "decoder")}
        for name, module in (("_c", "combine"), ("", "head")):
            decoder |= {f"W{name}": made[f"{module}.weight"], f"b{name}": made[f"{module}.bias"]}
        return encoder, decoder | ({"W_a": made["score"]} if "score" in made else {})


def _gru(made: Mapping[str, np.ndarray], module: str) -> dict[str, np.ndarray]:
    names = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}
    return {ours: made[f"{module}.{theirs}_l0"] for ours, theirs in names.items()}
