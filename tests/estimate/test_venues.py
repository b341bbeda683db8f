"""Several exchanges: the sum of maps that are each walked alone, and nothing that was not known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.abroad import candles_beside, known_at, received, troubled, venue_beside
from builders.frames import CANDLE, random_candles, random_funding, random_open_interest, small_config
from builders.naive import levels_of
from liqfeature import COLUMNS, DataError, HeatmapConfig, Venue, estimate_heatmap, liquidation_features
from liqfeature.columns.venues import VENUE_COLUMNS
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import Market
from liqfeature.sides import LONG, SHORT

CONFIG = small_config()
N = 6 * CONFIG.warmup
CANDLES = random_candles(N, 1)
INTEREST = random_open_interest(CANDLES, 3)
FUNDING = random_funding(CANDLES, 5, size=5e-4)
ELSEWHERE = {"bybit": venue_beside(CANDLES, 10), "okx": venue_beside(CANDLES, 20)}
STEP = pd.Timedelta(CANDLE, unit="ms")
SHOWN = slice(CONFIG.warmup - 1, None)


def columns(candles=CANDLES, config=CONFIG, **inputs):
    return liquidation_features(candles, config, **{"open_interest": INTEREST, **inputs})


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def fresh_rows(**venues: Venue) -> np.ndarray:
    return columns(venues=venues)["liq_fresh"].to_numpy()[SHOWN] == 1.0


def walked(config=CONFIG, candles=CANDLES, **inputs) -> Scan:
    return prepare_scan(Market.of(candles, config.join_rule, **inputs), config)


@pytest.mark.parametrize("none", [None, {}])
def test_without_other_exchanges_columns_are_those_of_one(none) -> None:
    assert list(columns()) == list(COLUMNS)
    same(columns(venues=none), columns())


def test_the_sum_is_that_of_maps_walked_alone() -> None:
    """Each with its own candles, open interest, funding, leverage and flow."""
    own = dataclasses.replace(CONFIG, leverage=LeveragePrior(max_leverage=20), flow=FlowRule(churn=0.9))
    okx = dataclasses.replace(ELSEWHERE["okx"], config=own, funding_rate=FUNDING)
    venues = {"bybit": ELSEWHERE["bybit"], "okx": okx}
    both = walked(open_interest=INTEREST, venues=venues)
    alone = [walked(open_interest=INTEREST)]
    for venue in venues.values():
        config = dataclasses.replace(CONFIG, leverage=venue.config.leverage, flow=venue.config.flow)
        inputs = {"open_interest": venue.open_interest, "funding_rate": venue.funding_rate}
        alone.append(walked(config, venue.candles, **inputs))
    done = 0
    for stop in (CONFIG.warmup + 3, N // 2, N // 2 + 1, N):
        both.run(done, stop)
        expected: dict[tuple[int, int], float] = {}
        for scan in alone:
            scan.run(done, stop)
            for key, amount in levels_of(scan).items():
                expected[key] = expected.get(key, 0.0) + amount
        found = levels_of(both)
        assert found.keys() == expected.keys()
        assert found == pytest.approx(expected, rel=1e-12)
        done = stop
    swept = sum(scan.swept[:2] for scan in alone)
    np.testing.assert_allclose(both.swept[:2, :, SHOWN], swept[:, :, SHOWN], rtol=1e-12)
    elsewhere = sum(scan.swept[1] for scan in alone[1:])
    np.testing.assert_allclose(both.together.agreement.elsewhere[:, SHOWN], elsewhere[:, SHOWN], rtol=1e-12)


def test_agreement_is_what_maps_walked_alone_say_of_the_cluster() -> None:
    """Closes are equal here, so that each exchange alone reads the same bins."""
    both = walked(open_interest=INTEREST, venues=ELSEWHERE)
    alone = [walked(open_interest=INTEREST)]
    alone += [walked(candles=v.candles, open_interest=v.open_interest) for v in ELSEWHERE.values()]
    told = 0
    for t in range(N):
        both.run(t, t + 1)
        usual = []
        for scan in alone:
            before = scan.baseline.profile.copy()
            scan.run(t, t + 1)
            turned = (
                scan.candles.tick[t] // scan.reading.block != scan.candles.tick[t - 1] // scan.reading.block
            )
            usual.append(scan.baseline.profile if turned else before)
        if t < CONFIG.warmup:
            continue
        assert both.together.fresh_share[t] == 1.0
        for side in (LONG, SHORT):
            agree, share, local = both.together.agreement.clusters[:, 1 - side, t]
            if both.nearest[side, 0] > both.nearest[side, 1]:
                assert np.isnan([agree, share, local]).all()
                continue
            first = int(np.floor(both.candles.close[t])) + 1
            if side == LONG:
                first = both.reading.centre.shape[1] - int(np.floor(both.candles.close[t]))
            inside = slice(*(both.nearest[side, :2] - first + [0, 1]).astype(int))
            skip = both.reading.smoothing
            levels = np.array([scan.candles.open_interest[t] for scan in alone])
            over = np.array(
                [
                    np.sum(scan.work.smooth[side, inside]) > level * np.sum(profile[inside])
                    for scan, level, profile in zip(alone, levels, usual, strict=True)
                ]
            )
            held = [np.sum(scan.work.amount[side, skip:][inside]) for scan in alone]
            assert agree == np.sum(over)
            assert share == pytest.approx(np.sum(levels[over]) / np.sum(levels))
            assert local == pytest.approx(held[0] / np.sum(held), rel=0.1)  # prices differ within it
            told += 1
    assert told > N / 2


def test_an_equal_exchange_doubles_amounts_and_moves_nothing() -> None:
    twin = Venue(candles=CANDLES, open_interest=INTEREST, config=CONFIG)
    one, two = columns(), columns(venues={"twin": twin})
    doubled = ("notional", "total", "fuel", "swept")
    for name in COLUMNS:
        factor = 2.0 if name.split("_")[1] in doubled else 1.0
        np.testing.assert_allclose(two[name], factor * one[name], rtol=1e-9, atol=1e-12, err_msg=name)
    rows = two[SHOWN]
    for where in ("above", "below"):
        there = rows[f"liq_distance_{where}"].notna()
        for name, value in (("local", 0.5), ("consensus", None), ("venues", None)):
            found = rows[f"liq_{name}_{where}"]
            assert (found.notna() == there).all()
            assert value is None or found[there].to_numpy() == pytest.approx(value)
        assert set(rows[f"liq_venues_{where}"].dropna()) <= {0.0, 2.0}  # both or none
    for side in ("long", "short"):
        np.testing.assert_allclose(rows[f"liq_elsewhere_{side}"], one[f"liq_swept_{side}"][SHOWN])
    assert (rows["liq_fresh"] == 1.0).all()


@pytest.mark.parametrize("multiple", [2.0**10, 2.0**-10, 1000.0])
def test_units_and_symbols_change_nothing(multiple: float) -> None:
    """Contracts of a power of two, and as many coins in one: exact, so that not a bit may differ."""
    venue, size = venue_beside(CANDLES, 10), 2.0**-7
    candles = venue.candles.assign(volume=venue.candles["volume"] * multiple / size)
    for name in ("open", "high", "low", "close"):
        candles[name] = candles[name] / multiple
    interest = venue.open_interest.assign(
        open_interest_amount=venue.open_interest["open_interest_amount"] * multiple / size
    )
    flow = dataclasses.replace(
        CONFIG.flow, open_interest_in_contracts=True, volume_in_contracts=True, contract_size=size
    )
    changed = Venue(
        candles=candles,
        open_interest=interest,
        config=dataclasses.replace(CONFIG, flow=flow),
        multiple=multiple,
    )
    one, other = columns(venues={"bybit": venue}), columns(venues={"bybit": changed})
    if multiple == 1000.0:
        pd.testing.assert_frame_equal(one, other, rtol=1e-9)
    else:
        same(one, other)


@pytest.mark.parametrize("bins", [-40, -3, 3, 40])
def test_a_basis_is_taken_out(bins: int) -> None:
    """Whole bins: what rests on the other exchange comes to lie where it would without a basis."""
    apart = ELSEWHERE["bybit"].candles.copy()
    for name in ("open", "high", "low", "close"):
        apart[name] *= np.exp(bins * CONFIG.grid.width)
    interest = ELSEWHERE["bybit"].open_interest.drop(columns="open_interest_value")
    here = dataclasses.replace(ELSEWHERE["bybit"], open_interest=interest)
    there = {"bybit": dataclasses.replace(here, candles=apart)}
    one, other = columns(venues={"bybit": here}), columns(venues=there)
    for name in ("near", "peak", "far", "notional", "distance", "hit", "venues", "consensus", "local"):
        for where in ("above", "below"):
            column = f"liq_{name}_{where}"
            np.testing.assert_allclose(other[column], one[column], rtol=1e-6, err_msg=column)


def test_what_is_not_fresh_leaves_the_traded_exchange_alone() -> None:
    silent = dataclasses.replace(ELSEWHERE["bybit"], open_interest=None)
    both, one = columns(venues={"bybit": silent}), columns()
    for name in COLUMNS:
        if name != "liq_quality":
            np.testing.assert_allclose(both[name], one[name], rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(both["liq_quality"], 0.75 * one["liq_quality"])
    assert (both["liq_fresh"][SHOWN] == 0.5).all()
    assert not both["liq_elsewhere_long"].any()


ROW = N - 5


@pytest.mark.parametrize(
    ("late", "wait", "stale"),
    [
        (0.0, 0.0, []),
        (3.0, 5.0, []),
        (6.0, 5.0, [ROW]),
        (301.0, 5.0, [ROW]),
        (306.0, 5.0, [ROW, ROW + 1]),  # the next one waits for it
    ],
)
def test_a_candle_counts_from_when_it_was_received(late: float, wait: float, stale: list[int]) -> None:
    venue, delays = ELSEWHERE["bybit"], np.zeros(N)
    delays[ROW] = late
    delays[ROW + 1] = max(late - 300, 0.0)
    slow = dataclasses.replace(venue, candles=received(venue.candles, delays), wait=wait)
    fresh = fresh_rows(bybit=slow)
    expected = np.ones(N, dtype=bool)
    expected[stale] = False
    np.testing.assert_array_equal(fresh, expected[SHOWN])


@pytest.mark.parametrize(("missing", "stale"), [(0, 0), (1, 0), (2, 1), (5, 4)])
def test_open_interest_counts_for_two_periods(missing: int, stale: int) -> None:
    venue = ELSEWHERE["bybit"]
    close = CANDLES["date"].iloc[ROW]
    gone = venue.open_interest["date"].between(close, close + (missing - 1) * STEP)
    poor = dataclasses.replace(venue, open_interest=venue.open_interest[~gone])
    assert np.sum(~fresh_rows(bybit=poor)) == min(stale, N - 1 - ROW)


def test_an_exchange_counts_again_once_its_map_is_whole() -> None:
    """A hole of up to a lookback is forgiven; after a longer one it takes until the warm-up holds enough."""
    venue, lookback = ELSEWHERE["bybit"], CONFIG.lookback
    for hole, expected in ((lookback, lookback), (lookback + 5, CONFIG.warmup + 5)):
        first = N // 2
        kept = (np.arange(N) < first) | (np.arange(N) >= first + hole)
        holed = dataclasses.replace(venue, candles=venue.candles[kept])
        fresh = fresh_rows(bybit=holed)
        assert np.sum(~fresh) == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("seed", range(4))
def test_a_bot_sees_what_a_backtest_sees_of_an_exchange_in_trouble(seed: int) -> None:
    """The last row of what a bot has, at each close and as long after it as it waits, to the last bit."""
    venues = {name: troubled(venue, seed + i) for i, (name, venue) in enumerate(ELSEWHERE.items())}
    whole = columns(venues=venues)
    shares = whole["liq_fresh"][SHOWN].round(2).unique()
    assert set(shares) == {0.33, 0.67, 1.0}
    for end in np.random.default_rng(seed).integers(CONFIG.warmup, N, 60):
        candles = CANDLES.iloc[end - CONFIG.warmup + 1 : end + 1]
        first = candles["date"].iloc[0] - CONFIG.lookback * STEP
        moment = candles["date"].iloc[-1] + STEP + pd.Timedelta(seconds=5)
        known = {name: known_at(venue, moment, first) for name, venue in venues.items()}
        live = columns(
            candles, open_interest=INTEREST[INTEREST["date"] >= candles["date"].iloc[0]], venues=known
        )
        np.testing.assert_array_equal(live.iloc[-1], whole.iloc[end], err_msg=f"row {end}")


@pytest.mark.parametrize("begin", [CONFIG.warmup, N // 2, N - 3])
def test_no_row_depends_on_later_candles_of_any_exchange(begin: int) -> None:
    venues = {name: troubled(venue, 7 + i) for i, (name, venue) in enumerate(ELSEWHERE.items())}
    whole, close = columns(venues=venues), CANDLES["date"].iloc[begin - 1] + STEP
    rng = np.random.default_rng(begin)
    changed = {}
    for name, venue in venues.items():
        candles, interest = venue.candles.copy(), venue.open_interest.copy()
        after = candles["date"] >= close
        for column in ("open", "high", "low", "close"):
            candles.loc[after, column] *= 1.07
        candles.loc[after, "volume"] *= rng.lognormal(0, 2, int(after.sum()))
        interest.loc[interest["date"] > close, "open_interest_amount"] *= 0.4
        changed[name] = dataclasses.replace(venue, candles=candles, open_interest=interest)
    found = columns(venues=changed)
    pd.testing.assert_frame_equal(found.iloc[:begin], whole.iloc[:begin], check_exact=True)
    assert not found.iloc[begin:].equals(whole.iloc[begin:])


def test_the_default_configuration_reads_a_sum() -> None:
    config = HeatmapConfig()
    candles = random_candles(config.warmup + 400, 2, volatility=0.002)
    interest = random_open_interest(candles, 4)
    beside = candles_beside(candles, 8, basis=0.0004)
    venue = Venue(candles=beside, open_interest=random_open_interest(beside, 9), config=config)
    found = liquidation_features(candles, config, open_interest=interest, venues={"bybit": venue})
    assert list(found) == [*COLUMNS, *VENUE_COLUMNS]
    shown = found.iloc[config.warmup :]
    assert shown[list(VENUE_COLUMNS)].notna().mean().min() > 0.5


def test_the_picture_shows_the_sum() -> None:
    twin = {"twin": Venue(candles=CANDLES, open_interest=INTEREST, config=CONFIG)}
    one = estimate_heatmap(CANDLES, CONFIG, open_interest=INTEREST)
    two = estimate_heatmap(CANDLES, CONFIG, open_interest=INTEREST, venues=twin)
    np.testing.assert_allclose(two.long, 2.0 * one.long, rtol=1e-9)
    np.testing.assert_allclose(two.short, 2.0 * one.short, rtol=1e-9)


def scaled(factor: float) -> pd.DataFrame:
    prices = ["open", "high", "low", "close"]
    return CANDLES.assign(**{name: CANDLES[name] * factor for name in prices})


@pytest.mark.parametrize(
    ("venues", "message"),
    [
        ([1], "venues must be a mapping of names to Venue, received list"),
        ({"okx": CANDLES}, "venue okx must be a Venue, received DataFrame"),
        ({"okx": Venue(candles=scaled(1000.0), config=CONFIG)}, "venue okx: .* received 1e\\+03 times"),
        (
            {"okx": Venue(candles=CANDLES.drop(columns="low"), config=CONFIG)},
            "venue okx: candles lack column",
        ),
        (
            {"okx": Venue(candles=CANDLES.assign(date=CANDLES["date"] + STEP / 2), config=CONFIG)},
            "venue okx: candles: column 'date' must lie on the traded grid of 300 seconds",
        ),
        (
            {"okx": Venue(candles=CANDLES.assign(date=CANDLES["date"].dt.tz_localize(None)), config=CONFIG)},
            "venue okx: candles: column 'date' must have a time zone",
        ),
    ],
)
def test_what_cannot_be_another_exchange_is_refused(venues, message) -> None:
    with pytest.raises(DataError, match=message):
        columns(venues=venues)


@pytest.mark.parametrize("wrong", [{"multiple": 0.0}, {"wait": -1.0}])
def test_a_venue_checks_its_parameters(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Venue(candles=CANDLES, config=CONFIG, **wrong)
