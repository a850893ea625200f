"""Run every benchmark, one after the other, and write `benchmarks/results.md` with machine and
date."""

import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PEERS = ("numpy", "torch", "nltk", "tokenizers", "gensim", "nbgrader", "transformers")


def machine() -> str:
    """Processor, cores, Python and package versions in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def main() -> None:
    """Run all and write what each printed, a goal that was missed included: exit 1 for one."""
    sections, missed = [], []
    for path in sorted(HERE.glob("bench_*.py")):
        print(f"== {path.stem}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{path.stem}"],
            cwd=HERE.parent, capture_output=True, text=True,
        )  # fmt: skip
        said = done.stdout.rstrip()
        if done.returncode:
            missed.append(path.stem)
            said += f"\n\n{(done.stderr.strip().splitlines() or ['failed'])[-1]}"
        print(said)
        sections.append(f"## {path.stem}\n\n```\n{said}\n```\n")
    head = f"# Benchmarks\n\n`make bench` on {datetime.date.today()}: {machine()}.\n\n"
    (HERE / "results.md").write_text(head + "\n".join(sections), encoding="utf-8")
    if missed:
        sys.exit(f"missed: {', '.join(missed)}; see benchmarks/results.md")


if __name__ == "__main__":
    main()
