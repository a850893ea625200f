# Every command sets up what it needs in .venv first. `make help` lists them.
PYTHON ?= python3
PRESET ?= smoke
DEVICE ?= auto
SEED ?= 0
NOTEBOOKS ?=
BIN := .venv/bin
# Notebooks, tests and graders start many processes: modules are compiled once, not in each.
unexport PYTHONDONTWRITEBYTECODE
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: help lab run test test-long grade release lint docs bench ladder clean
.DEFAULT_GOAL := help

help:
	@echo "make lab      JupyterLab on course/ (learners start here)"
	@echo "make run      every solution notebook with papermill: PRESET=smoke|cpu|gpu DEVICE= SEED= NOTEBOOKS=\"01 02\""
	@echo "make verify   the tests of the tests, where something changed: right and wrong answers, mutants"
	@echo "make test     every test; make test-long adds the ones that take minutes"
	@echo "make doctor   attack the sandbox from inside: does it hold on this machine?"
	@echo "make grade    build the sample class, grade it in the sandbox, write feedback pages"
	@echo "make release  solutions/*.py -> executed solutions/*.ipynb -> course/"
	@echo "make lint     ruff and mypy;  make docs  the site in build/docs/"
	@echo "make bench    benchmarks;  make ladder  rebuild llmcourse/ladder.json"

.venv/learner: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11 to 3.13 is needed, found: $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "python3 cannot make environments here. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@# Its Create Assignment panel edits points, which stand in unit.toml. In .venv alone.
	$(BIN)/jupyter labextension disable --level=sys_prefix @jupyter/nbgrader:create-assignment >/dev/null 2>&1
	@touch $@

.venv/dev: .venv/learner
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.venv/docs: .venv/learner
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# Submissions run in bubblewrap. Installed where we may, else named.
.PHONY: sandbox
sandbox:
	@command -v bwrap >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get install -y -qq bubblewrap >/dev/null || { apt-get update -qq && apt-get install -y -qq bubblewrap >/dev/null; }; \
	  else echo "bubblewrap is needed to grade safely (Linux only). On Debian and Ubuntu: sudo apt-get install bubblewrap" >&2; exit 1; fi; }

lab: .venv/learner
	$(BIN)/llmcourse lab

run: .venv/learner
	$(BIN)/llmcourse run --preset $(PRESET) --device $(DEVICE) --seed $(SEED) --notebooks "$(NOTEBOOKS)"

# The tests in a browser need Chromium. Installed where we may, else named at the end of the run.
.PHONY: browser
browser: .venv/dev
	@$(BIN)/python -m tests.browser >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get install -y -qq chromium >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || true; fi; }

test: .venv/dev sandbox browser
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not gpu"
	$(ONE_THREAD) LLMCOURSE_PRESET=smoke $(BIN)/python -m pytest -q -n 2 --dist loadfile -p tests.nbval_kernels --nbval-lax solutions/*/*.ipynb
	$(BIN)/autograder verify $(if $(CI),--all)
	$(BIN)/autograder verify --seeds 30 $(if $(CI),--all)
	@$(BIN)/python -m tests.browser || true

.PHONY: verify
verify: .venv/dev
	$(BIN)/autograder verify

test-long: .venv/dev sandbox browser
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not gpu" --hypothesis-profile long
	$(ONE_THREAD) $(BIN)/python -m tests.fuzz 120000 $$(date +%s)
	$(BIN)/autograder verify --seeds 5000 --record tests/seeds.md
	@$(BIN)/python -m tests.browser || true
	@echo "make test-long passed on $$(date +%F) at $$(git rev-parse --short HEAD)." > tests/test_long.md

grade: .venv/dev sandbox
	$(BIN)/python -m tests.submissions.sample_class build/class
	$(BIN)/autograder grade --course build/class

release: .venv/dev
	$(BIN)/autograder build
	$(BIN)/autograder release

ladder: .venv/dev
	$(BIN)/llmcourse run --preset cpu --ladder
	$(BIN)/python -c "from llmcourse import plotting, runtime; \
	  rows = runtime.setup().ladder_rows('tinyshakespeare'); \
	  plotting.ladder(rows).figure.savefig('docs/ladder.png', dpi=150)"
	$(MAKE) release

doctor: .venv/dev sandbox
	$(BIN)/autograder doctor

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/docs
	$(BIN)/sphinx-build -q -W --keep-going docs build/docs
	@echo "the site: build/docs/index.html"

bench: .venv/dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis
