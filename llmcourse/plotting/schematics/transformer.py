"""Drawings of a transformer: one head, many heads, a block, a GPT."""

from llmcourse.plotting.schematics.pen import Pen

WHITE = "#ffffff"


def draw_attention_head() -> str:
    """Draw how the output of one token comes from its query and all keys and values."""
    pen = Pen(
        800,
        500,
        "One head: the output of token 3 averages the values of all tokens",
        "Three tokens in three rows. From each vector x, (C,), come a key k and a value v, (D,) "
        "each, and from the x of token 3 also a query q. The products of this query with the three "
        "keys, divided by the square root of D, are scores; a softmax over them gives three "
        "weights a, one for each token. Each value is multiplied by its weight, and the sum is the "
        "output z of token 3, (D,).",
    )
    rows, q_at, below = (110.0, 220.0, 330.0), 290.0, 440.0
    add = pen.operation(690, rows[1], "+")
    query = pen.box(q_at, below, 56, 34, "$q_3$", hot=True)
    for end, start in zip(rows, (*(y - 17 for y in rows[1:]), query.top[1]), strict=True):
        pen.arrow((q_at, start), (q_at, end + 17))
    for y in rows[:2]:  # one softmax over three scores: the values pass by
        pen.line((430, y + 17), (430, y + 93))
    for s, y in enumerate(rows, 1):
        fork = pen.joint(92, y)
        pen.text(58, y, f"$x_{s}$")
        key = pen.box(166, y, 56, 32, f"$k_{s}$")
        value = pen.box(166, y + 46, 56, 32, f"$v_{s}$")
        pen.line((74, y), fork)
        pen.arrow(fork, key.left)
        pen.arrow(fork, (fork[0], y + 46), value.left)
        times = pen.operation(580, y, ".")
        hops = [(x, y + 46) for x in (q_at, 430.0) if x == q_at or s < 3]
        pen.arrow(value.right, (580, y + 46), times.bottom, hops=tuple(hops))
        pen.box(430, y, 80, 34, "softmax")
        score = pen.box(q_at, y, 96, 34, f"$q_3 k_{s}$ / √$D$", fill=WHITE)
        pen.arrow(key.right, score.left)
        pen.arrow(score.right, (390, y))
        pen.arrow((470, y), times.left)
        pen.text(520, y - 16, f"$a_{s}$")
        ends = {1: ((690, y), add.top), 2: (add.left,), 3: ((690, y), add.bottom)}
        pen.arrow(times.right, *ends[s])
    pen.arrow((92, rows[2]), (92, below), query.left)
    pen.arrow(add.right, (746, rows[1]))
    pen.text(756, rows[1], "$z_3$", anchor="start")
    pen.text(756, rows[1] + 22, "(D,)", anchor="start", kind="small")
    pen.text(58, rows[0] - 26, "(C,)", kind="small")
    pen.text(166, rows[0] - 30, "(D,)", kind="small")
    pen.text(340, below, "Tokens 1 and 2 have queries and outputs, too.",
             anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_many_heads() -> str:
    """Draw multi-head attention, with the memory of cross-attention."""
    pen = Pen(
        820,
        520,
        "Multi-head attention: split the columns, attend head by head, join",
        "From bottom to top. x, (B, T, C), goes through three linear layers that give q, k and v. "
        "Each is split into H heads of width D = C / H: (B, H, T, D). Each head attends by itself. "
        "The heads are joined side by side, (B, T, C), and a linear layer W_o mixes them. For "
        "cross-attention k and v come from a memory, (B, S, C), drawn dashed, in place of x.",
    )
    columns, start = (190.0, 360.0, 530.0), 470.0
    attend = pen.box(360, 220, 420, 44, "attention in each head, with the mask")
    fork = pen.joint(190, start - 34)
    pen.line((190, start - 14), fork)
    for x, name in zip(columns, "qkv", strict=True):
        layer = pen.box(x, 380, 110, 38, f"$W_{name}, b_{name}$")
        split = pen.box(x, 304, 110, 34, "split", fill=WHITE)
        path = (fork,) if x == 190 else (fork, (x, fork[1]))
        pen.arrow(*path, layer.bottom)
        pen.arrow(layer.top, split.bottom)
        pen.arrow(split.top, attend.below(x))
        pen.text(x + 10, 342, f"${name}$", anchor="start")
    join = pen.box(360, 150, 110, 34, "join", fill=WHITE)
    out = pen.box(360, 86, 110, 38, "$W_o, b_o$")
    pen.arrow(attend.top, join.bottom)
    pen.arrow(join.top, out.bottom)
    pen.arrow(out.right, (480, 86))
    pen.text(490, 86, "(B, T, C)", anchor="start", kind="small")
    pen.text(190, start, "$x$")
    pen.text(206, start, "(B, T, C)", anchor="start", kind="small")
    memory = pen.box(700, start - 2, 150, 38, "memory", dashed=True, fill=WHITE)
    pen.line(memory.left, (560, start - 2), (560, 424), hot=True)
    pen.arrow((560, 424), (560, 399), hot=True)
    pen.arrow((560, 424), (390, 424), (390, 399), hot=True)
    pen.text(700, start + 32, "(B, S, C), cross-attention only", kind="small")
    for x, length in zip(columns, "TSS", strict=True):
        pen.text(x + 26, 342, f"(B, {length}, C)", anchor="start", kind="small")
        pen.text(x + 10, 264, f"(B, H, {length}, D)", anchor="start", kind="small")
    pen.text(372, 186, "(B, H, T, D)", anchor="start", kind="small")
    return pen.svg()


def draw_transformer_block() -> str:
    """Draw a pre-norm block along its residual stream."""
    pen = Pen(
        820,
        250,
        "A block adds twice to the residual stream",
        "From left to right. The residual stream, (B, T, C), is a straight line. The first branch "
        "leaves it, goes through norm 1 and multi-head attention, and is added to the stream. The "
        "second branch leaves it, goes through norm 2 and the feed-forward layers, and is added "
        "as well.",
    )
    stream, branch = 190.0, 104.0
    x, before = 60.0, 96.0
    pen.text(x, stream, "$x$")
    for start, name, part in ((124.0, "norm 1", "attention"), (450.0, "norm 2", "feed-forward")):
        norm = pen.box(start + 56, branch, 76, 38, name, fill=WHITE)
        work = pen.box(start + 170, branch, 116, 38, part)
        add = pen.operation(start + 266, stream, "+")
        leave = pen.joint(start - 12, stream)
        pen.arrow((before, stream), add.left)
        pen.arrow(leave, (leave[0], branch), norm.left)
        pen.arrow(norm.right, work.left)
        pen.arrow(work.right, (add.x, branch), add.top)
        before = add.right[0]
    pen.arrow((before, stream), (744, stream))
    pen.text(752, stream, "out", anchor="start")
    pen.text(60, stream + 24, "(B, T, C)", kind="small")
    pen.text(426, stream + 24, "$y$")
    return pen.svg()


def draw_gpt() -> str:
    """Draw a GPT from ids to logits."""
    pen = Pen(
        820,
        300,
        "A GPT: token vectors, positions, blocks, norm, and the token vectors again",
        "From left to right. Ids, (B, T), are looked up in the table of token vectors, (V, C). The "
        "vectors of the positions are added: (B, T, C). L blocks with a causal mask follow, then a "
        "layer norm, then the head, which is the transposed table of token vectors and gives "
        "logits, (B, T, V). A dashed line says that both tables are one.",
    )
    y, below = 150.0, 254.0
    tokens = pen.box(162, y, 92, 52, "tokens")
    positions = pen.box(262, below, 104, 40, "positions")
    add = pen.operation(262, y, "+")
    pen.frame(388, y, 172, 112)
    block = pen.box(388, y, 132, 52, "block")
    norm = pen.box(540, y, 80, 52, "norm", fill=WHITE)
    head = pen.box(662, y, 104, 52, "tokens$^T$")
    pen.text(40, y, "ids", anchor="start")
    pen.arrow((68, y), tokens.left)
    pen.arrow(tokens.right, add.left)
    pen.arrow(positions.top, add.bottom)
    pen.arrow(add.right, block.left)
    pen.arrow(block.right, norm.left)
    pen.arrow(norm.right, head.left)
    pen.arrow(head.right, (740, y))
    pen.text(746, y, "logits", anchor="start")
    pen.line(tokens.top, (162, 76), (662, 76), head.top, hot=True)
    pen.text(412, 62, "one table (V, C), used twice", kind="small")
    pen.text(388, y + 42, "$L$ times, causal", kind="small")
    pen.text(52, y + 24, "(B, T)", kind="small")
    pen.text(262, y - 42, "(B, T, C)", kind="small")
    pen.text(766, y + 24, "(B, T, V)", kind="small")
    pen.text(326, below, "(longest text, C)", anchor="start", kind="small")
    return pen.svg()
