"""Checks of Freqtrade's configuration: plain functions of its values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from liqfeature.doctor.finding import Finding, fail, fine, warn
from liqfeature.durations import minutes
from liqfeature.errors import ConfigError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.exchange.binance_tiers import source
from liqfeature.exchange.pairs import linear_pair
from liqfeature.exchange.tables import ASSUMED_MAX_LEVERAGE, find_tiers
from liqfeature.exchange.traits import EXCHANGES, canonical

OPEN_INTEREST_DAYS = {"binance": 30}
"""How far back an exchange tells of open interest, where that is less than a warm-up may need."""


def check_exchange(name: str) -> Finding:
    """Whether the columns know the exchange, and whether it tells open interest."""
    check = "exchange"
    known = canonical(name)
    if known not in EXCHANGES:
        return fail(check, f"{name or 'none'} is not known", f"use one of {', '.join(EXCHANGES)}")
    if not EXCHANGES[known].open_interest:
        return warn(
            check,
            f"{name} has no history of open interest",
            "expect liq_quality of at most 0.5 and relative amounts; or trade on binance, bybit, okx or gate",
        )
    return fine(check, name)


def check_futures(config: Mapping[str, Any]) -> Finding:
    """Whether it trades futures on isolated margin, which stops and leverage are planned for."""
    check, wanted = "margin", {"trading_mode": "futures", "margin_mode": "isolated"}
    saw = {key: config.get(key, "not set") for key in wanted}
    text = ", ".join(f"{key} {value}" for key, value in saw.items())
    if saw != wanted:
        return fail(check, text, 'set "trading_mode": "futures" and "margin_mode": "isolated"')
    return fine(check, text)


def check_pairs(pairs: Sequence[str], stake_currency: str) -> Finding:
    """Whether pairs are linear futures that settle in the stake currency."""
    check = "pairs"
    if not pairs:
        return warn(
            check, "an empty whitelist", "name pairs in exchange.pair_whitelist, or a pairlist fills it"
        )
    for pair in plain(pairs):
        try:
            linear_pair(pair)
        except ConfigError as error:
            return fail(check, str(error), f"write pairs as BTC/{stake_currency}:{stake_currency}")
    odd = [pair for pair in pairs if not pair.endswith(f"/{stake_currency}:{stake_currency}")]
    if odd:
        example = f"BTC/{stake_currency}:{stake_currency}"
        return fail(check, f"{', '.join(odd)} with stakes in {stake_currency}", f"write pairs as {example}")
    return fine(check, f"{len(pairs)} in {stake_currency}")


def plain(pairs: Iterable[str]) -> list[str]:
    """Return the pairs that are names, and no patterns of Freqtrade's whitelists."""
    return [pair for pair in pairs if not re.search(r"[.*?\\|()\[\]]", pair)]


def check_limits(pairs: Sequence[str], exchange: str) -> list[Finding]:
    """Whether the leverage limits of pairs are known: a bot reads most exchanges' from its market."""
    if canonical(exchange) != "binance":
        return []
    unknown = [pair for pair in plain(pairs) if find_tiers(pair, exchange).assumed]
    if not unknown:
        return [fine("leverage limits", source())]
    saw = f"not known of {', '.join(unknown)}: {ASSUMED_MAX_LEVERAGE:g}x is assumed, liq_quality is half"
    return [warn("leverage limits", saw, "pip install --upgrade freqtrade, or leave these pairs out")]


def check_export(config: Mapping[str, Any]) -> Finding:
    """Whether a hyperopt would leave its parameters where they silently win."""
    if config.get("disableparamexport") is True:
        return fine("hyperopt's export", "off")
    return warn(
        "hyperopt's export",
        "on: a hyperopt writes STRATEGY.json, and every later run takes its parameters from there",
        'set "disableparamexport": true, and name found parameters under "parameters"',
    )


def check_parameter_files(left: Sequence[Path]) -> Finding:
    """Whether a parameter file lies beside a strategy, and wins over its defaults."""
    if not left:
        return fine("parameter files", "none beside a strategy")
    names = ", ".join(path.name for path in left)
    return warn(
        "parameter files",
        f"{names} wins over the strategy's own parameters",
        "rm " + " ".join(f"'{path}'" for path in left),
    )


def check_database(db_url: str, *, sandboxed: bool, beside_sandbox: bool) -> Finding:
    """Whether simulated trades and real ones get into one data base.

    Parameters
    ----------
    db_url : str
        Empty where the configuration names none, and Freqtrade takes its own.
    sandboxed : bool
        Whether the exchange of the configuration is the sandbox.
    beside_sandbox : bool
        Whether the data base lies in a sandbox's directory.
    """
    check, saw = "data base", db_url or "Freqtrade's own, in the working directory"
    if sandboxed and not beside_sandbox:
        return fail(
            check,
            f"{saw}: the sandbox's trades would mix with real ones",
            "give the sandbox's overlay last: --config CONFIG --config user_data/sandbox/exchange.json",
        )
    if beside_sandbox and not sandboxed:
        return fail(check, f"{saw} holds simulated trades", "leave db_url out, or name another file")
    return fine(check, saw)


def check_data_are_of(datadir: Path, *, sandboxed: bool, marked: bool, empty: bool) -> Finding:
    """Whether simulated data are taken for real ones, or the other way around."""
    check = "origin of data"
    if marked and not sandboxed:
        return fail(
            check,
            f"{datadir} holds the sandbox's simulated prices, and the configuration a real exchange",
            "pass --datadir user_data/data/EXCHANGE, or the sandbox's overlay as a further --config",
        )
    if sandboxed and not marked and not empty:
        return fail(
            check,
            f"{datadir} holds no sandbox's data, and the configuration is the sandbox's",
            "pass --datadir user_data/sandbox/data, or leave the sandbox's overlay out",
        )
    return fine(check, "the sandbox's" if marked else "an exchange's")


def check_warmup(exchange: str, timeframe: str, config: HeatmapConfig) -> list[Finding]:
    """Whether a live bot can load the warm-up, of candles and of open interest."""
    traits = EXCHANGES[canonical(exchange)]
    saw = f"{config.warmup} candles of at most {traits.most_candles} that a bot loads from {exchange}"
    found = [fine("warm-up", saw)]
    if config.warmup > traits.most_candles:
        found = [fail("warm-up", saw, f'use HeatmapConfig.for_pair(pair, "{exchange}") or a smaller max_age')]
    days = OPEN_INTEREST_DAYS.get(exchange.lower())
    needed = config.warmup * minutes(timeframe) / 1440
    if days and needed > days:
        text = f"{needed:.0f} days of warm-up at {timeframe}, and {exchange} tells {days}"
        found.append(warn("warm-up of open interest", text, "use a timeframe of 5m or 15m"))
    return found
