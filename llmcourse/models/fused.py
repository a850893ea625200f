"""Four formulas of the transformer with a backward pass of their own, for speed on a processor.

On a processor the steps between matrix products are bound by memory: what counts is how often the
hidden states are read and written. Autograd goes through them once for each operation, forwards and
again backwards; here each formula keeps only what its own derivative needs:

- `squared_relu_layers`: a feed-forward layer with relu(x)^2; keeps relu(x).
- `gelu`: the tanh form; keeps the derivative itself, computed in blocks that stay in the cache.
- `rms_norm`: x / rms(x) * w; keeps x and one number a row.
- `turn`: a rotation, whose backward pass is the rotation back; keeps no states.

Each is tested against the plain formula. Not here: second derivatives, which raise RuntimeError,
but for `turn`, which is linear.

source: So et al. 2021, arXiv:2109.08668 (squared ReLU); Hendrycks and Gimpel 2016, arXiv:1606.08415
(GELU); Zhang and Sennrich 2019, arXiv:1910.07467 (RMS norm).
unit: 08_transformers
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

CACHED = 1 << 16  # elements of a block: five tensors of 256 kB stay in the cache of one core
TWICE_B = 2 * math.sqrt(2 / math.pi)  # tanh form: x sigmoid(2 b x + 2 a x^3), as tanh is 2 sigmoid
TWICE_A = 0.044715 * TWICE_B


def squared_relu_layers(
    x: Float[Tensor, "... C"],
    W_up: Float[Tensor, "F C"],
    b_up: Float[Tensor, "F"] | None,
    W_down: Float[Tensor, "C F"],
    b_down: Float[Tensor, "C"] | None,
) -> Float[Tensor, "... C"]:
    """Return W_down max(W_up x + b_up, 0)^2 + b_down for each vector of x."""
    return _SquaredReLULayers.apply(x, W_up, b_up, W_down, b_down)


def gelu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), GPT-2's form of the GELU."""
    if x.requires_grad and torch.is_grad_enabled() and x.device.type == "cpu":
        return _GELU.apply(x)
    return F.gelu(x, approximate="tanh")


def rms_norm(
    x: Float[Tensor, "... C"], weight: Float[Tensor, "C"], eps: float
) -> Float[Tensor, "... C"]:
    """Return x / sqrt(mean of x^2 + eps) * weight; means are taken in float32 or wider."""
    return _RMSNorm.apply(x, weight, eps)


def turn(
    x: Float[Tensor, "... D"], cos: Float[Tensor, "..."], sin: Float[Tensor, "..."]
) -> Float[Tensor, "... D"]:
    """Return x with each pair (x_i, x_{i + D/2}) turned: (a cos - b sin, b cos + a sin).

    cos, sin: broadcast to (..., D / 2), in float32 or wider.
    """
    return _Turn.apply(x, cos, sin)


