"""The sizes and switches of a transformer, and its number of parameters by formula.

`transformer` builds the model. Each switch is there for a unit or for a family that `checkpoints`
loads: GPT-2, Llama, Mistral, Gemma 2, Phi-3.

source: Kaplan et al. 2020, arXiv:2001.08361, table 1 (parameters by part).
unit: 08_transformers
"""

from dataclasses import dataclass

GATED = ("swiglu", "geglu")
CHOICES = {
    "norm": ("layer", "rms"),
    "norm_position": ("pre", "post", "both"),
    "positions": ("learned", "sinusoidal", "rotary"),
    "activation": ("relu", "relu2", "gelu", *GATED),
}


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and switches of a transformer; what has a default is GPT-2's."""

    vocab_size: int  # V
    context_length: int  # the longest text in tokens
    n_layers: int  # L
    n_heads: int  # H, heads of queries
    d_model: int  # C, width of the hidden states
    d_ff: int  # F, width inside the feed-forward layer; GPT-2: 4 C
    n_kv_heads: int | None = (
        None  # G, heads of keys and values, shared by H / G of queries; None: H
    )
    d_head: int | None = None  # D; None: C / H
    norm: str = "layer"  # layer, or rms: no mean is subtracted, no bias added
    norm_position: str = (
        "pre"  # pre: x + f(norm(x)); post: norm(x + f(x)); both: x + norm(f(norm(x)))
    )
    norm_eps: float = 1e-5  # added to the variance, inside the root
    positions: str = "learned"  # learned, sinusoidal: added to the embedding; rotary: turns q and k
    rotary_base: float = 10_000.0  # the slowest pair turns by almost 1 / base a position
    activation: str = "gelu"  # relu, relu2 (squared), gelu (tanh form), swiglu, geglu (gated)
    bias: bool = True  # of linear layers and layer norms
    window: int | None = None  # a position sees itself and the window - 1 before it; None: all
    window_every: int = 1  # layers 0, n, 2 n, ... have the window; Gemma 2: 2
    attention_soft_cap: float | None = None  # scores stay within +- the cap; Gemma 2: 50
    logit_soft_cap: float | None = None  # logits stay within +- the cap; Gemma 2: 30
    attention_scale: float | None = None  # factor of the scores; None: D ** -0.5
    embed_scale: bool = False  # multiply embeddings by sqrt(C)
    tied_head: bool = True  # the head's matrix is that of the embedding

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"expected {name} {' or '.join(allowed)}, got {getattr(self, name)!r}: "
                    "choose one of these"
                )
        for name in (
            "vocab_size", "context_length", "n_layers", "n_heads", "d_model", "d_ff",
            "n_kv_heads", "d_head", "window", "window_every",
        ):  # fmt: skip
            size = getattr(self, name)
            if size is not None and size < 1:
                raise ValueError(f"expected {name} of at least 1, got {size}: give a larger one")
        for name in ("norm_eps", "rotary_base", "attention_soft_cap", "logit_soft_cap"):
            number = getattr(self, name)
            if number is not None and not number > 0:
                raise ValueError(f"expected {name} above 0, got {number}: give a positive one")
        if self.d_head is None and self.d_model % self.n_heads:
            raise ValueError(
                f"expected d_model that n_heads = {self.n_heads} divides, got {self.d_model}: "
                "change one of them, or give d_head"
            )
        if self.n_heads % self.kv_heads:
            raise ValueError(
                f"expected n_heads that n_kv_heads = {self.kv_heads} divides, got {self.n_heads}: "
                "give each group of heads equally many"
            )
        if self.positions == "rotary" and self.head_width % 2:
            raise ValueError(
                f"expected an even d_head for rotary positions, got {self.head_width}: they turn "
                "pairs of components"
            )
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ValueError(
                f"expected an even d_model for sinusoidal positions, got {self.d_model}: each "
                "frequency has a sine and a cosine"
            )

    @property
    def kv_heads(self) -> int:
        """The number of heads of keys and values, G."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def head_width(self) -> int:
        """The width of a head, D."""
        return self.d_model // self.n_heads if self.d_head is None else self.d_head

    @property
    def n_parameters(self) -> int:
        """The number of parameters of a `Decoder`, by formula.

        With H = G, 4 C wide feed-forward layers and no biases, a block has 12 C^2 and its norms.
        """
        C, D, H, G, N = self.d_model, self.head_width, self.n_heads, self.kv_heads, self.d_ff
        up = 2 * N if self.activation in GATED else N
        attention = C * (H + 2 * G) * D + H * D * C
        feed_forward = C * up + N * C
        biases = ((H + 2 * G) * D + C + up + C) if self.bias else 0
        norm = 2 * C if self.norm == "layer" and self.bias else C
        block = (
            attention + feed_forward + biases + norm * (4 if self.norm_position == "both" else 2)
        )
        embeddings = self.vocab_size * C * (1 if self.tied_head else 2)
        positions = self.context_length * C if self.positions == "learned" else 0
        last = 0 if self.norm_position == "post" else norm
        return embeddings + positions + self.n_layers * block + last
