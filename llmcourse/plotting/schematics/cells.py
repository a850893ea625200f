"""Drawings of one step of a gated recurrent network: the LSTM and the GRU, as torch has them."""

from llmcourse.plotting.schematics.pen import Pen


def draw_lstm_cell() -> str:
    """Draw one step of an LSTM with its lines c and h."""
    pen = Pen(
        800,
        500,
        "LSTM cell: the line $c$ is only scaled and added to",
        "One step of an LSTM. The state h of the step before, (B, H), and the input x, (B, I), "
        "give four sums in one product, (B, 4H), in torch's order i, f, g, o. A sigmoid makes "
        "the gates i, f and o of them, a tanh the candidate g. Along the upper line the old cell "
        "c is multiplied by f, then i times g is added: the new cell c, (B, H). The new cell "
        "also goes through a tanh and is multiplied by o: the new state h, (B, H), on the lower "
        "line.",
    )
    upper, lower, gates, crossing = 106.0, 344.0, 264.0, 178.0
    pen.frame(400, 230, 566, 320)
    sums = pen.cells(170, lower, 100, 40, [f"block ${name}$" for name in "ifgo"])
    for part, name in zip(sums, ("$σ$", "$σ$", "$tanh$", "$σ$"), strict=True):
        gate = pen.box(part.x, gates, 58, 34, name, fill="#ffffff")
        pen.arrow(part.top, gate.bottom)
    i, f, g, o = (part.x for part in sums)
    top = gates - 17
    forget = pen.operation(f, upper, ".")
    gated = pen.operation(g, crossing, ".")
    add = pen.operation(g, upper, "+")
    # the line c
    pen.arrow((86, upper), forget.left)
    pen.arrow(forget.right, add.left)
    pen.arrow(add.right, (724, upper))
    pen.arrow((f, top), forget.bottom)
    pen.arrow((i, top), (i, crossing), gated.left, hops=((f, crossing),))
    pen.arrow((g, top), gated.bottom)
    pen.arrow(gated.top, add.bottom)
    # the line h
    nonlinear = pen.box(640, 160, 58, 34, "$tanh$", fill="#ffffff")
    shown = pen.operation(640, 216, ".")
    pen.arrow(pen.joint(640, upper), nonlinear.top)
    pen.arrow(nonlinear.bottom, shown.top)
    pen.arrow((o, top), (o, 216), shown.left)
    pen.arrow(shown.bottom, (640, lower), (724, lower))
    pen.arrow((86, lower), sums[0].left)
    pen.arrow((370, 418), (370, lower + 20))
    # names and shapes
    for x, y, name, side in (
        (78, upper, "$c_{t-1}$", "end"), (78, lower, "$h_{t-1}$", "end"),
        (732, upper, "$c_t$", "start"), (732, lower, "$h_t$", "start"),
    ):  # fmt: skip
        pen.text(x, y, name, anchor=side)
        pen.text(x, y + 20, "(B, H)", anchor=side, kind="small")
    pen.text(380, 408, "$x_t$", anchor="start")
    pen.text(402, 408, "(B, I)", anchor="start", kind="small")
    for x, name in ((i, "$i$"), (f, "$f$"), (g, "$g$"), (o, "$o$")):
        pen.text(x + 10, 230, name, anchor="start")
    pen.text(i - 12, 304, "(B, H) each", anchor="end", kind="small")
    pen.text(580, lower, "(B, 4H)", anchor="start", kind="small")
    pen.text(30, 446, "The four sums, in torch's order: $x_t W_{ih}^T + b_{ih} + "
             "h_{t-1} W_{hh}^T + b_{hh}$", anchor="start")  # fmt: skip
    pen.text(30, 474, "$c_t = f ⊙ c_{t-1} + i ⊙ g$", anchor="start")
    pen.text(260, 474, "$h_t = o ⊙ tanh(c_t)$", anchor="start")
    return pen.svg()


def draw_gru_cell() -> str:
    """Draw one step of a GRU in torch's form."""
    pen = Pen(
        800,
        484,
        "GRU cell in torch's form: $r$ scales $h_n$, bias included",
        "One step of a GRU. Two products of three blocks each, in torch's order r, z, n: x_r, "
        "x_z, x_n of the input x, (B, I), and h_r, h_z, h_n of the state h, (B, H). The gate r "
        "is the sigmoid of x_r + h_r, the gate z the sigmoid of x_z + h_z. The block h_n, its "
        "bias included, is multiplied by r, x_n is added, and a tanh gives the candidate n. On "
        "the upper line the old state h is multiplied by z, and n times 1 - z is added: the new "
        "state, (B, H).",
    )
    upper, middle, lower, strips = 84.0, 172.0, 288.0, 406.0
    # the state's line
    keep = pen.operation(560, upper, ".")
    add = pen.operation(670, upper, "+")
    pen.arrow((86, upper), keep.left)
    pen.arrow(keep.right, add.left)
    pen.arrow(add.right, (724, upper))
    # the update gate z
    sum_z = pen.operation(356, middle, "+")
    gate_z = pen.box(440, middle, 58, 34, "$σ$", fill="#ffffff")
    pen.arrow((312, middle), sum_z.left)
    pen.arrow((356, middle + 38), sum_z.bottom)
    pen.arrow(sum_z.right, gate_z.left)
    pen.line(gate_z.right, pen.joint(560, middle))
    pen.arrow((560, middle), keep.bottom)
    rest = pen.box(560, middle + 54, 58, 34, "$1 - z$", fill="#ffffff")
    pen.arrow((560, middle), rest.top)
    # the reset gate r and the candidate n
    sum_r = pen.operation(120, lower, "+")
    gate_r = pen.box(194, lower, 58, 34, "$σ$", fill="#ffffff")
    reset = pen.operation(276, lower, ".")
    sum_n = pen.operation(356, lower, "+")
    nonlinear = pen.box(440, lower, 58, 34, "$tanh$", fill="#ffffff")
    take = pen.operation(560, lower, ".")
    pen.arrow((76, lower), sum_r.left)
    for part in (sum_r, reset, sum_n):
        pen.arrow((part.x, lower + 38), part.bottom)
    for start, end in (
        (sum_r, gate_r), (gate_r, reset), (reset, sum_n), (sum_n, nonlinear), (nonlinear, take),
    ):  # fmt: skip
        pen.arrow(start.right, end.left)
    pen.arrow(rest.bottom, take.top)
    pen.arrow(take.right, (670, lower), add.bottom)
    # names and shapes
    for x, name, side in ((78, "$h_{t-1}$", "end"), (732, "$h_t$", "start")):
        pen.text(x, upper, name, anchor=side)
        pen.text(x, upper + 20, "(B, H)", anchor=side, kind="small")
    pen.text(304, middle, "$x_z$", anchor="end")
    pen.text(68, lower, "$x_r$", anchor="end")
    pen.text(356, middle + 50, "$h_z$")
    for x, name in ((120, "$h_r$"), (276, "$h_n$"), (356, "$x_n$")):
        pen.text(x, lower + 50, name)
    pen.text(242, lower - 14, "$r$")
    pen.text(512, middle - 14, "$z$")
    pen.text(508, lower - 14, "$n$")
    pen.text(615, upper - 16, "$z ⊙ h_{t-1}$")
    pen.text(682, 200, "$(1 - z) ⊙ n$", anchor="start")
    # the two products
    pen.line((30, 366), (770, 366))
    pen.text(30, strips, "$x_t W_{ih}^T + b_{ih}$ =", anchor="start")
    pen.cells(166, strips, 46, 36, ["$x_r$", "$x_z$", "$x_n$"])
    pen.text(312, strips, "(B, 3H)", anchor="start", kind="small")
    pen.text(398, strips, "$h_{t-1} W_{hh}^T + b_{hh}$ =", anchor="start")
    pen.cells(560, strips, 46, 36, ["$h_r$", "$h_z$", "$h_n$"])
    pen.text(706, strips, "(B, 3H)", anchor="start", kind="small")
    pen.text(30, 456, "Each block is (B, H), in torch's order $r$, $z$, $n$. The gate $r$ "
             "multiplies the finished block $h_n$, so it scales the bias in it, too.",
             anchor="start", kind="small")  # fmt: skip
    return pen.svg()
