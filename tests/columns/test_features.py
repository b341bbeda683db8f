import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from builders.frames import (
    CANDLE,
    SEEDED,
    Frames,
    markets,
    random_candles,
    random_funding,
    random_open_interest,
    small_config,
    small_configs,
)
from liqfeature import (
    COLUMNS,
    ConfigError,
    HeatmapConfig,
    LiqFeatureError,
    estimate_heatmap,
    heatmap_history,
    liquidation_features,
    outlook,
)
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.reach import ReachRule

CONFIG = small_config()
WARM = CONFIG.warmup - 1
QUOTE = [name for name, column in COLUMNS.items() if column.unit == "quote"]
PRICE = [name for name, column in COLUMNS.items() if column.unit == "price"]
OTHER = [name for name in COLUMNS if name not in (*QUOTE, *PRICE)]
NEED_A_CLUSTER = ("distance", "near", "peak", "far", "notional", "density", "hit")


def features_of(market: Frames, config: HeatmapConfig = CONFIG) -> pd.DataFrame:
    return liquidation_features(market.candles, config, **market.inputs())


def full_market(n: int = 400, seed: int = 1) -> Frames:
    candles = random_candles(n, seed, volatility=0.004)
    return Frames(candles, random_open_interest(candles, seed), random_funding(candles, seed))


def assert_equal(got: pd.DataFrame, want: pd.DataFrame, columns: list[str], *, rtol: float = 0.0) -> None:
    for column in columns:
        np.testing.assert_allclose(got[column], want[column], rtol=rtol, atol=0, err_msg=column)


# --- what the columns are --------------------------------------------------------------------------------


def test_every_column_and_nothing_else_is_returned_in_order_as_floats() -> None:
    market = full_market()
    features = features_of(market)
    assert list(features.columns) == list(COLUMNS)
    assert (features.dtypes == np.float64).all()
    assert features.index.equals(market.candles.index)
    assert len(QUOTE) == 8
    assert len(PRICE) == 8


@settings(SEEDED, max_examples=30)
@given(markets(n=180), small_configs())
def test_values_lie_in_the_range_that_the_table_gives(market: Frames, config: HeatmapConfig) -> None:
    features = features_of(market, config)
    for name, column in COLUMNS.items():
        values = features[name].dropna()
        assert np.isfinite(values).all(), name
        assert ((values >= column.lowest) & (values <= column.highest)).all(), name
    assert (features[["liq_distance_above", "liq_distance_below"]].dropna() > 0).all(axis=None)


@settings(SEEDED, max_examples=30)
@given(markets(n=180), small_configs())
def test_columns_agree_with_each_other_and_with_price(market: Frames, config: HeatmapConfig) -> None:
    features = features_of(market, config)
    close = market.candles["close"]
    tiny = 1e-9 * close
    for where, sign in (("above", 1), ("below", -1)):
        row = {
            what: features[f"liq_{what}_{where}"]
            for what in (*NEED_A_CLUSTER, "total", "fuel", "amplification")
        }
        found = row["near"].notna()
        for what in NEED_A_CLUSTER:
            assert (row[what].notna() == found).all(), what
        path = [close, row["near"], row["peak"], row["far"]]
        for nearer, farther in pairwise(path):
            assert (sign * (farther - nearer) > -tiny)[found].all()
        assert (sign * (row["far"] - row["near"]) > 0)[found].all()
        np.testing.assert_allclose(
            row["distance"][found], np.abs(row["near"] / close - 1)[found], rtol=1e-6, atol=2e-9
        )
        assert (row["notional"] <= row["total"] * (1 + 1e-9))[found].all()
        assert (row["fuel"] <= row["total"] * (1 + 1e-9))[config.warmup - 1 :].all()


def test_above_are_liquidations_of_shorts_and_below_of_longs() -> None:
    market = full_market(2000)
    features = features_of(market)
    market.candles["wide"] = market.candles["high"] / market.candles["low"]
    up = market.candles["close"].diff() > 0.01 * market.candles["close"]
    down = market.candles["close"].diff() < -0.01 * market.candles["close"]
    assert features["liq_swept_short"][up].mean() > 5 * features["liq_swept_short"][down].mean()
    assert features["liq_swept_long"][down].mean() > 5 * features["liq_swept_long"][up].mean()
    # What rests above is what a rise sweeps.
    swept_next = features["liq_swept_short"].shift(-1)
    near = features["liq_distance_above"] < 0.002
    assert swept_next[near].mean() > 2 * swept_next[~near].mean()


def test_imbalance_is_the_difference_of_fuel_over_its_sum() -> None:
    features = features_of(full_market())
    above, below = features["liq_fuel_above"], features["liq_fuel_below"]
    want = ((above - below) / (above + below)).where(above + below > 0)
    np.testing.assert_allclose(features["liq_imbalance"], want, rtol=1e-12)
    assert features["liq_imbalance"].notna().any()


