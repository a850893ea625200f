"""Drawings of the unit on n-grams: the table of counts and the ladder of shorter histories.

Every number in them is counted from the four sentences of the notebook.
"""

from collections import Counter

from llmcourse.plotting.schematics.pen import Pen

TOY = (
    "the students opened their books . the students opened their laptops . "
    "the students opened their books . the teacher opened the window ."
)
SHOWN = (  # histories of the table, the one to look at last
    "the students opened",
    "opened their books",
    "books . the",
    "the teacher opened",
    "students opened their",
)
ASKED = "teacher opened their"  # a history that was never seen
WEIGHT, VOCAB_SIZE = 0.5, 10  # nine words, and one that never occurs


def followers(history: str) -> Counter[str]:
    """Return how often each token follows a history in the four sentences."""
    tokens, words = TOY.split(), history.split()
    length = len(words)
    return Counter(
        tokens[i + length] for i in range(len(tokens) - length) if tokens[i : i + length] == words
    )


def draw_count_table() -> str:
    """Draw the table of 4-gram counts: a history a row, a next token a column."""
    tokens = list(dict.fromkeys(TOY.split()))
    words = TOY.split()
    histories = {tuple(words[i : i + 3]) for i in range(len(words) - 3)}
    pen = Pen(
        824,
        412,
        "A row for each history, a column for each next token",
        "A table of counts. Its rows are histories of three words, its columns are the nine "
        "words that can come next. In the row of 'students opened their' the column 'books' "
        "holds 2 and the column 'laptops' holds 1; the row sum is 3, so the estimate of books "
        "after this history is 2/3. Most cells are empty: these 4-grams were never seen.",
    )
    widths = [max(44.0, 20 + 7.4 * len(token)) for token in tokens]
    left, top, height = 184.0, 84.0, 32.0
    centres = [left + sum(widths[:i]) + width / 2 for i, width in enumerate(widths)]
    total = left + sum(widths) + 34
    pen.text(30, top, "*history*", anchor="start")
    for x, token in zip(centres, tokens, strict=True):
        pen.text(x, top, f"*{token}*")
    pen.text(total, top, "*sum*")
    pen.line((20, top + 17), (total + 34, top + 17))
    y = top + height + 4
    for history in SHOWN:
        row, last = followers(history), history == SHOWN[-1]
        if last:
            others = len(histories) - len(SHOWN)
            pen.text(30, y, f"and {others} more histories", anchor="start", kind="small")
            y += height
            pen.box((20 + total + 34) / 2, y, total + 14, height)
        pen.text(30, y, history, anchor="start")
        for x, token in zip(centres, tokens, strict=True):
            if last and token == "books":
                pen.box(x, y, 36, height - 6, fill="#ffffff", hot=True)
            if row[token]:
                pen.text(x, y, f"*{row[token]}*" if last else str(row[token]))
            else:
                pen.text(x, y, "·", kind="small")
        if last:
            pen.box(total, y, 36, height - 6, fill="#ffffff", hot=True)
        pen.text(total, y, f"*{row.total()}*" if last else str(row.total()))
        y += height
    row = followers(SHOWN[-1])
    books, end = centres[tokens.index("books")], y + 36
    pen.arrow((books, y - 16), (books, end - 14))
    pen.text(books, end, f"the count: {row['books']}")
    pen.arrow((total, y - 16), (total, end - 14))
    pen.text(total + 30, end, f"the row sum: {row.total()}", anchor="end")
    pen.text(
        30,
        end + 34,
        f"P(books | students opened their) = count / row sum = *{row['books']}/{row.total()}*",
        anchor="start",
    )
    pen.text(total + 30, end + 34, "· never seen: not stored, count 0", anchor="end", kind="small")
    return pen.svg()


def draw_backoff_ladder() -> str:
    """Draw interpolation after a history that was never seen, down to the uniform distribution."""
    words = ASKED.split()
    pen = Pen(
        800,
        544,
        "Interpolation: what a long history cannot say, shorter ones do",
        "A ladder of five rungs for the probability of 'books' after 'teacher opened their'. "
        "From top to bottom the history loses its first token: three words, two, one, none; at the "
        "foot is the uniform distribution 1/V. The history of three words was never seen. 'opened "
        "their' was followed by books 2 of 3 times, 'their' 2 of 3 times, and 2 of all 24 tokens "
        "are books. From the bottom up each rung mixes its own estimate with the result of the "
        "rung below, half and half: 0.100, 0.092, 0.379, 0.523; the unseen history passes 0.523 "
        "on unchanged.",
    )
    history, own, result, step, bottom = 200.0, 440.0, 660.0, 84.0, 444.0
    pen.text(history, 66, "history $h$")
    pen.text(own, 66, "own estimate")
    pen.text(result, 66, "$P($books $| h)$")
    prob = 1 / VOCAB_SIZE
    rung = None
    source = pen.box(own, bottom, 130, 40, f"$1 / V$ = 1/{VOCAB_SIZE}")
    box = pen.box(result, bottom, 110, 40, f"*{prob:.3f}*", fill="#ffffff")
    pen.arrow(source.right, box.left)
    pen.text(30, bottom, "uniform", anchor="start", kind="small")
    for m, name in enumerate(("unigram", "bigram", "trigram", "4-gram")):
        y = bottom - step * (m + 1)
        suffix = " ".join(words[len(words) - m :])
        row = followers(suffix)
        pen.text(30, y, name, anchor="start", kind="small")
        upper = pen.box(history, y, 190, 40, suffix or "( )  the empty history", dashed=not row)
        if rung:  # below the empty history there is no shorter one
            pen.arrow(upper.bottom, rung.top)
            pen.text(history + 12, y + step / 2, "drop the first token", anchor="start",
                     kind="small")  # fmt: skip
        if row:
            prob = WEIGHT * row["books"] / row.total() + (1 - WEIGHT) * prob
            source = pen.box(own, y, 130, 40, f"{row['books']} of {row.total()}")
        else:
            source = pen.box(own, y, 130, 40, "never seen", fill="#ffffff", dashed=True)
        mixed = pen.box(result, y, 110, 40, f"*{prob:.3f}*", fill="#ffffff", hot=not row)
        pen.arrow(upper.right, source.left)
        if row:
            pen.arrow(source.right, mixed.left)
            pen.text((source.right[0] + mixed.left[0]) / 2, y - 14, "$× λ$")
        pen.arrow(box.top, mixed.bottom)
        pen.text(result + 12, y + step / 2, "$× (1 - λ)$" if row else "$× 1$", anchor="start")
        rung, box = upper, mixed
    pen.text(30, 496, "$P(w | h) = λ$ · own estimate + $(1 - λ) P(w | h′)$ with $λ$ = 1/2, "
             "where $h′$ is $h$ without its first token.", anchor="start")  # fmt: skip
    pen.text(30, 522, "For example, after *their*: 1/2 · 2/3 + 1/2 · 0.092 = 0.379.",
             anchor="start", kind="small")  # fmt: skip
    return pen.svg()