def _wide(x: Tensor) -> Tensor:
    """Return x in float32, or in float64 if it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def refuse_second_derivatives() -> None:
    """Raise RuntimeError in a backward pass that is itself to be differentiated.

    What the forward pass kept would count as constant, so the result would be wrong.
    """
    if torch.is_grad_enabled():
        raise RuntimeError(
            "expected a backward pass without create_graph=True: for second derivatives write the "
            "formula with torch's own operations"
        )


class _SquaredReLULayers(Function):
    @staticmethod
    def forward(
        ctx,
        x: Float[Tensor, "... C"],
        W_up: Float[Tensor, "F C"],
        b_up: Float[Tensor, "F"] | None,
        W_down: Float[Tensor, "C F"],
        b_down: Float[Tensor, "C"] | None,
    ) -> Float[Tensor, "... C"]:
        hidden = F.linear(x, W_up, b_up).relu_()  # (..., F); in place: nothing else has seen it
        ctx.save_for_backward(x, W_up, W_down, hidden)
        ctx.biased = b_up is not None, b_down is not None
        return F.linear(hidden * hidden, W_down, b_down)

    @staticmethod
    def backward(ctx, dy: Float[Tensor, "... C"]) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives()
        shape, dtypes = ctx.saved_tensors[0].shape, [t.dtype for t in ctx.saved_tensors]
        narrow = dtypes[3]  # autocast chose it; it is off in a backward pass
        x, W_up, W_down, hidden = (t.to(narrow) for t in ctx.saved_tensors)
        x, hidden, dy = x.flatten(0, -2), hidden.flatten(0, -2), dy.to(narrow).flatten(0, -2)
        dW_down = dy.mT @ (hidden * hidden)
        du = (dy @ W_down).mul_(hidden).mul_(2)  # 2 relu(u), which is 0 where relu' is
        db_up, db_down = (
            g.sum(0).to(dtypes[1]) if has else None
            for g, has in zip((du, dy), ctx.biased, strict=True)
        )
        dx, dW_up = (du @ W_up).view(shape), du.mT @ x
        return dx.to(dtypes[0]), dW_up.to(dtypes[1]), db_up, dW_down.to(dtypes[2]), db_down


class _GELU(Function):
    @staticmethod
    def forward(ctx, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        x = x.contiguous()
        y, slope = torch.empty_like(x), torch.empty_like(x)
        parts = (tensor.view(-1).split(CACHED) for tensor in (x, y, slope))
        for x_part, y_part, slope_part in zip(*parts, strict=True):
            u = _wide(x_part)
            square = u * u
            s = (square * TWICE_A).add_(TWICE_B).mul_(u).sigmoid_()
            value = u * s  # y = x s, where s = sigmoid(2 b x + 2 a x^3)
            # dy/dx = s + x s', with s' = s (1 - s) (2 b + 6 a x^2)
            square.mul_(3 * TWICE_A).add_(TWICE_B).mul_(value)
            slope_part.copy_(square.addcmul_(square, s, value=-1).add_(s))
            y_part.copy_(value)
        ctx.save_for_backward(slope)
        return y

    @staticmethod
    def backward(ctx, dy: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        refuse_second_derivatives()
        return dy * ctx.saved_tensors[0]


class _RMSNorm(Function):
    @staticmethod
    def forward(
        ctx, x: Float[Tensor, "... C"], weight: Float[Tensor, "C"], eps: float
    ) -> Float[Tensor, "... C"]:
        u = _wide(x)
        mean = torch.linalg.vector_norm(u, dim=-1, keepdim=True).square_().div_(x.shape[-1])
        r = mean.add_(eps).rsqrt_()  # (..., 1): 1 / sqrt(mean of x^2 + eps)
        ctx.save_for_backward(x, weight, r)
        return (u * r).mul_(weight).to(torch.result_type(x, weight))

    @staticmethod
    def backward(
        ctx, dy: Float[Tensor, "... C"]
    ) -> tuple[Float[Tensor, "... C"], Float[Tensor, "C"] | None, None]:
        refuse_second_derivatives()
        x, weight, r = ctx.saved_tensors
        u, dy, w, dw = _wide(x), _wide(dy), _wide(weight), None
        with torch.autocast(x.device.type, enabled=False):
            product = (dy * u).flatten(0, -2)  # (N, C)
            if ctx.needs_input_grad[1]:
                dw = (product.mT @ r.flatten()).to(weight.dtype)  # y = x r w: sums of dy x r
            # dr/dx = -r^3 x / C, so dx = r (dy w - x r^2 / C sum(dy w x))
            along = (product @ w).view_as(r) * r.square().div_(-x.shape[-1])
            dx = (dy * w).addcmul_(u, along).mul_(r)
        return dx.to(x.dtype), dw, None


class _Turn(Function):
    @staticmethod
    def forward(
        ctx, x: Float[Tensor, "... D"], cos: Float[Tensor, "..."], sin: Float[Tensor, "..."]
    ) -> Float[Tensor, "... D"]:
        ctx.save_for_backward(cos, sin)
        u = _wide(x)
        y = u * torch.cat([cos, cos], dim=-1)  # one product of rows of D, not two of D / 2
        (a, b), (turned_a, turned_b) = u.chunk(2, dim=-1), y.chunk(2, dim=-1)
        turned_a.addcmul_(b, sin, value=-1)
        turned_b.addcmul_(a, sin)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx, dy: Float[Tensor, "... D"]) -> tuple[Float[Tensor, "... D"], None, None]:
        cos, sin = ctx.saved_tensors
        return _Turn.apply(dy, cos, -sin), None, None
