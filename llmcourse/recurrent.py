"""Recurrent layers to train, in torch: Elman, Jordan, LSTM, GRU, stacked, reading both ways.

`Recurrent` has the names, shapes and results of `torch.nn.RNN`, `LSTM` and `GRU` (batch first), so
a state dict fits both. Its Elman and LSTM layers walk back through time by the formulas of the
notebook: the slopes of all steps first, then one matrix product for each weight, where torch takes
one at each step. `llmcourse.rnn` holds single steps in numpy.

Not here: dropout, packed sequences, projections, and the models (`llmcourse.sequence_models`).

source: Hochreiter and Schmidhuber 1997, Neural Computation 9; Cho et al. 2014, arXiv:1406.1078;
Jordan 1986, ICS report 8604.
unit: 06_rnn_lstm
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

BLOCKS = {"elman": 1, "lstm": 4, "gru": 3}  # rows of W_hh in units of H
State = tuple[Tensor, ...]  # (h,) or, for an LSTM, (h, c); each (layers directions, B, H)


class ElmanLayer(Function):
    """All steps of h = tanh(x + h W^T), x being what the inputs add: (T, B, H) to states."""

    @staticmethod
    def forward(ctx, x: Tensor, W: Tensor, h: Tensor) -> Tensor:
        states = torch.cat([h[None], torch.empty_like(x)])
        for t in range(len(x)):
            torch.addmm(x[t], states[t], W.T, out=states[t + 1]).tanh_()
        ctx.save_for_backward(W, states)
        return states[1:]

    @staticmethod
    def backward(ctx, dstates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        W, states = ctx.saved_tensors
        da = 1 - states[1:] ** 2
        dh = torch.zeros_like(states[0])
        for t in reversed(range(len(da))):
            da[t] *= dh + dstates[t]
            dh = da[t] @ W
        return da, da.flatten(0, 1).T @ states[:-1].flatten(0, 1), dh


class LSTMLayer(Function):
    """All steps of an LSTM, x (T, B, 4 H) being what the inputs add: to states and the last c."""

    @staticmethod
    def forward(ctx, x: Tensor, W: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        T, H = len(x), len(W.T)
        gates = torch.empty_like(x)
        states, cells = (torch.cat([s[None], s.new_empty(T, *s.shape)]) for s in (h, c))
        for t in range(T):
            torch.addmm(x[t], states[t], W.T, out=gates[t])
            gates[t, :, : 2 * H].sigmoid_()
            gates[t, :, 2 * H : 3 * H].tanh_()
            gates[t, :, 3 * H :].sigmoid_()
            i, f, g, o = gates[t].split(H, dim=1)
            torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, g)
            torch.mul(o, cells[t + 1].tanh(), out=states[t + 1])
        ctx.save_for_backward(W, gates, states, cells)
        return states[1:], cells[-1]

    @staticmethod
    def backward(ctx, dstates: Tensor, dc: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        W, gates, states, cells = ctx.saved_tensors
        i, f, g, o = gates.chunk(4, dim=2)
        squashed = cells[1:].tanh()
        slopes = torch.stack(  # of h or c by the four sums, at fixed cells[t]
            [g * i * (1 - i), cells[:-1] * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)], 2
        )
        through = o * (1 - squashed**2)  # slope of h by c
        dh, dc = torch.zeros_like(states[0]), dc.clone()
        for t in reversed(range(len(slopes))):
            dh += dstates[t]
            dc.addcmul_(dh, through[t])
            slopes[t, :, :3] *= dc[:, None]
            slopes[t, :, 3] *= dh
            dc *= f[t]
            dh = slopes[t].flatten(1) @ W
        da = slopes.flatten(2)
        return da, da.flatten(0, 1).T @ states[:-1].flatten(0, 1), dh, dc


def gru_layer(x: Tensor, W: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """All steps of a GRU in torch's form, x (T, B, 3 H) being what the inputs add: to states."""
    states = []
    for step in x:
        (rx, zx, nx), (rh, zh, nh) = step.chunk(3, dim=1), torch.addmm(b, h, W.T).chunk(3, dim=1)
        r, z = torch.sigmoid(rx + rh), torch.sigmoid(zx + zh)
        n = torch.tanh(nx + r * nh)
        h = n + z * (h - n)
        states.append(h)
    return torch.stack(states)


