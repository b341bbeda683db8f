# Two commands are enough: make backtest, make test. Each sets everything up by itself.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN = .venv/bin
INSIDE = $(MAKE) --no-print-directory

# The simulated market: ten days of warm-up, then two months to trade in.
SEED ?= 1
MINUTES ?= 60
SPEED ?= 60
STRATEGY ?= LiquidationClusters
WORKERS ?= 2
PAIRS = BTC/USDT:USDT ETH/USDT:USDT SOL/USDT:USDT
MARKET = --pairs $(PAIRS) --start 2026-01-01 --days 70 --seed $(SEED)
SPAN = --timerange 20260101-20260312
TRADED = --timerange 20260111-20260312

# Simulated data, trades and results stay in a directory of their own.
SANDBOX = user_data/sandbox
LOG = $(SANDBOX)/freqtrade.log
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
FREQTRADE = $(BIN)/freqtrade
CONFIG = --userdir user_data --config configs/backtest.json --config $(SANDBOX)/exchange.json --datadir $(SANDBOX)/data
# Paper trading elsewhere is the same command without the second configuration: configs/bybit.json, say.
LIVE = --userdir user_data --config configs/binance.json --config $(SANDBOX)/live.json --datadir $(SANDBOX)/live
# Freqtrade exits with 0 on bad options, errors of configuration and exceptions in callbacks: its log tells.
JUDGED = 2>> $(LOG) && ! grep -qE ' - ERROR - |: error: |Unexpected error' $(LOG) || { tail -n 30 $(LOG) >&2; exit 1; }

.PHONY: help setup backtest dry-run map picture test check docs bench soak tiers lock format clean .in-sandbox

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: .venv/ok  ## make .venv from requirements.lock (a minute, 1.2 GB)

backtest: .venv/ok  ## simulate a market, download it, backtest STRATEGY=LiquidationClusters on it
	@$(BIN)/liqfeature sandbox run $(MARKET) --config-out $(SANDBOX)/exchange.json --datadir $(SANDBOX)/data \
	    -- $(INSIDE) .in-sandbox

dry-run: .venv/ok  ## paper trading on a simulated market that goes on in real time, until Ctrl-C
	@mkdir -p $(SANDBOX)
	@: > $(SANDBOX)/dry-run.log
	@echo "log of the bot: $(SANDBOX)/dry-run.log"
	@$(BIN)/liqfeature sandbox run --live --pairs $(PAIRS) --seed $(SEED) --api \
	    --config-out $(SANDBOX)/live.json --datadir $(SANDBOX)/live -- \
	    sh -c 'exec $(FREQTRADE) trade --dry-run $(LIVE) --strategy $(STRATEGY) 2>> $(SANDBOX)/dry-run.log' \
	    || { tail -n 30 $(SANDBOX)/dry-run.log >&2; exit 1; }

map: .venv/ok  ## the live map of a simulated market, SPEED=60 times as fast as the clock, until Ctrl-C
	@$(BIN)/liqfeature sandbox run --live --now 2026-02-10 --speed $(SPEED) $(MARKET) \
	    --config-out $(SANDBOX)/map.json -- \
	    $(BIN)/liqfeature serve --config configs/binance.json --config $(SANDBOX)/map.json --poll 0.5

picture: .venv/ok  ## film the live map for README (a minute; needs Chromium)
	PYTHONPATH=tests $(BIN)/python tests/studies/picture.py

test: .venv/ok  ## formatting, lint, types and all tests, on WORKERS=2
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

check: .venv/ok  ## the same without the tests that run Freqtrade
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -m "not slow"

docs: .venv/ok  ## build the documentation site into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

bench: .venv/ok  ## how fast the columns are; BENCH=--check fails where they are slower than recorded
	PYTHONPATH=tests $(BIN)/python tests/studies/bench.py $(BENCH)

soak: .venv/ok  ## a dry run through every fault that the sandbox knows, for MINUTES=60
	$(BIN)/python tests/studies/soak.py --minutes $(MINUTES)

tiers: .venv/ok  ## take Binance's maintenance tiers anew from the installed Freqtrade
	$(BIN)/python -m liqfeature.exchange.refresh_tiers

lock: .venv/ok  ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/python -m venv .venv/uv
	.venv/uv/bin/python -m pip install --quiet uv
	.venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --upgrade --no-header \
	    --no-annotate --no-emit-index-url --generate-hashes pyproject.toml --output-file requirements.lock

format: .venv/ok  ## format the code and sort its imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove caches and everything the sandbox made; .venv stays
	rm -rf $(SANDBOX) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find liqfeature tests user_data -name __pycache__ -prune -exec rm -rf {} +

.in-sandbox:
	@: > $(LOG)
	@mkdir -p $(SANDBOX)/backtest_results  # where there is none, Freqtrade takes it for the beginning of a name
	@echo "downloading candles and open interest"
	@$(FREQTRADE) download-data $(CONFIG) $(SPAN) --timeframes 5m --candle-types futures open_interest \
	    $(JUDGED)
	@echo "downloading mark prices and funding rates"
	@$(FREQTRADE) download-data $(CONFIG) $(SPAN) --timeframes 1h --candle-types mark funding_rate \
	    $(JUDGED)
	@echo "backtesting"
	@$(FREQTRADE) backtesting $(CONFIG) $(TRADED) --strategy $(STRATEGY) --cache none \
	    --backtest-directory $(SANDBOX)/backtest_results $(JUDGED)
	@echo "reporting"
	@$(BIN)/liqfeature report --results $(SANDBOX)/backtest_results --datadir $(SANDBOX)/data \
	    --out $(SANDBOX)/report.html
	@echo "drawing the map"
	@$(BIN)/liqfeature chart --datadir $(SANDBOX)/data --pair $(firstword $(PAIRS)) --days 10 \
	    --out $(SANDBOX)/map.html
	@echo
	@echo "report: $(SANDBOX)/report.html"
	@echo "map:    $(SANDBOX)/map.html"
	@echo "trades: $(SANDBOX)/backtest_results, log: $(LOG)"
	@echo "SANDBOX: prices are simulated, so profit and loss say that every step works, and nothing about a real market."

.venv/locked: requirements.lock
	@echo "1/3 making .venv with $(PYTHON)"
	@"$(PYTHON)" -c 'import sys; (3, 11) <= sys.version_info < (3, 14) \
	    or sys.exit("Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ...")'
	@"$(PYTHON)" -m venv .venv
	@echo "2/3 installing $$(grep -c == requirements.lock) packages (a minute, 1.2 GB)"
	@{ $(BIN)/python -m pip install --no-deps --require-hashes --disable-pip-version-check \
	    --requirement requirements.lock \
	    || echo "pip failed"; } | awk '\
	    /^(Collecting|Processing)/ && ++n % 20 == 0 {print "    " n " downloaded"; fflush()} \
	    /^Installing/ {print "    unpacking"; fflush()} \
	    /^pip failed/ {failed = 1} END {exit failed}'
	@touch $@

.venv/ok: .venv/locked pyproject.toml
	@echo "3/3 installing liqfeature from this checkout"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check
	@$(BIN)/liqfeature warm
	@touch $@
