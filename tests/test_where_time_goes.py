"""tests.where_time_goes: shares and slowest files of a report."""

from tests.where_time_goes import measured

REPORT = """<testsuites><testsuite>
<testcase classname="tests.models.test_a" name="x" time="3.0" />
<testcase classname="tests.models.test_a" name="y" time="1.0" />
<testcase classname="tests.test_b" name="z" time="4.0" />
<testcase classname="tests.text.test_c" name="z" time="2.0" />
</testsuite></testsuites>"""


def test_shares_by_folder_and_the_slowest_files():
    folders, files = measured(REPORT).split("\n\n")
    assert folders.splitlines()[2:] == [
        "| tests.models | 40% |", "| tests | 40% |", "| tests.text | 20% |"
    ]  # fmt: skip
    assert files.splitlines()[2:] == [
        "| tests.models.test_a | 2 | 4 |",
        "| tests.test_b | 1 | 4 |",
        "| tests.text.test_c | 1 | 2 |",
    ]
