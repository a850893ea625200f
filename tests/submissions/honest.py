"""More honest submissions of an odd form: what learners and JupyterLab make of a notebook.

Importing this adds them to `hostile.HONEST`: every exercise must keep its full points.
"""

import copy

from tests.submissions.hostile import Book, code, trick

HELPED = "def mean(values):\n    if not values:\n        raise ValueError\n    return total(values)"
SPREAD_BY_ALIAS = "def spread(v):\n    return average([square(x - average(v)) for x in v])"
TOTAL = "def total(values):\n    return sum(values) / len(values)"


def demonstration(book: Book) -> dict:
    """The released demonstration."""
    return next(cell for cell in book.cells if cell["metadata"].get("tags") == ["demo"])


def copied(book: Book, source: str) -> dict:
    """What Split Cell and Copy make of the answer: the same metadata under a new id."""
    return {**copy.deepcopy(book.cell(book.target)), "id": f"copy-{len(source)}", "source": source}


def put(book: Book, name: str, *cells: dict) -> None:
    """Cells below the one of this grade_id."""
    place = book.cells.index(book.cell(name)) + 1
    book.cells[place:place] = cells


# Split, copied, moved, stripped


@trick("honest")
def answer_split_below_a_helper(book: Book) -> None:
    book.answer(TOTAL)
    put(book, book.target, copied(book, HELPED))


@trick("honest")
def answer_copied_and_the_copy_is_scratch(book: Book) -> None:
    put(book, book.target, copied(book, "mean([1.0, 2.0])"))


@trick("honest")
def answer_split_into_imports_helper_and_definition(book: Book) -> None:
    book.answer("import math as m")
    put(book, book.target, copied(book, "def total(v): return m.fsum(v) / len(v)"))
    put(book, book.target, copied(book, ""))
    book.cells.insert(book.cells.index(book.cell("mean_check")), copied(book, HELPED))


@trick("honest")
def a_spoiled_copy_below_the_check(book: Book) -> None:
    put(book, "mean_check", copied(book, "def mean(values):\n    return 0  # what if?"))


@trick("honest")
def an_experiment_redefines_the_answer_at_the_end(book: Book) -> None:
    book.last("def mean(values, weights):\n    return 0")


@trick("honest")
def two_answers_have_helpers_of_one_name(book: Book) -> None:
    book.answer(f"{TOTAL}\n{HELPED}")
    other = book.cell("spread")
    other["source"] = "def total(a, b): return a - b\n" + other["source"]


@trick("honest")
def a_later_cell_uses_a_helpers_name_for_data(book: Book) -> None:
    book.answer(f"{TOTAL}\n{HELPED}")
    book.last("total = 5")


@trick("honest")
def a_helper_stands_below_its_use(book: Book) -> None:
    book.answer(HELPED)
    book.last(TOTAL)


@trick("honest")
def a_cell_needs_what_stands_below(book: Book) -> None:
    book.answer(f"{HELPED}\nassert total([1, 3]) == 2")
    book.last(TOTAL)


@trick("honest")
def answers_moved_above_everything(book: Book) -> None:
    for name in ("spread", "mean"):
        cell = book.cell(name)
        book.cells.remove(cell)
        book.cells.insert(0, cell)


@trick("honest")
def answer_in_a_new_cell_below_the_check(book: Book) -> None:
    answer = book.cell(book.target)["source"]
    book.answer("def mean(values):\n    raise NotImplementedError('your turn')")
    put(book, "mean_check", code(answer))


@trick("honest")
def metadata_stripped_of_all_cells(book: Book) -> None:
    for cell in book.cells:
        cell["metadata"] = {}


@trick("honest")
def metadata_and_ids_stripped(book: Book) -> None:
    for cell in book.cells:
        cell["metadata"] = {}
        del cell["id"]


@trick("honest")
def imports_and_checks_deleted(book: Book) -> None:
    length = "math.sqrt(len(v) ** 2)"
    book.answer(f"def mean(v):\n    if not v: raise ValueError\n    return np.sum(v) / {length}")
    for name in ("mean_check", "spread_check"):
        book.cells.remove(book.cell(name))
    del book.cells[1]


