"""The wheel by itself, with numpy, pandas and numba only: its columns are those of the full environment."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from test_docker import COPIED

ROOT = Path(__file__).parents[2]

PROGRAM = """
import hashlib, importlib.util, json, sys
import numpy as np
import pandas as pd
import liqfeature
from liqfeature import HeatmapConfig, liquidation_features

rng = np.random.default_rng(1)
n = 3000
close = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, n)))
opening = np.concatenate([[100.0], close[:-1]])
candles = pd.DataFrame({
    "date": pd.date_range("2026-06-20", periods=n, freq="5min", tz="UTC"),
    "open": opening,
    "high": np.maximum(opening, close) * np.exp(rng.exponential(0.001, n)),
    "low": np.minimum(opening, close) * np.exp(-rng.exponential(0.001, n)),
    "close": close,
    "volume": rng.lognormal(4, 1, n).round(),
})
amount = 8000 * np.exp(np.cumsum(rng.normal(0, 0.002, n)))
rows = pd.DataFrame({
    "date": candles["date"], "open_interest_amount": amount, "open_interest_value": amount * opening
})
funding = pd.DataFrame({"date": candles["date"][::96], "funding_rate": rng.normal(0, 1e-4, -(-n // 96))})
digests = {}
for pair, exchange in json.loads(sys.argv[1]):
    config = HeatmapConfig.for_pair(pair, exchange)
    columns = liquidation_features(candles, config, open_interest=rows, funding_rate=funding)
    values = np.ascontiguousarray(columns.to_numpy())
    digests[f"{pair} {exchange}"] = [
        config.leverage.max_leverage, int(np.isfinite(values).sum()), hashlib.sha256(values).hexdigest()
    ]
extras = ("freqtrade", "ccxt", "pyarrow", "plotly", "aiohttp", "rich")
there = [name for name in extras if importlib.util.find_spec(name)]
print(json.dumps({"digests": digests, "there": there, "from": liqfeature.__file__}))
"""

MARKETS = [
    ("BTC/USDT:USDT", "binance"),
    ("1000PEPE/USDT:USDT", "bybit"),
    ("PEPE/USDT:USDT", "okx"),
    ("ETH/USDT:USDT", "gate"),
    ("ETH/USDC:USDC", "hyperliquid"),
]


def core():
    """Distributions that the wheel needs without any extra, and what they need."""
    found, waiting = set(), ["liqfeature"]
    while waiting:
        for line in importlib.metadata.requires(waiting.pop()) or ():
            requirement = Requirement(line)
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and name not in found:
                found.add(name)
                waiting.append(name)
    return found


def environment(folder, wheel):
    """Make an environment of the wheel and of what it needs, which is linked: no network is needed."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    site = Path(where.stdout.strip())
    for name in core():
        distribution = importlib.metadata.distribution(name)
        tops = {
            file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")
        }
        for top in tops:
            (site / top).symlink_to(distribution.locate_file(top))
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    return python


def columns_by(python, folder):
    """Run the program outside of the checkout, with compiled kernels of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NUMBA_"))}
    done = subprocess.run(
        [python, "-c", PROGRAM, json.dumps(MARKETS)],
        cwd=folder,
        env=clean | {"NUMBA_CACHE_DIR": str(folder / "kernels")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from what docker/Dockerfile copies: a build leaves files beside what it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in COPIED:
        path = ROOT / name
        if path.is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, source / name, symlinks=True, ignore=unwanted)
        else:
            shutil.copy(path, source)
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", *build, str(source)], check=True)
    (built,) = folder.glob("liqfeature-*.whl")
    return built


def test_the_wheel_carries_every_file_of_the_package_and_of_the_user_directory(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "liqfeature").rglob("*") if path.is_file()
    }
    wanted = {name for name in shipped if "__pycache__" not in name and ".egg-info" not in name}
    for folder, own in (("configs", "configs"), ("user_data/strategies", "strategies")):
        wanted |= {f"liqfeature/userdir/{own}/{path.name}" for path in (ROOT / folder).glob("*.[jp]*")}
    wanted.add("liqfeature/userdir/hyperopts/ClusterLoss.py")
    assert "liqfeature/userdir/strategies/LiquidationClusters.py" in wanted
    assert sorted(wanted - held) == []


def test_the_core_wheel_puts_a_strategy_into_a_user_directory(wheel, tmp_path):
    python = environment(tmp_path / "alone", wheel)
    (tmp_path / "user_data" / "strategies").mkdir(parents=True)
    program = "from liqfeature.cli.main import main; raise SystemExit(main())"
    options = ["init", "--userdir", "user_data", "--exchange", "bybit"]
    done = subprocess.run(
        [python, "-c", program, *options], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "freqtrade here: not installed. pip install 'freqtrade>=" in done.stdout
    assert (tmp_path / "user_data" / "strategies" / "LiquidationClusters.py").is_file()
    assert (tmp_path / "user_data" / "liqfeature.json").is_file()


def test_the_core_wheel_compiles_ahead_as_the_image_does(wheel, tmp_path):
    python = environment(tmp_path / "alone", wheel)
    program = "from liqfeature.cli.main import main; raise SystemExit(main())"
    kernels = tmp_path / "kernels"
    done = subprocess.run(
        [python, "-c", program, "warm"],
        cwd=tmp_path,
        env=os.environ | {"NUMBA_CACHE_DIR": str(kernels)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"compiled code is in {kernels}" in done.stdout
    assert list(kernels.rglob("*.nbc"))


def test_columns_of_the_core_wheel_are_those_of_the_full_environment(wheel, tmp_path):
    alone = columns_by(environment(tmp_path / "alone", wheel), tmp_path)
    full = columns_by(sys.executable, tmp_path)
    assert alone["there"] == []
    assert alone["from"].startswith(str(tmp_path))
    assert full["from"].startswith(str(ROOT))
    assert alone["digests"] == full["digests"]
    assert alone["digests"]["BTC/USDT:USDT binance"][0] == 150.0
    assert all(finite > 10_000 for _, finite, _ in alone["digests"].values())
