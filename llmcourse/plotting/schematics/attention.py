"""Drawings of the unit on attention: the bottleneck, one step of a decoder, one head."""

from itertools import pairwise

from llmcourse.plotting.schematics.pen import Pen

SOURCE, TARGET = ("Helen", "was", "happy"), ("Helene", "talkuza", "pavova")  # a pair of the world
MEANING = ("Helen", "happy", "was")  # of the target words


def draw_bottleneck() -> str:
    """Draw an encoder and a decoder that are joined by one vector."""
    pen = Pen(
        880,
        440,
        "Everything the decoder learns about the sentence is in one vector",
        "An encoder reads three source words, Helen was happy, with a GRU from the left and one "
        "from the right. The last state of the forward GRU, after happy, and that of the backward "
        "GRU, after Helen, form the summary, (B, C). The summary is the first state of the decoder "
        "and, as the context c, an input of each of its three steps. The decoder reads the start "
        "token and then its own words, and writes Helene, talkuza (happy), pavova (was).",
    )
    y, top, words, context, inputs = 210.0, 116.0, 300.0, 300.0, 366.0
    encoder = [pen.box(x, y, 76, 48) for x in (86.0, 196.0, 306.0)]
    for s, (box, word) in enumerate(zip(encoder, SOURCE, strict=True), 1):
        pen.text(box.x, y, f"$h_{s}$")
        pen.arrow((box.x, words - 16), box.bottom)
        pen.text(box.x, words, word)
    for left, right in pairwise(encoder):
        pen.arrow((left.right[0], y - 9), (right.left[0], y - 9))
        pen.arrow((right.left[0], y + 9), (left.right[0], y + 9))
    summary = pen.box(436, y, 96, 48, "summary", hot=True)
    pen.arrow(encoder[-1].right, summary.left)
    pen.arrow(encoder[0].top, (encoder[0].x, top), (summary.x, top), summary.top)
    pen.text(250, top - 16, "last state of the backward GRU", kind="small")
    pen.text(446, 250, "(B, C)", anchor="start", kind="small")
    decoder = [pen.box(x, y, 76, 48, "step") for x in (584.0, 694.0, 804.0)]
    pen.arrow(summary.right, decoder[0].left)
    pen.text(516, y - 16, "$s_0$")
    for left, right in pairwise(decoder):
        pen.arrow(left.right, right.left)
    crossings = tuple((box.x + 16, context) for box in decoder)
    pen.line(summary.bottom, (summary.x, context), (decoder[-1].x - 16, context), hops=crossings)
    for box in decoder:
        at = (box.x - 16, context)
        pen.arrow(pen.joint(*at) if box is not decoder[-1] else at, box.below(at[0]))
    pen.text(506, context + 16, "context $c$")
    for box, read, word, said in zip(decoder, ("<s>", *TARGET), TARGET, MEANING, strict=False):
        pen.arrow(box.top, (box.x, top + 16))
        pen.text(box.x, top, word)
        pen.text(box.x, top - 20, f"({said})", kind="small")
        pen.arrow((box.x + 16, inputs - 16), box.below(box.x + 16))
        pen.text(box.x + 16, inputs, read)
    pen.text(30, 414, "C = 2H: the summary holds the last states of both GRUs, whatever the length "
             "of the sentence.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_attention_step() -> str:
    """Draw one step of a decoder that attends to the encoder's states."""
    pen = Pen(
        860,
        500,
        "Attention: each step takes its own context from all words",
        "One step of a decoder with attention. The encoder's states h_1, h_2, h_3, (B, S, C), of "
        "the words Helen, was, happy are keys and values. The decoder's new state s_t, (B, C), is "
        "the query. It is compared with each key: three scores, (B, S). A softmax over the real "
        "words makes the weights w_1, w_2, w_3. The context c_t, (B, C), is the sum of the states, "
        "each times its weight. The readout computes the logits of the next word from s_t and c_t.",
    )
    xs, right = (150.0, 270.0, 390.0), 660.0
    total, soft, ask, score, keys = 120.0, 202.0, 326.0, 276.0, 376.0
    pen.frame(270, keys, 380, 64)
    result = pen.box(270, total, 310, 40, "$c_t = Σ w_j h_j$")
    softmax = pen.box(270, soft, 310, 36, "softmax over the real words", fill="#ffffff")
    for s, (x, word) in enumerate(zip(xs, SOURCE, strict=True), 1):
        state = pen.box(x, keys, 64, 40, f"$h_{s}$")
        compared = pen.box(x, score, 74, 36, "score", fill="#ffffff")
        pen.arrow(state.top, compared.bottom)
        pen.arrow(compared.top, softmax.below(x))
        pen.arrow(softmax.above(x), result.below(x))
        pen.text(x + 10, 162, f"$w_{s}$", anchor="start")
        pen.arrow((x, 434), state.bottom)
        pen.text(x, 450, word)
        pen.arrow(pen.joint(x + 22, ask) if s < 3 else (x + 22, ask), compared.below(x + 22))
    state = pen.box(right, score, 110, 40, "state $s_t$")
    crossings = tuple((x, ask) for x in xs)
    pen.line((right - 30, score + 20), (right - 30, ask), (xs[0] + 22, ask), hops=crossings)
    pen.text(530, ask - 16, "query (B, C)", kind="small")
    read = pen.box(right, total, 110, 40, "readout")
    pen.arrow(result.right, read.left)
    pen.text(515, total - 16, "context (B, C)", kind="small")
    pen.arrow(state.top, read.bottom)
    pen.arrow(read.top, (right, 76))
    pen.text(right, 62, "logits of the next word")
    pen.arrow((right + 24, ask + 30), state.below(right + 24))
    pen.text(right + 24, ask + 46, "word before, $y_{t-1}$")
    pen.arrow((790, score), state.right)
    pen.text(800, score, "$s_{t-1}$", anchor="start")
    pen.arrow((80, keys), (50, keys), (50, total), result.left)
    pen.text(60, 240, "values", anchor="start", kind="small")
    pen.text(470, keys + 20, "keys and values (B, S, C)", anchor="start", kind="small")
    pen.text(30, 480, "The only change: with a fixed context, $c_t$ is the same summary at every "
             "step.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_one_head() -> str:
    """Draw one head of attention as products of matrices."""
    pen = Pen(
        860,
        430,
        "One head: each row asks with $Q$, is found by $K$, and gives $V$",
        "One head. X, (T, C), holds the vectors of T tokens. Times W_q it gives the queries Q, "
        "(T, d), times W_k the keys K, (T, d), times W_v the values V, (T, D). Q times the "
        "transposed K, divided by the square root of d, is a table of scores, (T, T): row i holds "
        "the scores of query i. The mask and a softmax along each row make the weights, (T, T). "
        "The weights times V are the outputs O, (T, D).",
    )
    rows = {"q": 120.0, "k": 220.0, "v": 320.0}
    X = pen.box(84, rows["k"], 80, 52, "$X$")
    pen.text(84, rows["k"] + 42, "(T, C)", kind="small")
    made = {}
    for name, y in rows.items():
        weight = pen.box(216, y, 84, 40, f"$W_{name}$", fill="#ffffff")
        made[name] = pen.box(344, y, 72, 40, f"${name.upper()}$")
        pen.arrow(weight.right, made[name].left)
        pen.text(344, y + 34, "(T, D)" if name == "v" else "(T, d)", kind="small")
        if name == "k":
            fork = pen.joint(148, y)
            pen.line(X.right, fork)
            pen.arrow(fork, weight.left)
        else:
            pen.arrow((148, rows["k"]), (148, y), weight.left)
    scores = pen.box(490, 170, 132, 44, "$Q K^T / √d$")
    pen.arrow(made["q"].right, (490, rows["q"]), scores.top)
    pen.arrow(made["k"].right, (490, rows["k"]), scores.bottom)
    softmax = pen.box(660, 170, 130, 44, "mask, softmax", fill="#ffffff")
    pen.arrow(scores.right, softmax.left)
    pen.text(500, 206, "scores (T, T)", anchor="start", kind="small")
    out = pen.box(790, rows["v"], 80, 44, "$O$")
    times = pen.box(660, rows["v"], 110, 40, "weights $V$", fill="#ffffff")
    pen.arrow(softmax.bottom, times.top)
    pen.text(670, 250, "weights (T, T)", anchor="start", kind="small")
    pen.arrow(made["v"].right, times.left)
    pen.arrow(times.right, out.left)
    pen.text(790, rows["v"] + 38, "(T, D)", kind="small")
    pen.text(30, 404, "Row $i$ of $O$: the values of all tokens, each times the weight that query "
             "$i$ gives it.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()