def test_the_forced_share_scales_what_is_forced_and_touches_no_rank_nor_probability() -> None:
    market = full_market()
    whole, part = (features_of(market, CONFIG.changed({"cascade.forced_share": s})) for s in (1.0, 0.25))
    forced = [name for name in COLUMNS if name.startswith(("liq_fuel", "liq_swept"))]
    assert len(forced) == 4
    assert_equal(part[forced], whole[forced] / 4, forced)
    moved = [name for name in COLUMNS if name.startswith("liq_amplification")]
    assert (part[moved] <= whole[moved])[WARM:].all(axis=None)
    assert (part[moved] < whole[moved]).any(axis=None)
    assert_equal(part, whole, [name for name in COLUMNS if name not in (*forced, *moved)])


def test_rows_before_warm_up_are_nan_with_quality_zero() -> None:
    market = full_market()
    features = features_of(market)
    assert features.iloc[:WARM].drop(columns="liq_quality").isna().all(axis=None)
    assert (features["liq_quality"].iloc[:WARM] == 0).all()
    assert (
        features.iloc[WARM][["liq_total_above", "liq_total_below", "liq_fuel_above", "liq_cascade_below"]]
        .notna()
        .all()
    )
    assert features["liq_quality"].iloc[WARM] > 0


@pytest.mark.parametrize("n", [0, 1, 2, 3, 20, 40, 60, 61, 62, 63])
def test_frames_of_any_length_are_read(n: int) -> None:
    market = full_market(80)
    features = features_of(Frames(market.candles.iloc[:n], market.open_interest, market.funding_rate))
    assert features.shape == (n, len(COLUMNS))
    assert (features["liq_quality"] > 0).sum() == max(0, n - WARM)


@pytest.mark.parametrize("n", [0, 1, 2, 20, 40, 100, 700, 2341])
def test_frames_too_short_for_the_default_are_all_nan(n: int) -> None:
    features = liquidation_features(random_candles(2342, 1).iloc[:n])
    assert features.drop(columns="liq_quality").isna().all(axis=None)
    assert not features["liq_quality"].any()


def test_a_frame_without_rows_or_types_is_refused_in_a_sentence() -> None:
    empty = pd.DataFrame(columns=["date", "open", "high", "low", "close", "volume"])
    with pytest.raises(
        LiqFeatureError, match=r"^candles: column 'date' must hold dates, received dtype object$"
    ):
        liquidation_features(empty)


def test_the_index_of_the_candles_is_kept_and_plays_no_part() -> None:
    market = full_market()
    want = features_of(market)
    for index in (market.candles["date"], np.arange(400)[::-1], np.zeros(400), list(map(str, range(400)))):
        moved = market.candles.set_axis(pd.Index(index), axis=0)
        features = features_of(Frames(moved, market.open_interest, market.funding_rate))
        assert features.index.equals(moved.index)
        np.testing.assert_array_equal(features.to_numpy(), want.to_numpy())


