"""Answers of vendors: what is documented goes in, and anything else is refused by the key that is wrong."""

import copy

import numpy as np
import pytest

from builders import vendors
from builders.vendors import HOUR, START
from liqfeature import DataError
from liqfeature.data.kinds import MAPS, OPEN_INTEREST, TOTALS
from liqfeature.recorder.vendors import read_answer

ASKED = START + 10 * HOUR


def levels(answer):
    """Side, low, high and notional of each level."""
    import zlib

    ((_, (n, content)),) = answer.rows
    return np.frombuffer(zlib.decompress(content)).reshape(-1, n)[:4].T.tolist()


@pytest.mark.parametrize(
    ("vendor", "answer"),
    [
        ("coinglass", vendors.coinglass_totals()),
        ("coinglass", vendors.coinglass_totals(aggregated=True)),
        ("coinalyze", vendors.coinalyze_totals()),
    ],
)
def test_totals_are_those_of_ended_periods_by_side(vendor, answer):
    found = read_answer(vendor, answer, START + 3 * HOUR + 5)
    assert (found.kind, found.timeframe) == (TOTALS, "1h")
    assert found.rows == tuple((START + i * HOUR, (1000.5 + i, 2000.25 + i)) for i in range(3))


@pytest.mark.parametrize(
    ("vendor", "answer"),
    [("coinglass", vendors.coinglass_interest()), ("coinalyze", vendors.coinalyze_interest())],
)
@pytest.mark.parametrize("in_coin", [False, True])
def test_open_interest_is_that_at_the_opening_of_each_period(vendor, answer, in_coin):
    found = read_answer(vendor, answer, ASKED, in_coin=in_coin)
    assert (found.kind, found.timeframe) == (OPEN_INTEREST, "1h")
    values = [5e9 + 1e6 * i for i in range(5)]
    assert [row[1] for row in found.rows] == [(v, None) if in_coin else (None, v) for v in values]


@pytest.mark.parametrize(
    ("vendor", "answer", "stamp", "expected"),
    [
        (
            "coinglass",
            vendors.coinglass_heatmap(),
            ASKED,
            [[2, 87.5, 92.5, 30.0], [2, 102.5, 107.5, 40.0]],
        ),
        ("coinglass", vendors.coinglass_heatmap(held=()), ASKED, [[2, 92.5, 97.5, 7.0]]),
        (
            "coinglass",
            vendors.coinglass_map(),
            ASKED,
            [[2, 90, 90, 30.5], [2, 90, 90, 1.5], [2, 105, 105, 40]],
        ),
        ("hyblock", vendors.hyblock_heatmap(), START, [[0, 89, 91, 30], [1, 105, 106, 40]]),
        ("hyblock", vendors.hyblock_levels(), START, [[0, 90, 90, 30], [1, 105, 105, 40]]),
    ],
)
def test_maps_are_levels_with_their_sides(vendor, answer, stamp, expected):
    found = read_answer(vendor, answer, ASKED)
    assert found.kind is MAPS
    assert found.rows[0][0] == stamp
    assert levels(found) == expected


WHOLE = {
    ("coinglass", "totals"): vendors.coinglass_totals(),
    ("coinglass", "interest"): vendors.coinglass_interest(),
    ("coinglass", "heatmap"): vendors.coinglass_heatmap(),
    ("coinalyze", "totals"): vendors.coinalyze_totals(),
    ("hyblock", "heatmap"): vendors.hyblock_heatmap(),
    ("hyblock", "levels"): vendors.hyblock_levels(),
}


@pytest.mark.parametrize(
    ("which", "path", "key"),
    [
        (("coinglass", "totals"), [], "code"),
        (("coinglass", "totals"), [], "data"),
        (("coinglass", "totals"), ["data", 2], "time"),
        (("coinglass", "totals"), ["data", 1], "short_liquidation_usd"),
        (("coinglass", "totals"), ["data", 0], "short_liquidation_usd"),
        (("coinglass", "interest"), ["data", 3], "open"),
        (("coinglass", "interest"), ["data", 0], "open"),
        (("coinglass", "heatmap"), ["data"], "y_axis"),
        (("coinglass", "heatmap"), ["data"], "liquidation_leverage_data"),
        (("coinglass", "heatmap"), ["data"], "price_candlesticks"),
        (("coinalyze", "totals"), [0], "symbol"),
        (("coinalyze", "totals"), [0], "history"),
        (("coinalyze", "totals"), [0, "history", 1], "t"),
        (("coinalyze", "totals"), [0, "history", 1], "l"),
        (("hyblock", "heatmap"), [], "data"),
        (("hyblock", "heatmap"), ["data", 1], "endingPrice"),
        (("hyblock", "levels"), ["data", 1], "price"),
        (("hyblock", "levels"), ["data", 1], "side"),
        (("hyblock", "levels"), ["data", 1], "size"),
        (("hyblock", "levels"), ["data", 1], "timestamp"),
    ],
)
def test_a_key_that_is_missing_is_named(which, path, key):
    answer = copy.deepcopy(WHOLE[which])
    holder = answer
    for step in path:
        holder = holder[step]
    del holder[key]
    with pytest.raises(DataError, match=rf"{key}"):
        read_answer(which[0], answer, ASKED)


@pytest.mark.parametrize(
    ("vendor", "answer", "reason"),
    [
        ("coinglass", {"code": "401", "msg": "Upgrade plan"}, "code must be 0, received 401 Upgrade plan"),
        ("coinglass", [1], "answer must be an object with keys"),
        ("coinglass", {"code": "0", "data": "none"}, "must be an object"),
        ("coinglass", {"code": "0", "data": []}, "history must be of two rows at least"),
        ("coinglass", vendors.coinglass_totals(period=HOUR + 1), "rows must be minutes apart"),
        ("coinglass", vendors.coinglass_totals(period=-HOUR), "time must be ascending"),
        ("coinglass", vendors.coinglass_interest(first=ASKED), "must be of before its request"),
        ("coinglass", vendors.coinglass_heatmap(prices=(90, 100, 95, 105)), "y_axis must be"),
        ("coinglass", vendors.coinglass_heatmap(held=((9, 1.0),)), "of rows 0 to 3"),
        ("coinglass", vendors.coinglass_heatmap(held=((1, -1.0),)), "value must be a number of at least 0"),
        ("coinglass", vendors.coinglass_heatmap(n=1) | {"data": {"y_axis": [1, 2]}}, "liquidation_lev"),
        ("coinalyze", [], "answer must be a list of one symbol"),
        ("coinalyze", vendors.coinalyze_totals() * 2, "a list of one symbol, received"),
        ("hyblock", {"data": {}}, "data must be a list of levels"),
        ("hyblock", {"data": [{"timestamp": "now"}]}, "timestamp must be a number"),
    ],
)
def test_what_has_another_form_is_refused(vendor, answer, reason):
    with pytest.raises(DataError, match=reason):
        read_answer(vendor, answer, ASKED)


def test_liquidations_in_the_coin_are_refused():
    with pytest.raises(DataError, match="unit must be usd for liquidations"):
        read_answer("coinalyze", vendors.coinalyze_totals(), ASKED, in_coin=True)


def test_levels_of_several_moments_are_no_map():
    answer = {"data": [*vendors.hyblock_levels()["data"], *vendors.hyblock_levels(START + HOUR)["data"]]}
    with pytest.raises(DataError, match="timestamp must be the same in all levels"):
        read_answer("hyblock", answer, ASKED)
