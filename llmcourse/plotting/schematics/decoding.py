"""Drawings of the unit on decoding: the loop, the cache, a round of speculative decoding."""

from llmcourse.plotting.schematics.pen import Pen


def draw_decoding_loop() -> str:
    """Draw the loop that writes a text token by token."""
    pen = Pen(
        860,
        250,
        "Decoding: one token a step, and the text grows",
        "The text so far, a list of ids, goes into the model, which returns the logits of the next "
        "token, (V,). Filters change the logits. A token is chosen, the most probable one or a "
        "random one, and is appended to the text. The loop ends at the end token or after n steps.",
    )
    y, back = 110.0, 186.0
    text = pen.box(90, y, 110, 44, "text so far")
    model = pen.box(250, y, 100, 44, "model")
    filters = pen.box(440, y, 120, 44, "filters", fill="#ffffff")
    choose = pen.box(630, y, 110, 44, "choose", hot=True)
    pen.arrow(text.right, model.left)
    pen.arrow(model.right, filters.left)
    pen.arrow(filters.right, choose.left)
    pen.text(340, y - 18, "logits (V,)", kind="small")
    pen.text(538, y - 18, "logits (V,)", kind="small")
    pen.text(440, y + 40, "temperature, top-k, top-p", kind="small")
    pen.arrow(choose.right, (770, y))
    pen.text(780, y, "stop at end", anchor="start", kind="small")
    pen.arrow(choose.bottom, (630, back), (90, back), text.bottom)
    pen.text(360, back + 16, "append the new id", kind="small")
    pen.text(30, 232, "The model never chooses: it gives probabilities. Greedy, sampling and beams "
             "differ in the last box only.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_kv_cache() -> str:
    """Draw one step of attention with a cache."""
    pen = Pen(
        860,
        330,
        "With a cache, a step computes one key and one value",
        "The cache holds the keys k_1 to k_4 and the values v_1 to v_4 of four tokens that were "
        "read before, (B, S, D) each. The new token x_5, (B, 1, C), is projected to a query, a key "
        "and a value. The key and the value are appended to the cache. The query attends to all "
        "five keys, and the output (B, 1, C) is the weighted sum of all five values, times W_o.",
    )
    keys, values, left, width = 124.0, 214.0, 300.0, 60.0
    middle, top, below = (keys + values) / 2, 68.0, 272.0
    pen.cells(left, keys, width, 40, [f"$k_{i}$" for i in range(1, 5)])
    pen.cells(left, values, width, 40, [f"$v_{i}$" for i in range(1, 5)])
    new_key = pen.box(left + 4 * width + 40, keys, width, 40, "$k_5$", hot=True)
    new_value = pen.box(left + 4 * width + 40, values, width, 40, "$v_5$", hot=True)
    pen.text(left + 2 * width, keys - 34, "cache: computed once, (B, S, D) each", kind="small")
    x = pen.box(90, middle, 90, 40, "$x_5$")
    pen.text(98, middle + 36, "(B, 1, C)", anchor="start", kind="small")
    query = pen.box(210, middle, 60, 40, "$q_5$", fill="#ffffff")
    pen.arrow(x.right, query.left)
    pen.arrow(query.right, (left - 20, middle), (left - 20, keys), (left, keys))
    pen.text(216, middle - 36, "asks all keys", kind="small")
    pen.arrow(x.top, (90, top), (new_key.x, top), new_key.top)
    pen.arrow(x.bottom, (90, below), (new_value.x, below), new_value.bottom)
    pen.box(770, middle, 110, 44, "output")
    pen.text(770, middle + 37, "(B, 1, C)", kind="small")
    pen.arrow(new_key.right, (670, keys), (670, middle - 10), (715, middle - 10))
    pen.arrow(new_value.right, (670, values), (670, middle + 10), (715, middle + 10))
    pen.text(30, 312, "Without a cache each step would compute all five keys and values again.",
             anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_speculative() -> str:
    """Draw one round of speculative decoding."""
    pen = Pen(
        860,
        330,
        "Speculative decoding: guess cheaply, judge once",
        "The draft model writes three guesses x_1, x_2, x_3, one after the other. The target reads "
        "text and guesses in one call and returns four rows of probabilities, p_1 to p_4. Guess 1 "
        "is accepted, guess 2 is rejected. In its place a token is drawn from the residual, and "
        "guess 3 is thrown away. Had all been accepted, a fourth token would be drawn from p_4.",
    )
    draft, target, result = 100.0, 176.0, 256.0
    xs = (270.0, 410.0, 550.0)
    pen.text(40, draft, "draft", anchor="start")
    pen.text(40, target, "target, one call", anchor="start")
    pen.text(40, result, "written", anchor="start")
    says = ("accepted", "rejected", "not judged")
    for i, (x, said) in enumerate(zip(xs, says, strict=True), 1):
        guess = pen.box(x, draft, 84, 40, f"$x_{i}$", dashed=i == 3)
        row = pen.box(x, target, 84, 40, f"$p_{i}$", fill="#ffffff", dashed=i == 3)
        pen.arrow(guess.bottom, row.top)
        pen.text(x, draft - 34, said, kind="hot" if i == 2 else "small")
        if i < 3:
            pen.arrow(guess.right, (xs[i] - 42, draft))
            end = pen.box(x, result, 84, 40, "$x_1$" if i == 1 else "$y$", hot=i == 2)
            pen.arrow(row.bottom, end.top)
    pen.box(690, target, 84, 40, "$p_4$", fill="#ffffff", dashed=True)
    pen.text(690, target + 38, "if all are accepted", kind="small")
    pen.text(480, result, "$y$ from max(p - q, 0), normalised", anchor="start", kind="small")
    pen.text(30, 312, "At least one token a round, at most k + 1; each is distributed as if the "
             "target had written it alone.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()
