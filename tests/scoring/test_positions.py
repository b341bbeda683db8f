"""The map against real positions, by distance from price."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, small_config
from liqfeature import DataError, MissingColumnError
from liqfeature.data.store import write_frame
from liqfeature.scoring import score_positions as module
from liqfeature.scoring.maps.base import Prediction
from liqfeature.scoring.score_positions import (
    LADDER,
    STEP,
    density_by_distance,
    load_positions,
    score_positions,
)
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray

CONFIG = small_config()
WIDTH = CONFIG.grid.width
CANDLES = random_candles(400, seed=11)


def closing(row: int) -> pd.Timestamp:
    return CANDLES["date"].iloc[row] + pd.Timedelta(minutes=5)


def snapshot(row: int, *held: tuple[str, float, float], late: str = "0s") -> pd.DataFrame:
    """Positions at the close of a row: side, distance of the liquidation price in logarithm, notional."""
    mark = 100.0
    sign = {"long": -1, "short": 1}
    return pd.DataFrame(
        {
            "date": closing(row) + pd.Timedelta(late),
            "side": [side for side, _, _ in held],
            "notional": [notional for _, _, notional in held],
            "liquidation_price": [mark * math.exp(sign[side] * distance) for side, distance, _ in held],
            "mark_price": mark,
        }
    )


def as_recorded(positions: pd.DataFrame) -> pd.DataFrame:
    names = {
        "date": "snapshot",
        "notional": "position_value",
        "liquidation_price": "liquidation_px",
        "mark_price": "mark_px",
    }
    return positions.rename(columns=names).assign(coin="SOL")


def written(table: pd.DataFrame, folder: Path) -> Path:
    path = folder / "positions.parquet"
    write_frame(table, path)
    return path


def windows_of(positions: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> FloatArray:
    """Real notional by bins as it is scored, taken from where it is compared."""
    seen: list[FloatArray] = []
    scores = module._scores
    with monkeypatch.context() as patch:
        patch.setattr(
            module,
            "_scores",
            lambda name, ours, real, *rest: seen.append(real) or scores(name, ours, real, *rest),
        )
        score_positions(CANDLES, positions, CONFIG)
    return seen[0]


def test_two_positions_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """5 % below price is 25 bins of 0.2 % away, 3 % above 15; the first entry is one bin away."""
    real = windows_of(snapshot(300, ("long", 0.0501, 700.0), ("short", 0.0301, 200.0)), monkeypatch)
    assert real.shape == (1, 2, 200)
    assert {tuple(at): real[tuple(at)] for at in np.argwhere(real).tolist()} == {
        (0, LONG, 24): 700,
        (0, SHORT, 14): 200,
    }
    density = density_by_distance(real, WIDTH)
    assert {tuple(at): density[tuple(at)] for at in np.argwhere(density).tolist()} == {
        (0, LONG, 2): 1,
        (0, SHORT, 1): 1,
    }


def test_positions_on_the_wrong_side_or_beyond_the_window_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = (("long", 0.05, 7.0), ("long", -0.02, 9.0), ("short", -0.02, 9.0), ("short", 0.41, 9.0))
    real = windows_of(snapshot(300, *held), monkeypatch)
    assert real.sum() == 7


def test_positions_that_no_price_liquidates_are_dropped(tmp_path: Path) -> None:
    table = as_recorded(snapshot(300, *[("long", 0.05, float(k)) for k in range(1, 6)]))
    table["liquidation_px"] = [95.0, 0.0, np.nan, None, -3.0]
    found = load_positions(written(table, tmp_path), "SOL")
    assert found["notional"].tolist() == [1.0]
    table["liquidation_px"] = 0.0
    with pytest.raises(DataError, match="must hold positions of SOL with a liquidation price, received none"):
        load_positions(written(table, tmp_path), "SOL")


def test_only_positions_of_the_coin_are_read_and_by_date(tmp_path: Path) -> None:
    later, earlier = snapshot(300, ("long", 0.05, 1.0)), snapshot(200, ("short", 0.04, 2.0))
    other = as_recorded(snapshot(250, ("long", 0.05, 4.0))).assign(coin="BTC")
    found = load_positions(
        written(pd.concat([as_recorded(later), other, as_recorded(earlier)]), tmp_path), "SOL"
    )
    expected = pd.concat([earlier, later], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    with pytest.raises(DataError, match="positions of DOGE"):
        load_positions(written(other, tmp_path), "DOGE")


@pytest.mark.parametrize(
    "column", ["snapshot", "coin", "side", "position_value", "liquidation_px", "mark_px"]
)
def test_a_missing_column_is_named(column: str, tmp_path: Path) -> None:
    table = as_recorded(snapshot(300, ("long", 0.05, 1.0))).drop(columns=column)
    with pytest.raises(MissingColumnError, match=f"positions lack column '{column}'"):
        load_positions(written(table, tmp_path), "SOL")


def test_density_is_the_share_per_two_percent_of_distance() -> None:
    window = np.random.default_rng(0).random((3, 2, 200))
    window[1, LONG] = 0.0
    density = density_by_distance(window, WIDTH)
    assert density.shape == (3, 2, 20)
    sums = density.sum(axis=2)
    assert sums.ravel().tolist() == pytest.approx([1, 1, 0, 1, 1, 1])
    n = round(STEP / WIDTH)
    assert density[2, SHORT, 4] == pytest.approx(
        window[2, SHORT, 4 * n : 5 * n].sum() / window[2, SHORT].sum()
    )
    np.testing.assert_allclose(density_by_distance(9 * window, WIDTH), density)


@pytest.fixture
def as_if_true(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Positions, and an estimate that has them right."""
    rng = np.random.default_rng(3)
    held = [
        (side, distance, notional)
        for side in ("long", "short")
        for distance, notional in zip(rng.uniform(0.001, 0.39, 80), rng.lognormal(0, 1, 80), strict=True)
    ]
    positions = pd.concat([snapshot(row, *held) for row in (150, 300)])
    real = windows_of(positions, monkeypatch)
    monkeypatch.setattr(
        module, "estimate", lambda ground, config: Prediction(swept=np.zeros((2, 400)), window=7 * real)
    )
    return positions


