"""The program that is graded: all that the learner wrote, on what we released."""

import pytest

from autograder.grading.ingest import parse
from autograder.grading.program import OWN, rebuild
from tests.submissions import toy
from tests.submissions.hostile import Book, code


def graft(change=lambda book: None, target="mean"):
    book = Book(toy.released(), toy.RIGHT, target)
    change(book)
    return rebuild(parse(book.dump()), toy.released())


def roles(rebuilt):
    return [(c.role, c.grade_id or c.notebook["id"]) for c in rebuilt.cells]


RELEASED = [
    ("released", "title"),
    ("released", "imports"),
    ("solution", "mean"),
    ("check", "mean_check"),
    ("solution", "spread"),
    ("check", "spread_check"),
    ("demo", "demo"),
    ("written", "why"),
]


def test_a_plain_submission_is_the_released_notebook_with_answers():
    rebuilt = graft()
    assert roles(rebuilt) == RELEASED and rebuilt.notices == []
    assert [c.source for c in rebuilt.cells if c.role == "solution"] == list(toy.RIGHT.values())
    assert [c.run for c in rebuilt.cells] == [False, True, True, False, True, False, False, False]


def test_nothing_but_sources_is_taken():
    def change(book):
        for cell in book.cells:
            cell["metadata"]["tags"] = ["hide-cell"]
            cell["attachments"] = {"x.png": {"image/png": "AAAA"}}
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "90/90"}]
            cell["metadata"].setdefault("nbgrader", {})["points"] = 1000

    plain, changed = graft(), graft(change)
    assert [c.notebook for c in changed.cells] == [c.notebook for c in plain.cells]


def test_added_cells_stay_where_they_were_and_in_order():
    def change(book):
        book.first("a = 1")
        place = book.cells.index(book.cell("mean_check")) + 1
        book.cells[place:place] = [code("b = 2"), code("c = 3")]
        book.last("d = 4")

    rebuilt = graft(change)
    extras = {c.source: i for i, c in enumerate(rebuilt.cells) if c.role == "extra"}
    assert list(extras) == ["a = 1", "b = 2", "c = 3", "d = 4"] and extras["a = 1"] == 0
    assert roles(rebuilt)[extras["b = 2"] - 1] == ("check", "mean_check")
    assert [r for r in roles(rebuilt) if r[0] != "extra"] == RELEASED
    assert "4 code cells were added" in rebuilt.notices


def test_an_added_cell_cannot_take_the_place_of_a_released_one():
    def change(book):
        for name in ("imports", "mean-check", "extra-1", "title"):
            book.cells.append({**code(f"x = {name!r}"), "id": name})

    ids = [c.notebook["id"] for c in graft(change).cells]
    assert len(set(ids)) == len(ids) and {n for _, n in RELEASED} >= {"title"}


def test_a_released_cell_that_a_formatter_has_laid_out_anew_was_not_edited():
    def change(book):
        book.cells[1]["source"] = "import math\n\n\nimport numpy as np  "
        book.cell("mean")["source"] = toy.STUB.format("mean", "values").replace("'", '"')
        book.cell("mean_check")["source"] = "check.mean(\n    mean,\n)"

    rebuilt = graft(change)
    assert roles(rebuilt) == RELEASED and rebuilt.notices == []
    assert "not in globals()" in rebuilt.cells[2].program


def test_a_released_cell_that_was_copied_runs_again_where_the_copy_stands():
    def change(book):
        copy = {**book.cells[1], "id": "copy"}
        book.cells[4:4] = [code("np = None"), copy]

    rebuilt = graft(change)
    programs = [c.program for c in rebuilt.cells if c.role in ("released", "extra") and c.run]
    assert programs == ["import math\nimport numpy as np", "np = None", programs[0]]
    assert rebuilt.notices == ["2 code cells were added"]


@pytest.mark.parametrize(
    "source",
    [
        "import math\nimport numpy as np  # both are fast",
        "import math\nimport numpy as np\n%time",
        "import math, numpy as np",
        "It was import math",
    ],
)
def test_a_comment_or_a_magic_in_a_released_cell_is_kept(source):
    rebuilt = graft(lambda book: book.cells[1].update(source=source))
    assert source in [c.source for c in rebuilt.cells if c.role == "extra"]
    assert rebuilt.notices == ["1 released cell was edited: the released text was used as well"]


def test_a_line_that_begins_like_a_magic_inside_an_expression_is_read_as_it_is():
    def change(book):
        demo = "while True: pass\ndef least(a, b):\n    return (a\n        % b)"
        book.cells[-2]["source"] = demo
        book.cell("mean")["source"] = toy.MEAN + "least(3, 2)"

    [demo] = [c for c in graft(change).cells if c.role == "demo"]
    assert "return a % b" in demo.program