# Stubs that the learner left alone and never ran


@trick("honest")
def answers_above_their_stubs(book: Book) -> None:
    for name, right in book.right.items():
        book.cell(name)["source"] = (
            f"def {name}(values):\n    raise NotImplementedError('your turn')"
        )
        book.cells.insert(book.cells.index(book.cell(name)), code(right))


@trick("honest")
def answers_in_the_cell_of_imports_and_their_cells_emptied(book: Book) -> None:
    book.cells[1]["source"] += "\n" + "\n".join(book.right.values())
    for name in book.right:
        book.cell(name)["source"] = ""


@trick("honest")
def the_check_is_given_a_function_of_another_name(book: Book) -> None:
    imported = "from llmcourse.checks import u01_language_modelling as check\n"
    book.answer(book.right["mean"].replace("def mean", "def my_mean"))
    book.cell("mean_check")["source"] = f"{imported}check.mean(my_mean);"
    book.cell("spread")["source"] = (
        "def spread(values):\n    raise NotImplementedError('your turn')"
    )
    above = "def my_spread(v): return my_mean([(x - my_mean(v)) ** 2 for x in v])"
    book.cell("spread_check")["source"] = f"{imported}{above}\ncheck.spread(my_spread)"


@trick("honest")
def an_earlier_exercise_is_written_anew_with_other_arguments(book: Book) -> None:
    anew = "def mean(count, values): return sum(values) / count"
    book.cell("spread")["source"] = f"""{anew}
def spread(values):
    middle = mean(len(values), values)
    return mean(len(values), [(x - middle) ** 2 for x in values])"""


# What is there on the learner's machine and not in a sandbox


def stops(name: str, source: str) -> None:
    """A line above the answer, in its cell, that works for the learner and fails here."""

    def build(book: Book) -> None:
        book.answer(f"import math as m\n{source}\nfrom math import fsum\n{ANSWER}")

    build.__name__ = name
    trick("honest")(build)


ANSWER = "def mean(v):\n    if not v: raise ValueError\n    return fsum(v) / m.fsum([1] * len(v))"
stops("needs_a_module_that_is_not_here", "import seaborn_of_the_learner as sns")
stops("compares_with_the_library", "from llmcourse import rnn\nwanted = rnn.gru_cell(1, 2)")
stops("starts_a_task_of_the_running_loop", "import asyncio\nasyncio.create_task(asyncio.sleep(0))")
stops("goes_to_its_own_folder", "import os\nos.chdir('/content/drive/MyDrive')")
stops("asks_for_a_name", "name = input('Your name?')")
stops("sets_a_locale", "import locale\nlocale.setlocale(locale.LC_ALL, 'xx_XX.UTF-8')")


@trick("honest")
def more_long_experiments_than_attempts(book: Book) -> None:
    book.first(TOTAL)
    book.answer(HELPED)
    for _ in range(5):
        book.last("while True: pass  # trains")


@trick("honest")
def needs_a_module_that_is_not_here_below_a_first_try(book: Book) -> None:
    book.answer(f"import seaborn_of_the_learner\n{book.right[book.target]}")
    book.first("def mean(values):\n    return 0")


@trick("honest")
def imports_of_another_service_in_the_cell_of_imports(book: Book) -> None:
    imports = book.cells[1]
    imports["source"] = "from google.colab import drive\nimport statistics as st\nimport math as m"
    book.answer("def mean(v):\n    if not v: raise ValueError\n    return m.fsum(v) / len(v)")


@trick("honest")
def stops_on_purpose_above_an_old_version(book: Book) -> None:
    below = book.cells.index(book.cell("mean_check"))
    book.cells.insert(below, code("raise SystemExit\ndef mean(values):\n    return 0"))


# Demonstrations, checks and other cells of ours that were written into


@trick("honest")
def a_helper_in_a_demonstration(book: Book) -> None:
    demonstration(book)["source"] = f"import nothing_like_it\nwhile True: break\n{TOTAL}"
    book.answer(HELPED)


