# Every target sets up what it needs. Only Python 3.11+, make and a compiler are expected.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
BROWSER := $(VENV)/.browser
PEERS := .venv-peers
VLLM := .venv-vllm
# Many tests wait for other processes. More at once would fill two cores and the memory.
TWO_AT_ONCE := -n 2 --dist worksteal

.PHONY: demo test test-engines quick check lint format docs bench bench-remote bench-engines bench-million bench-cluster bench-report bench-serve bench-peers screenshots clean

demo: $(BASE)  ## answer the example questions with the model in this package
	$(BIN)/oumi infer -c examples/quickstart.yaml
	$(BIN)/oumi show examples/answers.jsonl

test: $(BROWSER)  ## all tests that need no heavy runtime
	$(BIN)/pytest $(TWO_AT_ONCE)

test-engines:  ## the tests of heavy runtimes, in an environment of their own
	PYTHON=$(PYTHON) scripts/make_vllm_env.sh $(VLLM)
	$(VLLM)/bin/pytest tests/engines
	$(VLLM)/bin/pytest tests/cluster  # apart: it changes what its process imports

quick: $(BROWSER)  ## the tests without the slow ones
	$(BIN)/pytest $(TWO_AT_ONCE) -m "not slow"

lint: $(DEV)  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_page_types.py

format: $(DEV)  ## bring the code into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DEV)  ## the documentation, in docs/_build/html
	$(BIN)/sphinx-build -W -q -n -b html docs docs/_build/html

screenshots: $(BROWSER)  ## the pictures of the report and the server in docs
	PYTHONPATH=. $(BIN)/python docs/screenshots.py

check: lint test docs test-engines  ## what CI runs

bench: $(DEV)  ## benchmark tables
	$(BIN)/python -m benchmarks

bench-remote: $(DEV)  ## those of remote engines
	$(BIN)/python -m benchmarks remote

bench-engines:  ## those of heavy runtimes, in the environment of test-engines
	PYTHON=$(PYTHON) scripts/make_vllm_env.sh $(VLLM)
	$(VLLM)/bin/python -m benchmarks native vllm

bench-cluster: $(PEERS)/daft  ## runs on a Ray cluster, beside Ray Data and Daft, in the environment of test-engines
	PYTHON=$(PYTHON) scripts/make_vllm_env.sh $(VLLM)
	$(VLLM)/bin/python -m benchmarks cluster

bench-report: $(BROWSER)  ## reports of many rows: to make one, to open it, to search in it
	$(BIN)/python -m benchmarks report_page

bench-million: $(DEV)  ## runs of up to a million rows: killed in the middle, resumed, again, rebuilt
	$(BIN)/python -m benchmarks million

bench-serve: $(DEV) $(PEERS)/proxy  ## the server, beside the LiteLLM proxy
	$(BIN)/python -m benchmarks serve

bench-peers: $(addprefix $(PEERS)/,oumi openai litellm)  ## other clients for bench-remote, each apart

$(PEERS)/daft: PACKAGE = 'daft[openai]'
$(PEERS)/proxy: PACKAGE = 'litellm[proxy]'
$(PEERS)/%:
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check $(or $(PACKAGE),$*) || (rm -rf $@; exit 1)

clean:  ## remove what was built and installed
	rm -rf $(VENV) $(PEERS) $(VLLM) docs/_build build dist .mypy_cache .pytest_cache .ruff_cache

$(BASE): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(DEV): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	touch $(BASE) $@

# Of the tests of the report, in the system or in Playwright's cache: not in the environment.
$(BROWSER): $(DEV) scripts/install_browser.sh
	PYTHONPATH=. scripts/install_browser.sh $(BIN)/python
	touch $@