def test_what_definitions_of_demonstrations_need_is_followed_through_all_of_them():
    released = toy.released()
    demo = released["cells"][-2]
    chain = ["import math as m", "a = m", "def b(): return a.pi", "def c(): return b()"]
    released["cells"][-2:-1] = [
        {**demo, "id": f"demo-{number}", "source": source} for number, source in enumerate(chain)
    ]
    book = Book(released, {"mean": toy.MEAN + "c()"}, "mean")
    rebuilt = rebuild(parse(book.dump()), released)
    demos = [c for c in rebuilt.cells if c.role == "demo"]
    assert [cell.run for cell in demos] == [True] * len(chain)


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (toy.MEAN, "mean: its own cell is gone; another cell that defines it was used"),
        ("check.mean(sum)", "mean: its own cell is gone; another cell that defines it was used"),
        ("def spread_(): ...", "mean: the cell is missing, and no other cell defines the name"),
    ],
)
def test_an_answer_without_its_cell_is_told_by_whether_another_defines_it(added, said):
    def change(book):
        book.cells.remove(book.cell("mean"))
        book.first(added)

    assert graft(change).notices == [said, "1 code cell was added"]


def test_an_edited_plain_cell_runs_after_the_released_one_and_is_reported():
    rebuilt = graft(lambda book: book.cells[1].update(source="import math as m"))
    assert roles(rebuilt)[1:3] == [("released", "imports"), ("extra", "extra-1")]
    assert any("edited" in notice for notice in rebuilt.notices)


def test_an_edited_demonstration_is_a_cell_of_the_learners():
    mine = "import statistics\n\ndef helper(x): return x\nLONG = helper(5)"
    rebuilt = graft(lambda book: book.cells[6].update(source=mine))
    demo, added = (c for c in rebuilt.cells if c.role in ("demo", "extra"))
    assert (demo.source, added.program) == ("while True: pass", mine)
    assert "helper" in demo.program and "LONG" not in demo.program


def test_of_a_demonstration_only_what_the_learner_names_is_defined():
    demo = "import numpy as np\nimport torch\nBASE = 10\ndef f(x):\n    return BASE\ny = f(torch)"
    demo += "\nours = choose(mean, probability.mean)\nhalf = lambda x: x / 2\nlog = np.log"

    def program(answer):
        released = toy.released()
        released["cells"][6]["source"] = demo
        book = Book(released, toy.RIGHT, "mean")
        book.answer(answer)
        return next(
            c.program for c in rebuild(parse(book.dump()), released).cells if c.role == "demo"
        )

    assert program(toy.MEAN) == ""
    assert "import numpy as np" in program("def mean(v): return np.mean(v)")
    assert "    ours = mean\n" in program("def spread(v): return ours(v)")
    assert "half = lambda x" in program("def mean(v): return half(v)")
    assert "np.log" in (used := program("def mean(v): return log(v)")) and "import numpy" in used
    used = program("def mean(v): return f(v) + y")
    assert "def f" in used and "BASE = 10" in used and "torch" not in used and "y =" not in used


def test_a_demonstration_that_cannot_be_written_anew_defines_nothing():
    """Python 3.11 reads it and has no text for it."""
    mine = "def helper(x):\n    return f'{\"\x07\"}'\nBASE = 1"
    rebuilt = graft(lambda book: book.cells[6].update(source=mine))
    assert ("extra", mine) in [(c.role, c.program) for c in rebuilt.cells]


def test_all_parts_of_an_answer_run_in_their_order_but_stubs():
    def change(book):
        mine = book.cell("mean")
        stub = toy.STUB.format("mean", "values")
        book.cells.insert(0, {**mine, "source": "def helper(x): return x"})
        book.cells.append({**mine, "source": "mean = helper(2)"})
        book.cells.append({**mine, "source": stub})

    rebuilt = graft(change)
    run = [c.program for c in rebuilt.cells if c.role in OWN]
    assert run == [
        "def helper(x): return x",
        toy.RIGHT["mean"],
        toy.RIGHT["spread"],
        "mean = helper(2)",
    ]
    assert [c.source for c in rebuilt.cells if c.grade_id == "mean"] == ["mean = helper(2)"]
    assert any("3 cells" in notice for notice in rebuilt.notices)


def test_the_learners_order_is_kept_and_released_cells_come_no_later_than_theirs():
    def change(book):
        spread = book.cell("spread")
        book.cells.remove(spread)
        book.cells.insert(0, spread)
        book.cells.remove(book.cells[2])  # the imports

    order = [name for _, name in roles(graft(change))]
    assert order == [
        "title",
        "imports",
        "spread",
        "mean",
        "mean_check",
        "spread_check",
        "demo",
        "why",
    ]


