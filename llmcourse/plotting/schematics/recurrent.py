"""Drawings of recurrent networks over time: unrolled, trained, stacked, in both directions."""

from llmcourse.plotting.schematics.pen import Part, Pen


def draw_unrolled_network() -> str:
    """Draw a recurrent network as a loop, and the same unrolled over time."""
    pen = Pen(
        820,
        380,
        "Unrolled, a recurrent network is a deep one with the same weights at every step",
        "On the left one step of a recurrent network: the input x_t, (B, I), enters, the state "
        "h_t leaves, (B, H), and comes back one step later as h_{t-1}. On the right the same, "
        "unrolled: step 1 reads x_1 and the state h_0 and gives h_1, step 2 reads x_2 and h_1, "
        "and so on to step T. All steps use the same weights. A task can use the states of all "
        "steps, or the last one alone.",
    )
    y, top, bottom = 196.0, 108.0, 284.0
    loop = pen.box(76, y, 76, 52, "step")
    pen.arrow((76, bottom - 16), loop.bottom)
    pen.arrow(loop.top, (76, top + 16))
    pen.text(76, top, "$h_t$")
    pen.text(76, bottom, "$x_t$")
    side, back = loop.right[0], loop.right[0] + 34
    pen.arrow((side, y + 14), (back, y + 14), (back, y - 14), (side, y - 14))
    pen.text(side + 6, y - 34, "$h_{t-1}$", anchor="start")
    pen.text(196, y, "=")
    pen.text(236, y, "$h_0$")
    pen.text(236, y + 22, "(B, H)", kind="small")
    start = (254.0, y)
    for x, t, carried in ((332.0, "1", "$h_1$"), (468.0, "2", "$h_2$"), (674.0, "T", "")):
        box = pen.box(x, y, 76, 52, "step")
        pen.arrow(start, box.left)
        pen.arrow((x, bottom - 16), box.bottom)
        pen.arrow(box.top, (x, top + 16))
        pen.text(x, top, f"$h_{t}$")
        pen.text(x, bottom, f"$x_{t}$")
        if carried:
            pen.text(x + 68, y - 16, carried)
        start = box.right
        if t == "2":
            pen.arrow(start, (start[0] + 48, y))
            pen.text(567, y, "...")
            pen.text(606, y - 16, "$h_{T-1}$")
            start = (580.0, y)
    pen.arrow(start, (start[0] + 44, y))
    pen.text(start[0] + 52, y, "$h_T$", anchor="start")
    pen.text(start[0] + 52, y + 22, "(B, H)", anchor="start", kind="small")
    for x in (76, 674):
        pen.text(x + 16, top, "(B, H)", anchor="start", kind="small")
        pen.text(x + 16, bottom, "(B, I)", anchor="start", kind="small")
    pen.text(294, 74, "a task can use every state, or the last one alone",
             kind="small", anchor="start")  # fmt: skip
    pen.text(30, 344, "step: $h_t = tanh(x_t W_{ih}^T + b_{ih} + h_{t-1} W_{hh}^T + b_{hh})$",
             anchor="start")  # fmt: skip
    return pen.svg()


