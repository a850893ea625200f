"""The units of a course: what the version of a unit's tests covers."""

import importlib.util

from autograder import course


def test_the_version_of_a_unit_covers_its_modules_and_no_others(tmp_path):
    def version(**changed):
        texts = {"u07_toy": "import u07_part", "u07_part": "A = 1", "u08_next": "B = 1"} | changed
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("u07_toy", tmp_path / "u07_toy.py")
        return course._version(importlib.util.module_from_spec(spec))

    assert version() == version() == version(u08_next="B = 2")
    assert len({version(), version(u07_toy="import u07_part  #"), version(u07_part="A = 2")}) == 3


def test_the_hidden_tests_of_a_unit_may_lie_in_several_modules():
    from autograder.units import u02_counting, u02_ngrams

    assert u02_ngrams.unseen_rate is u02_counting.unseen_rate