def test_a_check_stands_where_the_learner_has_it_and_a_deleted_one_below_its_answer():
    def change(book):
        check = book.cell("mean_check")
        book.cells.remove(check)
        book.cells.append(check)
        book.cells.remove(book.cell("spread_check"))

    order = [name for _, name in roles(graft(change))]
    assert order == [
        "title",
        "imports",
        "mean",
        "spread",
        "spread_check",
        "demo",
        "why",
        "mean_check",
    ]


def test_what_a_learner_wrote_into_a_check_runs_above_it():
    mine = "helper = 3\ncheck.mean(mean);"
    rebuilt = graft(lambda book: book.cell("mean_check").update(source=mine))
    above = [c.program for c in rebuilt.cells if c.grade_id == "mean_check" or c.program == mine]
    assert above == [mine, ""]


@pytest.mark.parametrize("ids", [True, False])
def test_cells_without_metadata_are_known_by_text_and_id(ids):
    def strip(book):
        for cell in book.cells:
            cell["metadata"] = {}
            if not ids:
                del cell["id"]

    rebuilt = graft(strip)
    run = [c.program for c in rebuilt.cells if c.role in OWN and c.run]
    assert run == list(toy.RIGHT.values())
    checks = [c.grade_id for c in rebuilt.cells if c.role == "check"]
    assert checks == ["mean_check", "spread_check"]


# Texts


def written(rebuilt):
    return next(cell.source for cell in rebuilt.cells if cell.role == "written")


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.update(metadata={}),
        lambda cell: (cell.update(metadata={}), cell.pop("id")),
        lambda cell: cell.update(cell_type="raw"),
        lambda cell: cell.update(cell_type="code", outputs=[], execution_count=None),
    ],
    ids=["no metadata", "no metadata, no id", "raw", "code"],
)
def test_the_written_answer_is_found_in_whatever_cell_it_stands(change):
    def write(book):
        book.cell("why").update(source="Because it sums to 1.")
        change(book.cells[-1])

    assert written(graft(write)) == "Because it sums to 1."


def test_the_written_answer_may_stand_beside_its_place_or_in_parts():
    def beside(book):
        book.cells.append({"cell_type": "markdown", "metadata": {}, "source": "Because."})

    def in_parts(book):
        mine = book.cell("why")
        mine["source"] = "One."
        book.cells.append({**mine, "id": "other", "source": "Two."})

    assert written(graft(beside)) == "Because."
    assert written(graft(in_parts)) == "One.\n\nTwo."
    assert written(graft()) == "Why?"


def test_a_text_far_from_its_place_is_the_answer_where_there_is_none():
    def far(book):
        book.cells.insert(0, {"cell_type": "markdown", "metadata": {}, "source": "Because."})

    def both(book):
        far(book)
        book.cell("why")["source"] = "In its place."

    assert written(graft(far)) == "Because."
    assert any("added elsewhere" in notice for notice in graft(far).notices)
    assert written(graft(both)) == "In its place."


@pytest.mark.parametrize("source", ["# Because.", '"""Because."""', "Because it sums to 1."])
def test_a_written_answer_in_a_code_cell_beside_its_place_is_found(source):
    assert written(graft(lambda book: book.last(source))) == source
    for program in ("x = 1", "%matplotlib inline"):
        assert written(graft(lambda book, text=program: book.last(text))) == "Why?"


def test_a_stub_defines_only_what_is_not_there():
    cell = next(c for c in graft(lambda book: book.answer("")).cells if c.grade_id == "mean")
    names = {"mean": 5}
    exec(cell.program, names)
    assert names["mean"] == 5
    del names["mean"]
    exec(cell.program, names)
    with pytest.raises(NotImplementedError, match="your turn"):
        names["mean"]([1.0])


def test_no_text_is_lost():
    def change(book):
        book.cells[0]["source"] = "# Toys, my notes"
        book.cells.insert(1, {"cell_type": "markdown", "metadata": {}, "source": "A note."})
        book.cell("mean").update(cell_type="raw")

    texts = [cell.source for cell in graft(change).cells]
    assert {"# Toys", "# Toys, my notes", "A note.", toy.RIGHT["mean"]} <= set(texts)


@pytest.mark.parametrize("change", ["delete", "retype"])
def test_a_missing_or_retyped_answer_is_shown_as_the_stub_and_not_run(change):
    def edit(book):
        if change == "delete":
            book.cells.remove(book.cell("mean"))
        else:
            book.cell("mean")["cell_type"] = "raw"

    rebuilt = graft(edit)
    cell = next(c for c in rebuilt.cells if c.grade_id == "mean")
    assert not cell.run or change == "retype"
    assert cell.source == cell.stub
    assert any("mean" in notice for notice in rebuilt.notices)


def test_the_written_answer_is_grafted():
    rebuilt = graft(lambda book: book.cell("why").update(source="Because."))
    assert rebuilt.cells[-1].source == "Because."
