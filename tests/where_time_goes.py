"""Write into tests/README.md where the time of the tests goes.

Run: pytest ... --junitxml=FILE, then python -m tests.where_time_goes FILE.
"""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

MARK = "<!-- measured -->"
SLOWEST = 20


def measured(report: str) -> str:
    """Two tables of a report in JUnit's form: share by folder, and the slowest files."""
    folders, files, tests = Counter[str](), Counter[str](), Counter[str]()
    for case in ElementTree.fromstring(report).iter("testcase"):
        seconds, name = float(case.get("time", 0)), case.get("classname", "")
        parts = name.split(".")
        folders[".".join(parts[:2] if len(parts) > 2 else parts[:1])] += seconds
        files[name] += seconds
        tests[name] += 1
    total = sum(files.values()) or 1.0
    lines = ["| folder | share |", "|---|---|"]
    shares = [(name, seconds / total) for name, seconds in folders.most_common()]
    lines += [f"| {name} | {share:.0%} |" for name, share in shares if share > 0.01]
    lines += ["", "| file | tests | seconds |", "|---|---|---|"]
    slowest = files.most_common(SLOWEST)
    lines += [f"| {name} | {tests[name]} | {seconds:.0f} |" for name, seconds in slowest]
    return "\n".join(lines) + "\n"


def main(report: Path) -> None:
    readme = Path(__file__).with_name("README.md")
    kept = readme.read_text(encoding="utf-8").partition(MARK)[0]
    text = f"{kept}{MARK}\n\n{measured(report.read_text(encoding='utf-8'))}"
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
