"""Recurrent layers to train, in torch: Elman, Jordan, LSTM, GRU, stacked, bidirectional.

`Recurrent` has the parameter names, shapes and values of `torch.nn.RNN`, `LSTM` and `GRU` (batch
first), so a state dict fits both; its state is always a tuple, (h,) or (h, c). Its layers have a
backward pass of their own: it computes the gradients with respect to the sums inside the
nonlinearities of all steps first, then one matrix product for each weight, where autograd through a
loop takes one at each step. `llmcourse.models.rnn` holds single steps in numpy.

Not here: second derivatives (refused), dropout, packed sequences, projections, and the models,
which are in `sequence_models`.

source: Elman 1990, Cognitive Science 14; Jordan 1986, ICS report 8604; Hochreiter and Schmidhuber
1997, Neural Computation 9; Cho et al. 2014, arXiv:1406.1078.
unit: 06_rnn_lstm
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

BLOCKS = {"elman": 1, "lstm": 4, "gru": 3}  # rows of W_hh in units of H
State = tuple[Float[Tensor, "L B H"], ...]  # (h,) or, for an LSTM, (h, c); L: layers x directions


def _refuse_second_derivatives() -> None:
    """Raise RuntimeError in a backward pass that is itself to be differentiated.

    What the forward pass saved would count as constant, so the result would be wrong.
    """
    if torch.is_grad_enabled():
        raise RuntimeError(
            "expected a backward pass without create_graph=True: for second derivatives take the "
            "same layer of torch.nn"
        )


class ElmanLayer(Function):
    """The recurrence h_t = tanh(x_t + h_{t-1} W^T) over all T steps.

    x: the projection x W_ih^T + b of the inputs, (T, B, H), already computed; W: (H, H); h: first
    state (B, H). Returns the states (T, B, H).
    """

    @staticmethod
    def forward(
        ctx, x: Float[Tensor, "T B H"], W: Float[Tensor, "H H"], h: Float[Tensor, "B H"]
    ) -> Float[Tensor, "T B H"]:
        states = torch.cat([h[None], torch.empty_like(x)])
        for t in range(len(x)):
            torch.addmm(x[t], states[t], W.T, out=states[t + 1]).tanh_()  # states[t] is h_{t-1}
        ctx.save_for_backward(W, states)
        return states[1:]

    @staticmethod
    def backward(
        ctx, dstates: Float[Tensor, "T B H"]
    ) -> tuple[Float[Tensor, "T B H"], Float[Tensor, "H H"], Float[Tensor, "B H"]]:
        _refuse_second_derivatives()
        W, states = ctx.saved_tensors
        da = 1 - states[1:] ** 2  # tanh' at first, (T, B, H); the loop makes it dL/da
        dh = torch.zeros_like(states[0])
        for t in reversed(range(len(da))):
            da[t] *= dh + dstates[t]  # dL/da_t = (dL/da_{t+1} W + dL/dh_t directly) (1 - h_t^2)
            dh = da[t] @ W
        dW = da.flatten(0, 1).T @ states[:-1].flatten(0, 1)  # sum over t of da_t^T h_{t-1}
        return da, dW, dh


class LSTMLayer(Function):
    """An LSTM over all T steps.

    x: the projection x W_ih^T + b of the inputs, (T, B, 4 H), already computed; W: (4 H, H); h and
    c: first states (B, H). Returns the states h_t (T, B, H) and the last c.
    """

    @staticmethod
    def forward(
        ctx,
        x: Float[Tensor, "T B H4"],
        W: Float[Tensor, "H4 H"],
        h: Float[Tensor, "B H"],
        c: Float[Tensor, "B H"],
    ) -> tuple[Float[Tensor, "T B H"], Float[Tensor, "B H"]]:
        T, H = len(x), W.shape[1]
        gates = torch.empty_like(x)
        states, cells = (torch.cat([s[None], s.new_empty(T, *s.shape)]) for s in (h, c))
        for t in range(T):
            torch.addmm(x[t], states[t], W.T, out=gates[t])
            gates[t, :, : 2 * H].sigmoid_()
            gates[t, :, 2 * H : 3 * H].tanh_()
            gates[t, :, 3 * H :].sigmoid_()
            i, f, g, o = gates[t].split(H, dim=1)
            torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, g)  # c_t = f c_{t-1} + i g
            torch.mul(o, cells[t + 1].tanh(), out=states[t + 1])  # h_t = o tanh(c_t)
        ctx.save_for_backward(W, gates, states, cells)
        return states[1:], cells[-1]

    @staticmethod
    def backward(
        ctx, dstates: Float[Tensor, "T B H"], dc: Float[Tensor, "B H"]
    ) -> tuple[
        Float[Tensor, "T B H4"], Float[Tensor, "H4 H"], Float[Tensor, "B H"], Float[Tensor, "B H"]
    ]:
        _refuse_second_derivatives()
        W, gates, states, cells = ctx.saved_tensors
        i, f, g, o = gates.chunk(4, dim=2)  # after their nonlinearities, (T, B, H) each
        tanh_c = cells[1:].tanh()
        # Local derivatives with respect to the four sums a inside the nonlinearities, where
        # sigmoid' = s (1 - s) and tanh' = 1 - g^2:
        da = torch.stack(
            [
                g * i * (1 - i),  # dc_t/da_i, since c_t = f c_{t-1} + i g
                cells[:-1] * f * (1 - f),  # dc_t/da_f
                i * (1 - g * g),  # dc_t/da_g
                tanh_c * o * (1 - o),  # dh_t/da_o, since h_t = o tanh(c_t)
            ],
            2,
        )  # (T, B, 4, H)
        dh_dc = o * (1 - tanh_c**2)  # dh_t/dc_t
        # dh, dc: gradients that come back from step t + 1; at first dc is that of the returned c
        dh, dc = torch.zeros_like(states[0]), dc.clone()
        for t in reversed(range(len(da))):
            dh += dstates[t]  # dL/dh_t = da_{t+1} W + the gradient through the output of step t
            dc.addcmul_(dh, dh_dc[t])  # dL/dc_t = f_{t+1} dL/dc_{t+1} + dL/dh_t dh_t/dc_t
            da[t, :, :3] *= dc[:, None]  # dL/da = dL/dc_t dc_t/da for i, f and g
            da[t, :, 3] *= dh  # dL/da_o = dL/dh_t dh_t/da_o
            dc *= f[t]  # to step t - 1 along the cell, since dc_t/dc_{t-1} = f_t
            dh = da[t].flatten(1) @ W  # to step t - 1 through the four sums: da_t W
        da = da.flatten(2)
        dW = da.flatten(0, 1).T @ states[:-1].flatten(0, 1)  # sum over t of da_t^T h_{t-1}
        return da, dW, dh, dc


class GRULayer(Function):
    """A GRU in torch's form over all T steps.

    x: the projection x W_ih^T + b_ih of the inputs, (T, B, 3 H), already computed; W: (3 H, H); b:
    b_hh (3 H,), kept apart because r multiplies its last block; h: first state (B, H). Returns the
    states (T, B, H).
    """

    @staticmethod
    def forward(
        ctx,
        x: Float[Tensor, "T B H3"],
        W: Float[Tensor, "H3 H"],
        b: Float[Tensor, "H3"],
        h: Float[Tensor, "B H"],
    ) -> Float[Tensor, "T B H"]:
        H = W.shape[1]
        gates, states = torch.empty_like(x), torch.cat([h[None], x.new_empty(len(x), *h.shape)])
        sums = torch.empty_like(x)  # h_{t-1} W^T + b; the last block is needed again
        for t in range(len(x)):
            torch.addmm(b, states[t], W.T, out=sums[t])
            torch.add(x[t, :, : 2 * H], sums[t, :, : 2 * H], out=gates[t, :, : 2 * H]).sigmoid_()
            r, z, n = gates[t].split(H, dim=1)  # reset gate, update gate, candidate
            torch.addcmul(x[t, :, 2 * H :], r, sums[t, :, 2 * H :], out=n).tanh_()
            torch.lerp(n, states[t], z, out=states[t + 1])  # h_t = (1 - z) n + z h_{t-1}
        ctx.save_for_backward(W, gates, states, sums[:, :, 2 * H :])
        return states[1:]

    @staticmethod
    def backward(
        ctx, dstates: Float[Tensor, "T B H"]
    ) -> tuple[
        Float[Tensor, "T B H3"], Float[Tensor, "H3 H"], Float[Tensor, "H3"], Float[Tensor, "B H"]
    ]:
        _refuse_second_derivatives()
        W, gates, states, sums = ctx.saved_tensors
        r, z, n = gates.chunk(3, dim=2)
        # dh_t/da for the three sums a inside the nonlinearities, where a_n = x_n + r (h W_n^T + b)
        by_n = (1 - z) * (1 - n * n)
        by_r = by_n * sums * r * (1 - r)
        by_z = (states[:-1] - n) * z * (1 - z)
        dsums = torch.stack([by_r, by_z, by_n * r], 2)  # (T, B, 3, H); the loop makes it dL/dsums
        dhs, dh = torch.empty_like(dstates), torch.zeros_like(states[0])
        for t in reversed(range(len(dhs))):
            torch.add(dh, dstates[t], out=dhs[t])  # dL/dh_t: from step t + 1 and from the output
            dsums[t] *= dhs[t][:, None]
            dh = torch.addmm(dhs[t] * z[t], dsums[t].flatten(1), W)  # to h_{t-1}: by z, by the sums
        dsums, dx = dsums.flatten(2), (torch.stack([by_r, by_z, by_n], 2) * dhs[:, :, None])
        dW = dsums.flatten(0, 1).T @ states[:-1].flatten(0, 1)  # sum over t of dsums_t^T h_{t-1}
        return dx.flatten(2), dW, dsums.sum((0, 1)), dh


class Recurrent(nn.Module):
    """One or more recurrent layers in one or both directions, with torch's names of weights."""

    def __init__(
        self, kind: str, d_in: int, d_hidden: int, n_layers: int = 1, bidirectional: bool = False
    ) -> None:
        super().__init__()
        if kind not in BLOCKS:
            raise ValueError(
                f"expected a kind of {', '.join(BLOCKS)}, got {kind!r}: choose one of these"
            )
        if min(d_in, d_hidden, n_layers) < 1:
            got = d_in, d_hidden, n_layers
            raise ValueError(
                f"expected sizes and layers of at least 1, got {got}: give larger ones"
            )
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

    def weights(
        self, layer: int = 0, way: str = ""
    ) -> tuple[
        Float[Tensor, "rows I"],
        Float[Tensor, "rows H"],
        Float[Tensor, "rows"],
        Float[Tensor, "rows"],
    ]:
        """Return W_ih, W_hh, b_ih, b_hh of one layer and direction ("" or "_reverse")."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return tuple(getattr(self, f"{name}_l{layer}{way}") for name in names)

    def zero_state(self, batch_size: int) -> State:
        """Return the state before the first step: zeros."""
        rows = self.n_layers * len(self.directions)
        zeros = self.weight_hh_l0.new_zeros(rows, batch_size, self.d_hidden)
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
        """Do as `forward` with x time first, (T, B, I); the states come back batch first.

        With a table (V, I) of vectors, x holds ids (T, B). The projection of an input then depends
        on its id only, so V products replace T B of them: worth it for V < T B.
        """
        if len(x) == 0:
            raise ValueError("expected at least one step to read, got none: give one or more")
        state = self.zero_state(x.shape[1]) if state is None else self._fitting(state, x.shape[1])
        ends = []
        for layer in range(self.n_layers):
            outputs = []
            for j, way in enumerate(self.directions):
                W_ih, W_hh, b_ih, b_hh = self.weights(layer, way)
                bias = b_ih if self.kind == "gru" else b_ih + b_hh
                if table is None:
                    projected = F.linear(x, W_ih, bias)
                else:
                    projected = F.embedding(x, F.linear(table, W_ih, bias))
                old = tuple(part[layer * len(self.directions) + j] for part in state)
                states, end = self._layer(projected.flip(0) if way else projected, W_hh, b_hh, old)
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
                f"got {', '.join(map(str, found))}: give (h,) or (h, c) of this batch, or None"
            )
        return state

    def _layer(
        self, x: Tensor, W: Tensor, b: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        if self.kind == "lstm":
            states, c = LSTMLayer.apply(x, W, *state)
            return states, (states[-1], c)
        if self.kind == "gru":
            states = GRULayer.apply(x, W, b, *state)
        else:
            states = ElmanLayer.apply(x, W, *state)
        return states, (states[-1],)


class Jordan(nn.Module):
    """A network that is fed its previous output.

    h_t = tanh(W_ih x_t + W_yh y_{t-1} + b), y_t = W_hy h_t + c.
    """

    def __init__(self, d_in: int, d_hidden: int, d_out: int) -> None:
        super().__init__()
        self.input, self.back = nn.Linear(d_in, d_hidden), nn.Linear(d_out, d_hidden, bias=False)
        self.output = nn.Linear(d_hidden, d_out)

    def forward(
        self, x: Float[Tensor, "B T I"], y: Float[Tensor, "B O"] | None = None
    ) -> Float[Tensor, "B T O"]:
        """Return the output at every step; y is the output before the first step, zeros if None.

        Raises ValueError for no step at all and for a y of another batch.
        """
        wanted = (len(x), self.output.out_features)
        if x.shape[1] == 0:
            raise ValueError("expected at least one step to read, got none: give one or more")
        if y is not None and y.shape != wanted:
            raise ValueError(
                f"expected a previous output of {wanted} (batch, outputs), got {tuple(y.shape)}: "
                "give a tuple, (h,) or (h, c), of this batch, or None"
            )
        y = x.new_zeros(wanted) if y is None else y
        outputs = []
        for projected in self.input(x).unbind(1):
            y = self.output(torch.tanh(projected + self.back(y)))
            outputs.append(y)
        return torch.stack(outputs, dim=1)
