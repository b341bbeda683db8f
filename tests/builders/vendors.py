"""Answers of vendors in the form that they document, with known content."""

import json

import numpy as np

HOUR = 3_600_000
START = 1_767_225_600_000


def coinglass_totals(first=START, n=5, period=HOUR, aggregated=False):
    prefix = "aggregated_" if aggregated else ""
    rows = [
        {
            "time": first + i * period,
            f"{prefix}long_liquidation_usd": f"{1000.5 + i}",
            f"{prefix}short_liquidation_usd": f"{2000.25 + i}",
        }
        for i in range(n)
    ]
    return {"code": "0", "msg": "success", "data": rows}


def coinglass_interest(first=START, n=5, period=HOUR):
    names = ("open", "high", "low", "close")
    rows = [
        {"time": first + i * period} | {name: f"{5e9 + 1e6 * i + k}" for k, name in enumerate(names)}
        for i in range(n)
    ]
    return {"code": "0", "data": rows}


def coinglass_heatmap(prices=(90.0, 95.0, 100.0, 105.0), held=((0, 30.0), (3, 40.0)), n=4):
    """What rests now is in the last column; the columns before it are what rested then."""
    candles = [[START // 1000 + 300 * i, "100", "101", "99", "100", "5000.5"] for i in range(n)]
    before = [[x, 1, 7.0] for x in range(n - 1)]
    cells = [*before, *([n - 1, y, value] for y, value in held)]
    data = {"y_axis": list(prices), "liquidation_leverage_data": cells, "price_candlesticks": candles}
    return {"code": "0", "msg": "success", "data": data}


def coinglass_map():
    levels = {"90": [[90, 30.5, 25, None], [90, 1.5, 50, None]], "105": [[105, 40.0, 10, None]]}
    return {"code": "0", "msg": "success", "data": {"data": levels}}


def coinalyze_totals(n=5):
    rows = [{"t": START // 1000 + 3600 * i, "l": 1000.5 + i, "s": 2000.25 + i} for i in range(n)]
    return [{"symbol": "BTCUSDT_PERP.A", "history": rows}]


def coinalyze_interest(n=5):
    rows = [
        {"t": START // 1000 + 3600 * i, "o": 5e9 + 1e6 * i, "h": 6e9, "l": 4e9, "c": 5e9} for i in range(n)
    ]
    return [{"symbol": "BTCUSDT_PERP.A", "history": rows}]


def hyblock_heatmap(stamp=START):
    row = {
        "timestamp": stamp // 1000,
        "size": 30.0,
        "startingPrice": 89.0,
        "endingPrice": 91.0,
        "side": "long",
    }
    return {"data": [row, row | {"size": 40.0, "startingPrice": 106, "endingPrice": 105, "side": "Short"}]}


def hyblock_levels(stamp=START):
    row = {
        "timestamp": stamp // 1000,
        "creationDate": stamp // 1000 - 3600,
        "size": 30.0,
        "price": 90.0,
        "leverage": 25,
        "side": "long",
        "openDuration": 3600,
    }
    return {"data": [row, row | {"price": 105.0, "side": "short", "size": 40.0}]}


def map_answer(edge, long, short, stamp):
    """A map of known bins, as Hyblock would answer it."""
    rows = []
    for side, held in (("long", long), ("short", short)):
        for i in np.flatnonzero(held):
            ends = {"startingPrice": float(edge[i]), "endingPrice": float(edge[i + 1])}
            rows.append({"timestamp": int(stamp), "size": float(held[i]), "side": side, **ends})
    return {"data": rows}


def save(folder, answer, moment, name="answer"):
    """Write an answer as one saves it, with the moment of the request in its name."""
    at = np.datetime64(int(moment), "ms").astype("datetime64[s]").item()
    path = folder / f"{name}-{at:%Y%m%dT%H%M%S}Z.json"
    path.write_text(json.dumps(answer))
    return path
