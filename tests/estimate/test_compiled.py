import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numba import types
from numba.core.dispatcher import Dispatcher

import liqfeature.estimate.kernels
from builders.frames import random_candles, random_funding, random_open_interest, small_config
from liqfeature import Venue, liquidation_features
from liqfeature.estimate.kernels.logarithm import log_prices

CALLER = """
from liqfeature.compiled import compiled
from other import constant

@compiled
def kernel(x: float) -> float:
    return x + constant()

print(kernel(1.0), sum(kernel.stats.cache_hits.values()))
"""
OTHER = """
from liqfeature.compiled import compiled

@compiled
def constant() -> float:
    return {}
"""


def kernels() -> dict[str, Dispatcher]:
    """Kernels that are compiled by themselves; the others are inlined into them."""
    modules = [m.name for m in pkgutil.iter_modules(liqfeature.estimate.kernels.__path__)]
    found = {
        f"{name}.{attribute}": value
        for name in modules
        for attribute, value in vars(importlib.import_module(f"liqfeature.estimate.kernels.{name}")).items()
        if isinstance(value, Dispatcher) and value.__module__.endswith(f".{name}")
    }
    return {name: kernel for name, kernel in found.items() if kernel.targetoptions.get("inline") != "always"}


def run(program: str, *, folder: Path, cache: Path | str | None = None, **variables: str) -> str:
    """Run a Python program in an empty home; return what it prints."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    environment |= {"HOME": str(home), "PYTHONPATH": f"{folder}:{Path(__file__).parents[1]}", **variables}
    environment |= {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
    return done.stdout.strip()


def signatures() -> dict[str, int]:
    """How often each kernel was compiled, but for literals: numba compiles `f(x, 0)` once for the 0 alone."""
    return {
        name: len({tuple(map(types.unliteral, signature)) for signature in kernel.signatures})
        for name, kernel in kernels().items()
    }


def call_every_way() -> None:
    """Frames of every kind: with and without open interest, read-only, of other dtypes and orders."""
    candles = random_candles(150, 1, volatility=0.004, gaps=0.02)
    rows, funding = random_open_interest(candles, 1, every=3), random_funding(candles, 1)
    for config in (small_config(), small_config(lookback=24, horizon=1)):
        liquidation_features(candles, config)
        liquidation_features(candles, config, open_interest=rows, funding_rate=funding)
        liquidation_features(candles.iloc[:0], config)
        whole = candles.astype(dict.fromkeys(["open", "high", "low", "close"], "int64"))
        liquidation_features(whole, config)
        liquidation_features(candles.astype({"close": "Float64"})[candles.columns[::-1]], config)
        frozen = candles.copy()
        for column in frozen.columns[1:]:
            values = frozen[column].to_numpy().copy()
            values.flags.writeable = False
            frozen[column] = values
        liquidation_features(frozen, config)


def call_with_others() -> None:
    """With another exchange, and with maps that were made elsewhere."""
    candles, config = random_candles(150, 1), small_config()
    rows = random_open_interest(candles, 1)
    venue = Venue(candles=candles, config=config, open_interest=rows)
    liquidation_features(candles, config, open_interest=rows, venues={"bybit": venue})
    at, close = candles["date"].iloc[100], candles["close"].iloc[100]
    levels = {"low": [0.97 * close, 1.02 * close], "high": [0.98 * close, 1.03 * close], "notional": 1e5}
    maps = pd.DataFrame({"date": at, "available": at, "side": ["long", "short"], **levels})
    liquidation_features(candles, config, open_interest=rows, maps=maps)


def test_every_kernel_is_compiled_once() -> None:
    before = signatures()  # other tests call kernels with arrays of their own
    call_every_way()
    counts = signatures()
    assert min(counts[name] for name in ("scan.scan", "logarithm.log_prices", "logarithm.exp_prices")) == 1
    assert max(counts[name] - before[name] for name in counts) <= 1


PROGRAM = """
import json
from builders.dirty import DIRT, dirty_market
from builders.frames import small_config
from columns.test_dirty import check_promises
from estimate import test_compiled
test_compiled.call_every_way()
test_compiled.call_with_others()
config = small_config().changed({"cascade.recorded_share": 0.5})
for seed in range(8):
    for kind in DIRT:
        check_promises(dirty_market(seed, {kind, "wicks", "dear funding"}), config, 120)
print(json.dumps(test_compiled.signatures()))
"""


@pytest.mark.slow
def test_no_kernel_leaves_its_arrays_and_each_is_compiled_once(tmp_path: Path) -> None:
    counts = json.loads(run(PROGRAM, folder=tmp_path, cache=tmp_path / "cache", NUMBA_BOUNDSCHECK="1"))
    assert set(counts) == set(kernels())
    assert set(counts.values()) == {1}


def test_the_bounds_check_of_the_test_above_would_notice() -> None:
    program = "import numba, numpy as np; f = numba.njit(lambda a, i: a[i]); f(np.ones(3), 7)"
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert "IndexError" in done.stderr


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLER, encoding="utf-8")
    for constant, hits in ((1.0, 0), (1.0, 1), (2.0, 0)):
        (tmp_path / "other.py").write_text(OTHER.format(constant), encoding="utf-8")
        assert run("import caller", folder=tmp_path, cache=tmp_path / "cache") == f"{1 + constant} {hits}"


def test_compiled_code_lies_beside_the_kernel_where_no_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLER, encoding="utf-8")
    (tmp_path / "other.py").write_text(OTHER.format(1.0), encoding="utf-8")
    assert run("import caller", folder=tmp_path) == "2.0 0"
    assert run("import caller", folder=tmp_path) == "2.0 1"
    (folder,) = (tmp_path / "__pycache__").glob("numba-*")
    assert list(folder.rglob("*.nbi"))


def test_where_no_cache_can_be_written_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLER, encoding="utf-8")
    (tmp_path / "other.py").write_text(OTHER.format(1.0), encoding="utf-8")
    for _ in range(2):
        assert run("import caller", folder=tmp_path, cache="/dev/null/cache") == "2.0 0"
    assert not list(tmp_path.rglob("*.nbi"))


WARM = "from liqfeature.columns.features import warm; warm()"
MISSES = """
from estimate import test_compiled
test_compiled.call_every_way()
print(sum(sum(kernel.stats.cache_misses.values()) for kernel in test_compiled.kernels().values()))
"""


def test_what_was_compiled_ahead_serves_any_data_and_configuration(tmp_path: Path) -> None:
    run(WARM, folder=tmp_path)
    assert run(MISSES, folder=tmp_path) == "0"


ANNOUNCED = """
import caller, logging, sys
from liqfeature.compiled import announced
{}
for _ in range(2):
    with announced(caller.kernel, "compiling"):
        caller.kernel(1.0)
"""
LOGGED = 'logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="log: %(message)s")'
SHOWN = "sys.stderr = sys.stdout"


@pytest.mark.parametrize(("setting", "said"), [(LOGGED, "log: compiling"), (SHOWN, "compiling")])
def test_compiling_is_announced_once_and_not_where_it_comes_from_the_cache(
    setting: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "caller.py").write_text(CALLER.partition("\nprint")[0], encoding="utf-8")
    (tmp_path / "other.py").write_text(OTHER.format(1.0), encoding="utf-8")
    for want in (said, ""):
        assert run(ANNOUNCED.format(setting), folder=tmp_path, cache=tmp_path / "cache") == want


def test_the_plain_function_is_within_reach() -> None:
    out = np.empty(2)
    log_prices.py_func(np.array([1.0, np.e]), out)
    np.testing.assert_allclose(out, [0, 1])