def test_frames_handed_over_are_not_modified() -> None:
    market = full_market()
    copies = [f.copy(deep=True) for f in (market.candles, market.open_interest, market.funding_rate)]
    features = features_of(market)
    features[:] = -1.0
    for frame, copy in zip((market.candles, market.open_interest, market.funding_rate), copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_more_columns_in_the_candles_change_nothing() -> None:
    market = full_market()
    more = market.candles.assign(rsi=1.0, liq_quality=np.nan, note="x")[
        ["note", *market.candles.columns[::-1], "rsi"]
    ]
    np.testing.assert_array_equal(
        features_of(Frames(more, market.open_interest, market.funding_rate)).to_numpy(),
        features_of(market).to_numpy(),
    )


def test_the_default_configuration_is_used_where_none_is_given() -> None:
    candles = random_candles(2400, 3, volatility=0.002)
    pd.testing.assert_frame_equal(
        liquidation_features(candles), liquidation_features(candles, HeatmapConfig())
    )
    assert liquidation_features(candles)["liq_total_above"].notna().sum() == 2400 - HeatmapConfig().warmup + 1


# --- invariants ------------------------------------------------------------------------------------------


@settings(SEEDED, max_examples=15)
@given(markets(n=180), small_configs())
def test_times_the_volume_is_times_the_notional(market: Frames, config: HeatmapConfig) -> None:
    candles = market.candles.assign(volume=market.candles["volume"] * 4)
    rows = market.open_interest
    if rows is not None:
        rows = rows.assign(**{c: rows[c] * 4 for c in ("open_interest_amount", "open_interest_value")})
    one, four = features_of(market, config), features_of(Frames(candles, rows, market.funding_rate), config)
    assert_equal(four / 4, one, QUOTE)
    assert_equal(four, one, PRICE + OTHER)


@settings(SEEDED, max_examples=15)
@given(markets(n=180), small_configs())
def test_times_the_price_is_times_notionals_and_prices(market: Frames, config: HeatmapConfig) -> None:
    """By whole bins: 500 of them."""
    times = math.exp(500 * config.grid.width)
    candles, rows = market.candles.copy(), market.open_interest
    candles[["open", "high", "low", "close"]] *= times
    if rows is not None:
        rows = rows.assign(open_interest_value=rows["open_interest_value"] * times)
    one, other = features_of(market, config), features_of(Frames(candles, rows, market.funding_rate), config)
    assert_equal(other / times, one, QUOTE + PRICE, rtol=1e-9)
    assert_equal(other, one, [c for c in OTHER if "_age_" not in c], rtol=1e-9)
    np.testing.assert_allclose(
        other[[c for c in OTHER if "_age_" in c]], one[[c for c in OTHER if "_age_" in c]], atol=1e-9
    )


@pytest.mark.parametrize("every", [1, 3])
def test_the_unit_of_open_interest_does_not_matter(every: int) -> None:
    candles = random_candles(400, 2, volatility=0.004)
    rows = random_open_interest(candles, 2, every=every, lead=0)
    amount = features_of(Frames(candles, rows.drop(columns="open_interest_value")))
    value = features_of(Frames(candles, rows.drop(columns="open_interest_amount")))
    both = features_of(Frames(candles, rows))
    np.testing.assert_array_equal(both.to_numpy(), amount.to_numpy())
    np.testing.assert_allclose(value.to_numpy(), amount.to_numpy(), rtol=1e-8, atol=1e-9)


def test_open_interest_of_both_sides_is_halved() -> None:
    market = full_market()
    rows = market.open_interest
    doubled = rows.assign(
        open_interest_amount=2 * rows["open_interest_amount"],
        open_interest_value=2 * rows["open_interest_value"],
    )
    twice = small_config(flow=FlowRule(churn=0.5, scalp_churn=5.0, open_interest_sides=2))
    got = features_of(Frames(market.candles, doubled, market.funding_rate), twice)
    np.testing.assert_array_equal(got.to_numpy(), features_of(market).to_numpy())


@settings(SEEDED, max_examples=10)
@given(markets(n=180), small_configs())
def test_a_shift_in_time_by_weeks_and_generations_changes_nothing(
    market: Frames, config: HeatmapConfig
) -> None:
    candles = math.lcm(config.max_age // 8, config.lookback // 12, 7 * 24 * 12)
    shift = pd.Timedelta(3 * candles * CANDLE, unit="ms")
    moved = [
        None if f is None else f.assign(date=f["date"] + shift)
        for f in (market.candles, *market.inputs().values())
    ]
    np.testing.assert_array_equal(
        features_of(Frames(*moved), config).to_numpy(), features_of(market, config).to_numpy()
    )


def test_the_timeframe_is_read_off_the_dates() -> None:
    """The same candles, called hourly, give the same map: only a day's volume and busy hours depend on it."""
    market = full_market(300)
    start = pd.Timestamp("2026-01-01", tz="UTC")
    steps = (market.candles["date"] - start) // pd.Timedelta(CANDLE, unit="ms")
    origin = pd.Timestamp(0, unit="ms", tz="UTC") + (start.timestamp() * 1000 // CANDLE) * pd.Timedelta(
        hours=1
    )
    hourly = market.candles.assign(date=origin + steps * pd.Timedelta(hours=1))
    timeless = ReachRule(windows=(2, 5, 12, 40), hours=(1.0,) * 24, weekend=1.0)
    plain = small_config(reach=timeless, flow=FlowRule(churn=0.5, open_interest_days=0.1))
    stretched = small_config(reach=timeless, flow=FlowRule(churn=0.5, open_interest_days=1.2))
    got = liquidation_features(hourly, stretched)
    want = liquidation_features(market.candles, plain)
    np.testing.assert_allclose(got.to_numpy(), want.to_numpy(), rtol=1e-8, atol=1e-9)


# --- quality, and what degrades it -----------------------------------------------------------------------


def quality_of(market: Frames) -> np.ndarray:
    return features_of(market)["liq_quality"].to_numpy()[WARM:]


def test_quality_is_one_with_all_inputs_and_half_without_open_interest() -> None:
    market = full_market()
    np.testing.assert_array_equal(quality_of(market), 1.0)
    np.testing.assert_array_equal(quality_of(Frames(market.candles)), 0.5)


def test_idle_candles_lower_quality_in_proportion() -> None:
    candles = random_candles(400, 1)
    candles.loc[candles.index % 4 == 0, "volume"] = 0.0
    np.testing.assert_allclose(quality_of(Frames(candles)), 0.5 * 0.75, rtol=1e-12)


def test_gaps_lower_quality_until_they_are_forgotten() -> None:
    candles = random_candles(400, 1).drop(index=range(100, 108)).reset_index(drop=True)
    quality = quality_of(Frames(candles))
    np.testing.assert_allclose(quality[: 100 - WARM], 0.5)
    np.testing.assert_allclose(quality[100 - WARM : 100 - WARM + 31], 0.5 * 32 / 40)
    np.testing.assert_allclose(quality[100 - WARM + 31 :], 0.5)


def test_quality_falls_while_open_interest_grows_stale_and_recovers_slowly() -> None:
    market = full_market()
    rows = market.open_interest
    late = rows["date"] >= market.candles["date"].iloc[200]
    early = rows["date"] < market.candles["date"].iloc[150]
    quality = quality_of(Frames(market.candles, rows[late | early]))
    # The row stamped with candle 149 is usable at its close; being one candle late costs nothing. Three rows
    # within the lookback are needed: those of 147 to 149 until candle 158, those of 200 to 202 from 202 on.
    fresh = np.ones(400)
    fresh[150:202] = 1 - np.arange(52) / CONFIG.lookback
    fresh[159:202] = 0
    mean = np.array([fresh[max(0, t - 31) : t + 1].mean() for t in range(400)])
    want = 0.5 + 0.5 * np.minimum(fresh, mean)
    np.testing.assert_allclose(quality, want[WARM:], rtol=1e-12)


@pytest.mark.parametrize("times", [1e-4, 1e4])
def test_open_interest_of_another_pairs_scale_is_not_used(times: float) -> None:
    market = full_market()
    rows = market.open_interest
    foreign = rows[["date"]].assign(open_interest_amount=rows["open_interest_amount"] * times)
    got = features_of(Frames(market.candles, foreign, market.funding_rate))
    want = features_of(Frames(market.candles, None, market.funding_rate))
    np.testing.assert_array_equal(got.to_numpy(), want.to_numpy())


def test_open_interest_whose_value_implies_another_price_is_not_used() -> None:
    market = full_market()
    foreign = market.open_interest.assign(
        open_interest_value=market.open_interest["open_interest_value"] * 30
    )
    got = features_of(Frames(market.candles, foreign, market.funding_rate))
    want = features_of(Frames(market.candles, None, market.funding_rate))
    np.testing.assert_array_equal(got.to_numpy(), want.to_numpy())


def test_a_market_that_does_not_trade_has_no_liquidations_and_no_quality() -> None:
    candles = random_candles(200, 1, idle=1.0)
    features = features_of(Frames(candles)).iloc[WARM:]
    assert (features["liq_quality"] == 0).all()
    assert not features[[*QUOTE]].fillna(0).any(axis=None)
    nothing = [c for c in COLUMNS if any(f"_{what}_" in c for what in (*NEED_A_CLUSTER, "amplification"))]
    assert features[[*nothing, "liq_imbalance"]].isna().all(axis=None)


def test_prices_far_apart_are_read() -> None:
    candles = random_candles(300, 1)
    candles.loc[150, "low"] = 1e-6
    candles.loc[200, "high"] = 1e9
    features = features_of(Frames(candles), small_config(grid=PriceGrid(width=0.01)))
    assert features["liq_swept_long"].iloc[150] > 0
    assert features["liq_total_above"].iloc[250] > 0


def test_one_wick_that_the_mark_price_did_not_follow_leaves_the_next_days_as_they_are() -> None:
    """Flash crashes of one exchange, as of 10 October 2025: for a day everything would be about to be hit."""
    candles = random_candles(3300, 5, volatility=0.0015, jumps=0.0)
    mark = candles[["date", "high", "low"]].copy()
    wild = candles.copy()
    wild.loc[3000, "low"] *= 0.0003
    calm, after = (liquidation_features(c, mark=mark).iloc[3001:] for c in (candles, wild))
    for where in ("above", "below"):
        same = calm[f"liq_near_{where}"] == after[f"liq_near_{where}"]  # what opened at the wick moves others
        assert same.sum() > 30
        for name in (f"liq_hit_{where}", f"liq_cascade_{where}"):
            off = (after[name] - calm[name]).abs()[same]
            assert off.mean() < 0.02
            assert off.iloc[12:].max() < 0.1


@pytest.mark.parametrize("wrong", [{"band": 0.05}, "heatmap.json", random_candles(9, 1)])
def test_what_is_no_configuration_is_refused(wrong: object) -> None:
    for call in (liquidation_features, estimate_heatmap, heatmap_history, outlook):
        with pytest.raises(
            ConfigError, match=r"^config must be a HeatmapConfig; frames go by keyword, received"
        ):
            call(random_candles(300, 1), wrong)  # type: ignore[operator]