class Recurrent(nn.Module):
    """One or more recurrent layers, read forwards or both ways; weights as in torch's modules."""

    def __init__(
        self, kind: str, d_in: int, d_hidden: int, n_layers: int = 1, bidirectional: bool = False
    ) -> None:
        super().__init__()
        if kind not in BLOCKS:
            raise ValueError(f"kind must be one of {', '.join(BLOCKS)}, got {kind!r}")
        if min(d_in, d_hidden, n_layers) < 1:
            raise ValueError(f"every size must be at least 1, got {(d_in, d_hidden, n_layers)}")
        self.kind, self.d_hidden, self.n_layers = kind, d_hidden, n_layers
        self.directions = ("", "_reverse") if bidirectional else ("",)
        rows, bound = BLOCKS[kind] * d_hidden, d_hidden**-0.5
        for layer in range(n_layers):
            width = d_hidden * len(self.directions) if layer else d_in
            for way in self.directions:
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, d_hidden)}
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                for name, shape in shapes.items():
                    weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
                    self.register_parameter(f"{name}_l{layer}{way}", weight)

    def weights(self, layer: int = 0, way: str = "") -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return W_ih, W_hh, b_ih, b_hh of one layer and direction ("" or "_reverse")."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return tuple(getattr(self, f"{name}_l{layer}{way}") for name in names)

    def zero_state(self, batch_size: int) -> State:
        """Return the state before anything was read."""
        places = self.n_layers * len(self.directions)
        zeros = self.weight_hh_l0.new_zeros(places, batch_size, self.d_hidden)
        return (zeros, zeros) if self.kind == "lstm" else (zeros,)

    def forward(
        self, x: Float[Tensor, "B T I"], state: State | None = None
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """Return the top layer's states at every step, and the state of all layers at the end.

        Raises ValueError for no step at all and for a state of another shape than `zero_state`'s.
        """
        return self.read(x.transpose(0, 1), state)

    def read(
        self,
        x: Float[Tensor, "T B I"] | Int[Tensor, "T B"],
        state: State | None = None,
        table: Float[Tensor, "V I"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """Like `forward`, time first; with a table of vectors (V, I), x holds ids (T, B) into it.

        What an input adds to the gates depends on its id alone: V products in place of T B.
        """
        if len(x) == 0:
            raise ValueError("expected at least one step to read, got none: a longer text?")
        state = self.zero_state(x.shape[1]) if state is None else self._fitting(state, x.shape[1])
        ends = []
        for layer in range(self.n_layers):
            outputs = []
            for j, way in enumerate(self.directions):
                W_ih, W_hh, b_ih, b_hh = self.weights(layer, way)
                bias = b_ih if self.kind == "gru" else b_ih + b_hh
                if table is None:
                    added = F.linear(x, W_ih, bias)
                else:
                    added = F.embedding(x, F.linear(table, W_ih, bias))
                old = tuple(part[layer * len(self.directions) + j] for part in state)
                states, end = self._layer(added.flip(0) if way else added, W_hh, b_hh, old)
                outputs.append(states.flip(0) if way else states)
                ends.append(end)
            x, table = torch.cat(outputs, dim=2), None
        return x.transpose(0, 1), tuple(torch.stack(part) for part in zip(*ends, strict=True))

    def _fitting(self, state: State, batch_size: int) -> State:
        """Return the state if its parts have the shapes that this layer and batch need."""
        parts = 2 if self.kind == "lstm" else 1
        wanted = (self.n_layers * len(self.directions), batch_size, self.d_hidden)
        found = [tuple(part.shape) for part in state]
        if found != [wanted] * parts:
            raise ValueError(
                f"expected a state of {parts} x {wanted} (layers and directions, batch, d_hidden), "
                f"got {', '.join(map(str, found))}: a batch of another size begins with None"
            )
        return state

    def _layer(self, x: Tensor, W: Tensor, b: Tensor, state: State) -> tuple[Tensor, State]:
        if self.kind == "lstm":
            states, c = LSTMLayer.apply(x, W, *state)
            return states, (states[-1], c)
        states = (
            ElmanLayer.apply(x, W, *state) if self.kind == "elman" else gru_layer(x, W, b, *state)
        )
        return states, (states[-1],)


class Jordan(nn.Module):
    """A network whose last output y comes back: h = tanh(W_ih x + W_yh y + b), y = W_hy h + c."""

    def __init__(self, d_in: int, d_hidden: int, d_out: int) -> None:
        super().__init__()
        self.input, self.back = nn.Linear(d_in, d_hidden), nn.Linear(d_out, d_hidden, bias=False)
        self.output = nn.Linear(d_hidden, d_out)

    def forward(
        self, x: Float[Tensor, "B T I"], y: Float[Tensor, "B O"] | None = None
    ) -> Float[Tensor, "B T O"]:
        """Return the output at every step; y is the one before the first, zeros if not given.

        Raises ValueError for no step at all and for a y of another batch.
        """
        wanted = (len(x), self.output.out_features)
        if x.shape[1] == 0:
            raise ValueError("expected at least one step to read, got none: a longer text?")
        if y is not None and y.shape != wanted:
            raise ValueError(
                f"expected a last output of {wanted} (batch, outputs), got {tuple(y.shape)}: "
                "a batch of another size begins with None"
            )
        y = x.new_zeros(wanted) if y is None else y
        outputs = []
        for added in self.input(x).unbind(1):
            y = self.output(torch.tanh(added + self.back(y)))
            outputs.append(y)
        return torch.stack(outputs, dim=1)
