"""Drawings of pretraining: packing, accumulation, the loop."""

from llmcourse.plotting.schematics.pen import Pen

WHITE = "#ffffff"


def draw_packing() -> str:
    """Draw how documents become one stream, and the stream rows of ids and targets."""
    pen = Pen(
        820,
        470,
        "Packing: one stream of all documents, cut into rows",
        "From top to bottom. Three documents of different lengths, 5 6 7, then 8, then 9 3, become "
        "one stream with the end token e before the first and after each: e 5 6 7 e 8 e 9 3 e. The "
        "ids are the stream without its last token, cut into rows of four. The targets are the "
        "stream without its first token, cut in the same way. The last row is not full: its ids "
        "are filled up with e, its targets with -100.",
    )
    stream, size, left = ["e", "5", "6", "7", "e", "8", "e", "9", "3", "e"], 46.0, 180.0
    pen.text(30, 84, "documents", anchor="start")
    pen.text(30, 180, "stream", anchor="start")
    cells = pen.cells(left, 180, size, 36, stream)
    for start, tokens in ((1, "567"), (5, "8"), (7, "93")):
        x = cells[start].left[0]
        drawn = pen.cells(x, 84, size, 36, list(tokens))
        for document, place in zip(drawn, cells[start:], strict=False):
            pen.arrow(document.bottom, place.top)
    for x, name, part, fill in (
        (30.0, "ids", stream[:-1], "e"),
        (430.0, "targets", stream[1:], "-100"),
    ):
        tokens = part + [fill] * (-len(part) % 4)
        pen.text(x, 330, name, anchor="start")
        rows = [
            pen.cells(x + 86, 286 + 46 * row, size + 4, 36, tokens[4 * row : 4 * row + 4])
            for row in range(3)
        ]
        pen.text(rows[0][0].x + 75, 252, f"{name}, (N, T) = (3, 4)", kind="small")
    pen.text(295, 420, "without the last token of the stream", kind="small", anchor="end")
    pen.text(690, 420, "without its first token", kind="small", anchor="end")
    pen.text(30, 448, "Each token after the first end is a target exactly once; -100 does not "
             "count.", anchor="start", kind="small")  # fmt: skip
    return pen.svg()


def draw_accumulation() -> str:
    """Draw one step over three micro-batches."""
    pen = Pen(
        820,
        320,
        "One step: add sums, divide once, clip, update once",
        "From left to right. Three micro-batches with 4, 2 and 1 targets each give the sum of "
        "their losses and the gradient of that sum. The three are added. The sum is divided once "
        "by 7, the number of all targets. If the norm of all gradients together is above max_norm, "
        "they are scaled. Then the optimiser updates the parameters once.",
    )
    y = 176.0
    add = pen.operation(392, y, "+")
    for at, targets in ((90.0, "4 targets"), (176.0, "2 targets"), (262.0, "1 target")):
        batch = pen.box(92, at, 124, 40, targets)
        grad = pen.box(262, at, 124, 40, "sum, gradient", fill=WHITE)
        pen.arrow(batch.right, grad.left)
        ends = {90.0: ((392, at), add.top), 176.0: (add.left,), 262.0: ((392, at), add.bottom)}
        pen.arrow(grad.right, *ends[at])
    divide = pen.box(484, y, 84, 44, "/ 7")
    clip = pen.box(602, y, 92, 44, "clip")
    update = pen.box(730, y, 104, 44, "update", hot=True)
    pen.arrow(add.right, divide.left)
    pen.arrow(divide.right, clip.left)
    pen.arrow(clip.right, update.left)
    pen.text(92, 56, "micro-batches", kind="small")
    pen.text(484, y + 40, "all targets", kind="small")
    pen.text(602, y + 40, "one norm of all arrays", kind="small")
    pen.text(730, y + 40, "once", kind="small")
    return pen.svg()


def draw_training_loop() -> str:
    """Draw the loop of a training, with evaluation and checkpoints beside it."""
    pen = Pen(
        820,
        400,
        "The loop: batch, gradient, update, and again",
        "From left to right. Documents are packed into rows, (N, T). Each step takes a batch of "
        "rows, (B, T). The model gives the loss. Its gradient is added up over micro-batches and "
        "clipped. AdamW updates the parameters, with the learning rate that the schedule has "
        "for this step, and the next step begins. Beside the loop: evaluation on held-out "
        "documents, and checkpoints with parameters, the optimiser's state and the step.",
    )
    top, low = 120.0, 264.0
    documents = pen.box(84, top, 116, 44, "documents", fill=WHITE)
    rows = pen.box(240, top, 104, 44, "rows")
    batch = pen.box(388, top, 104, 44, "batch")
    loss = pen.box(552, top, 128, 44, "loss, gradient", hot=True)
    clip = pen.box(722, top, 108, 44, "sum, clip")
    update = pen.box(722, low, 108, 44, "AdamW")
    model = pen.box(552, low, 128, 44, "parameters")
    schedule = pen.box(722, low + 92, 108, 38, "schedule", fill=WHITE)
    evaluation = pen.box(362, low, 132, 44, "evaluation")
    held_out = pen.box(150, low, 180, 44, "held-out documents", fill=WHITE)
    saved = pen.box(552, low + 92, 128, 38, "checkpoint", fill=WHITE)
    for start, end in (
        (documents.right, rows.left), (rows.right, batch.left), (batch.right, loss.left),
        (loss.right, clip.left), (clip.bottom, update.top), (update.left, model.right),
        (model.top, loss.bottom), (model.left, evaluation.right), (held_out.right, evaluation.left),
        (schedule.top, update.bottom), (model.bottom, saved.top),
    ):  # fmt: skip
        pen.arrow(start, end)
    pen.text(162, top - 36, "pack", kind="small")
    pen.text(240, top + 38, "(N, T)", kind="small")
    pen.text(388, top + 38, "(B, T)", kind="small")
    pen.text(540, 192, "next step", anchor="end", kind="small")
    pen.text(362, low + 38, "bits per token", kind="small")
    pen.text(476, low + 92, "also m, v, step", anchor="end", kind="small")
    return pen.svg()