def draw_bptt() -> str:
    """Draw backpropagation through time over three steps."""
    pen = Pen(
        890,
        500,
        "Backpropagation through time: $dh_t$ has two sources",
        "Three steps of an Elman network, forward from left to right: each reads x_t and the "
        "state h_{t-1} and gives h_t; from each state comes an output and its loss L_t. Below, "
        "the gradients run from right to left. At each step the gradient of the loss L_t with "
        "respect to h_t, dhs_t, is added to what comes back from step t + 1, which is 0 at the "
        "last step. The sum dh_t times 1 - h_t squared is da_t, (B, H). It adds to the gradients "
        "of all weights, and da_t times W_hh goes back to step t - 1; at the first step it is "
        "dh_0.",
    )
    forward, losses, back, weights = 120.0, 196.0, 288.0, 396.0
    pen.text(46, forward, "$h_0$")
    pen.text(46, forward + 22, "(B, H)", kind="small")
    sums = pen.box(445, weights, 810, 46, fill="#ffffff")
    state, adds = (66.0, forward), list[Part]()
    for t in (1, 2, 3):
        x = 190.0 + 250 * (t - 1)
        step = pen.box(x, forward, 106, 40, "$tanh$")
        pen.arrow((x, 80), step.top)
        pen.text(x, 66, f"$x_{t}$")
        node = pen.box(x + 116, forward, 44, 34, f"$h_{t}$", fill="#ffffff")
        pen.arrow(state, step.left)
        pen.arrow(step.right, node.left)
        state = node.right
        loss = pen.box(x + 116, losses, 44, 34, f"$L_{t}$", fill="#ffffff")
        pen.arrow(node.bottom, loss.top)
        add = pen.operation(x + 116, back, "+")
        pen.arrow(loss.bottom, add.top, hot=True)
        pen.text(x + 126, 246, f"$dhs_{t}$", anchor="start", kind="hot")
        tanh_prime = pen.box(x, back, 106, 40, f"$⊙ (1 - h_{t}^2)$")
        pen.arrow(add.left, tanh_prime.right, hot=True)
        pen.text(x + 80, back - 16, f"$dh_{t}$", kind="hot")
        pen.arrow(tanh_prime.bottom, sums.above(x), hot=True)
        pen.text(x + 10, 338, f"$da_{t}$", anchor="start", kind="hot")
        pen.arrow(tanh_prime.left, adds[-1].right if adds else (68, back), hot=True)
        pen.text(x - 88, back - 16, f"$da_{t} W_{{hh}}$", kind="hot")
        adds.append(add)
    pen.text(206, 66, "(B, I)", anchor="start", kind="small")
    pen.text(180, 338, "(B, H)", anchor="end", kind="small")
    pen.arrow((848, back), adds[-1].right, hot=True)
    pen.text(858, back, "0", kind="hot")
    pen.text(46, back, "$dh_0$", kind="hot")
    for x, total in (
        (60, "$dW_{ih} = Σ_t da_t^T x_t$"),
        (250, "$dW_{hh} = Σ_t da_t^T h_{t-1}$"),
        (462, "$db_{ih} = db_{hh} = Σ_t da_t$, summed over the batch"),
    ):
        pen.text(x, weights, total, anchor="start")
    pen.arrow((40, 452), (84, 452))
    pen.text(94, 452, "forward", anchor="start", kind="small")
    pen.arrow((180, 452), (224, 452), hot=True)
    pen.text(234, 452, "gradient of the whole loss $L = L_1 + L_2 + L_3$, such as "
             "$dh_t = dL / dh_t$", anchor="start", kind="small")  # fmt: skip
    pen.text(40, 478, "$dhs_t$: the part of $dh_t$ that comes through $L_t$.      $da_t$: gradient "
             "with respect to the sum inside the tanh.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_stacked_layers() -> str:
    """Draw two recurrent layers: the states of the first are the inputs of the second."""
    pen = Pen(
        760,
        410,
        "Stacked layers: the states of one are the inputs of the next",
        "Two recurrent layers over three steps. Layer 1 reads the inputs x_t, (B, I), layer 2 "
        "reads the states of layer 1, (B, H), at the same step. Each layer carries its own state "
        "from step to step and begins with zeros. The states of layer 2, (B, H), go to the "
        "output.",
    )
    upper, lower, bottom, top = 160.0, 262.0, 346.0, 78.0
    for name, y, layer in (("layer 2", upper, 2), ("layer 1", lower, 1)):
        pen.text(30, y, name, anchor="start")
        pen.text(126, y, "0")
        state = (136.0, y)
        for t in (1, 2, 3):
            x = 220.0 + 170 * (t - 1)
            box = pen.box(x, y, 76, 46, "step")
            pen.arrow(state, box.left)
            pen.arrow((x, bottom - 16 if layer == 1 else lower - 23), box.bottom)
            if t < 3:
                pen.text(x + 84, y - 18, f"$h_{t}^{{({layer})}}$")
            if layer == 1:
                pen.text(x, bottom, f"$x_{t}$")
            else:
                pen.arrow(box.top, (x, top + 16))
                pen.text(x, top, f"$h_{t}^{{(2)}}$")
                pen.text(x + 10, (upper + lower) / 2, f"$h_{t}^{{(1)}}$", anchor="start")
            state = box.right
        pen.arrow(state, (state[0] + 44, y))
        pen.text(state[0] + 52, y, f"$h_3^{{({layer})}}$", anchor="start")
        pen.text(state[0] + 92, y, "(B, H)", anchor="start", kind="small")
    pen.text(220 + 340 + 46, (upper + lower) / 2, "(B, H)", anchor="start", kind="small")
    pen.text(220 + 340 + 26, top, "(B, H)", anchor="start", kind="small")
    pen.text(220 + 340 + 16, bottom, "(B, I)", anchor="start", kind="small")
    pen.text(30, 386, "Each layer has its own weights; all steps of a layer share them.",
             anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_bidirectional() -> str:
    """Draw two networks that read from the left and from the right."""
    pen = Pen(
        800,
        420,
        "Bidirectional: at every step, what came before and what comes after",
        "Three steps of a bidirectional network. A forward network reads x_1, x_2, x_3, a "
        "backward network reads x_3, x_2, x_1; each begins with zeros and has its own weights. At "
        "each step the two states, (B, H) each, stand side by side, (B, 2H): the forward state in "
        "the first H columns, the backward state in the last H.",
    )
    forward, backward, bottom, top = 282.0, 188.0, 364.0, 92.0
    xs = [230.0, 410.0, 590.0]
    pen.text(30, forward, "forward", anchor="start")
    pen.text(30, backward, "backward", anchor="start")
    ahead = [pen.box(x - 38, forward, 66, 44, "step") for x in xs]
    behind = [pen.box(x + 38, backward, 66, 44, "step", fill="#ffffff") for x in xs]
    pen.text(120, forward, "0")
    pen.text(722, backward, "0")
    pen.arrow((130, forward), ahead[0].left)
    pen.arrow((712, backward), behind[2].right)
    for left, right, x in zip(ahead, ahead[1:], xs, strict=False):
        pen.arrow(left.right, right.left, hops=((x + 38, forward),))
    for left, right, x in zip(behind, behind[1:], xs[1:], strict=False):
        pen.arrow(right.left, left.right, hops=((x - 38, backward),))
    for t, (x, one, other) in enumerate(zip(xs, ahead, behind, strict=True), 1):
        fork = pen.joint(x, bottom - 30)
        pen.line((x, bottom - 14), fork)
        pen.arrow(fork, (one.x, fork[1]), one.bottom)
        pen.arrow(fork, (other.x, fork[1]), other.bottom)
        first = pen.box(one.x, top, 76, 38, f"$h_{t}^→$")
        last = pen.box(other.x, top, 76, 38, f"$h_{t}^←$", fill="#ffffff")
        pen.arrow(one.top, first.bottom)
        pen.arrow(other.top, last.bottom)
        pen.text(x, bottom, f"$x_{t}$")
    pen.text(606, bottom, "(B, I)", anchor="start", kind="small")
    pen.text(678, top, "(B, 2H)", anchor="start", kind="small")
    pen.text(540, 240, "(B, H)", anchor="end", kind="small")
    pen.text(638, 140, "(B, H)", anchor="start", kind="small")
    pen.text(30, 398, "Each direction has its own weights and begins with zeros.",
             anchor="start", kind="small")  # fmt: skip
    return pen.svg()