def test_an_estimate_that_is_true_has_nothing_to_move_and_the_order_of_densities_right(
    as_if_true: pd.DataFrame,
) -> None:
    card = score_positions(CANDLES, as_if_true, CONFIG)
    for side in ("long", "short", "both"):
        assert card.value("estimate", "earth_mover", side) == pytest.approx(0, abs=1e-9)
        assert card.value("estimate", "density", side) == pytest.approx(1)
        assert card.value(LADDER, "earth_mover", side) > 100
        assert card.value(LADDER, "density", side) < 0.9


def test_the_estimate_is_read_at_the_last_candle_that_closed_by_then() -> None:
    held = [("long", 0.02 + k / 400, 1.0 + k) for k in range(60)] + [("short", 0.03, 5.0)]
    at = {
        late: score_positions(CANDLES, snapshot(300, *held, late=late), CONFIG).to_dict()["scores"]
        for late in ("0s", "4min 59s", "5min", "-1ms")
    }
    assert at["0s"] == at["4min 59s"]
    assert at["0s"] != at["5min"]
    assert at["0s"] != at["-1ms"]


def test_later_candles_change_no_score() -> None:
    held = [("long", 0.02 + k / 400, 1.0 + k) for k in range(60)] + [("short", 0.03, 5.0)]
    later = CANDLES.copy()
    prices = ["open", "high", "low", "close"]
    later.loc[301:, prices] *= 1.05
    later.loc[301:, "volume"] *= 4
    cards = [score_positions(c, snapshot(300, *held), CONFIG).to_dict() for c in (CANDLES, later)]
    assert cards[0] == cards[1]
    json.dumps(cards[0], allow_nan=False)


def test_snapshots_outside_the_candles_are_left_out_and_without_any_refused() -> None:
    inside, early = snapshot(300, ("long", 0.05, 1.0)), snapshot(20, ("long", 0.05, 1.0))
    late = inside.assign(date=inside["date"] + pd.Timedelta(days=9))
    assert score_positions(CANDLES, pd.concat([early, inside, late]), CONFIG).about["snapshots"] == 1
    just = snapshot(399, ("long", 0.05, 1.0), late="4min 59s")
    assert score_positions(CANDLES, just, CONFIG).about["snapshots"] == 1
    for outside in (early, late, snapshot(399, ("long", 0.05, 1.0), late="5min")):
        with pytest.raises(DataError, match="a snapshot must lie within the candles after warm-up, received"):
            score_positions(CANDLES, outside, CONFIG)


def test_one_snapshot_says_nothing_of_the_spread() -> None:
    card = score_positions(CANDLES, snapshot(300, ("long", 0.05, 1.0), ("short", 0.05, 1.0)), CONFIG)
    assert all(math.isnan(score.low) and math.isnan(score.high) for score in card.scores)