@trick("honest")
def a_demonstration_imports_what_the_answer_uses(book: Book) -> None:
    demonstration(book)["source"] = "%matplotlib inline\nimport statistics as st, math as m\n1 / 0"
    book.answer("def mean(v):\n    if not v: raise ValueError\n    return m.fsum(v) / len(v)")


@trick("honest")
def the_alias_of_a_demonstration_is_used(book: Book) -> None:
    demo = demonstration(book)
    book.cells.remove(demo)
    put(book, "mean_check", demo)
    demo["source"] = "average = choose(mean, statistics.mean)\nsquare = lambda x: x * x"
    book.cell("spread")["source"] = SPREAD_BY_ALIAS


@trick("honest")
def an_edited_demonstration_chooses_the_answer(book: Book) -> None:
    demo = demonstration(book)
    book.cells.remove(demo)
    put(book, "mean_check", demo)
    book.cells[1]["source"] += "\nfrom llmcourse import rnn\nfrom llmcourse.runtime import choose"
    demo["source"] = "average = choose(mean, rnn.mean)\nsquare = lambda x: x * x"
    book.cell("spread")["source"] = SPREAD_BY_ALIAS


@trick("honest")
def a_helper_in_a_check_cell(book: Book) -> None:
    book.answer(HELPED)
    book.cell("mean_check")["source"] = f"{TOTAL}\ncheck.mean(mean);"


@trick("honest")
def a_helper_in_the_cell_of_imports(book: Book) -> None:
    book.answer(HELPED)
    book.cells[1]["source"] += f"\n{TOTAL}"


@trick("honest")
def a_file_is_written_and_imported(book: Book) -> None:
    book.first(f"%%writefile helpers.py\n{TOTAL}")
    book.answer(f"from helpers import total\n{HELPED}")


@trick("honest")
def a_file_is_written_in_a_demonstration(book: Book) -> None:
    demonstration(book)["source"] = f"%%writefile my_helpers.py\n{TOTAL}"
    book.answer(HELPED.replace("return total", "import my_helpers\n    return my_helpers.total"))


# Magics


@trick("honest")
def cell_magics_that_are_unknown_here(book: Book) -> None:
    book.answer("%%nothing_like_it --fast\n" + book.right[book.target])


@trick("honest")
def cell_magics_that_run_the_cell(book: Book) -> None:
    book.answer("%%time\n" + book.right[book.target])


# What a cell leaves behind


def leaves(name: str, source: str) -> None:
    """An added cell on top that leaves something which would end the process, or all others."""

    def build(book: Book) -> None:
        book.first(source)

    build.__name__ = name
    trick("honest")(build)


leaves(
    "leaves_a_burst_of_threads",
    "import threading, time\n"
    "for _ in range(500): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
)
leaves(
    "leaves_a_timer_that_ends_the_process",
    "import os, threading\nthreading.Timer(0.3, os._exit, (1,)).start()",
)
leaves(
    "leaves_an_alarm",
    "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.2)",
)
leaves(
    "leaves_a_fork_hook_that_ends_forks",
    "import os\nos.register_at_fork(after_in_child=lambda: os._exit(1))",
)
leaves(
    "leaves_a_fork_hook_that_never_ends",
    "import os, time\nos.register_at_fork(before=lambda: time.sleep(60))",
)
leaves(
    "leaves_a_hook_of_the_collector",
    "import gc, os\ngc.callbacks.append(lambda *about: os._exit(1))",
)
leaves(
    "leaves_a_tracer",
    "import sys, os\nsys.setprofile(lambda *about: None)",
)
leaves(
    "leaves_a_pool_of_threads_that_the_answer_uses",
    "from concurrent.futures import ThreadPoolExecutor\n"
    "pool = ThreadPoolExecutor(2)\n"
    "pool.submit(len, 'x').result()\n"
    "def sum(values): return pool.submit(__import__('math').fsum, values).result()",
)
leaves("leaves_processes", "import subprocess\nx = [subprocess.Popen(['sleep', '60'])] * 3")
leaves("leaves_its_own_directory", "import os\nos.makedirs('/tmp/a/b'); os.chdir('/tmp/a/b')")
