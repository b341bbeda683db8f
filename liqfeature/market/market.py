"""One market: candles, and what was known of everything else at the close of each."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypedDict, Unpack

import numpy as np
import pandas as pd

from liqfeature.durations import DAY
from liqfeature.errors import DataError
from liqfeature.market.candles import CANDLE_COLUMNS, check_prices, interval_of
from liqfeature.market.depth import join_depth
from liqfeature.market.frames import as_frame, numbers, require_same_zone, times
from liqfeature.market.funding import join_funding
from liqfeature.market.liquidations import usual_liquidations
from liqfeature.market.maps import KnownMaps, join_maps
from liqfeature.market.mark import join_mark
from liqfeature.market.open_interest import join_open_interest
from liqfeature.market.positioning import join_positioning
from liqfeature.market.rolling import trailing_sum
from liqfeature.market.rule import JoinRule
from liqfeature.market.units import base_per_unit
from liqfeature.market.venue import Known, Venue, Walked, basis_at, venues_given
from liqfeature.types import BoolArray, FloatArray, IntArray


class Inputs(TypedDict, total=False):
    """What every public call takes beside candles; each may be left out or None.

    Parameters
    ----------
    open_interest : DataFrame
        Freqtrade's frame: `date, open_interest_amount, open_interest_value`, of the candles' timeframe or
        another. Without it amounts are relative, since open interest is estimated from volume.
    funding_rate : DataFrame
        Freqtrade's frame: `date, funding_rate`. Funding paid moves liquidation prices of standing positions.
    mark : DataFrame
        Freqtrade's mark candles, of the candles' timeframe. A wick that the mark price did not follow then
        liquidates nobody; without it every wick does.
    liquidations : DataFrame
        What was really liquidated, quote currency. Totals, `date, long, short`, of periods that divide the
        candles' timeframe or are a multiple of it, NaN where nobody listened; or single orders, `date, side,
        notional`, the side being the position's, which count between two of them no more than half a
        lookback apart. `liq_cascade_*` then refers to `cascade.surge` times the mean of the last lookback
        instead of to the map's own trailing level; nothing else changes.
    positioning : DataFrame
        What `liqfeature download` writes: `date, account_ratio, top_account_ratio, top_position_ratio,
        taker_ratio`, every 5 minutes. It adds the columns `liq_positioning_*`; the estimate does not use it.
    maps : DataFrame
        Maps made elsewhere, as `liqfeature.data.maps.load_maps` reads them: `date, available, side, low,
        high, notional`, a row for each level of each. They take the place of the estimate: each map stands
        from the candle at whose close it could be known until the next one; what price touches meanwhile is
        gone.
    depth : DataFrame
        Order book: `date, below_1, above_1`, what rests within 1 % of price, as `liqfeature download
        --datasets bookDepth` writes it. `liq_amplification_*` then reckons with the depth of the moment
        instead of the usual one; beside it `liq_quality` changes alone.
    venues : mapping of str to Venue
        Other exchanges on which the coin trades, by name. All columns then read the sum of the exchanges'
        maps, and those of `columns.venues` are added.
    """

    open_interest: pd.DataFrame | None
    funding_rate: pd.DataFrame | None
    mark: pd.DataFrame | None
    liquidations: pd.DataFrame | None
    positioning: pd.DataFrame | None
    maps: pd.DataFrame | None
    depth: pd.DataFrame | None
    venues: Mapping[str, Venue] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Candles of a pair and what was known at the close of each; every array has shape (n,) unless said.

    Parameters
    ----------
    interval : int
        Milliseconds from one candle to the next.
    tick : ndarray
        Number of the candle since 1970: its opening time over `interval`.
    high, low, close : ndarray
        As received.
    counted_volume : ndarray
        Volume as received: base currency, or contracts.
    unit : ndarray
        Base currency per unit of it: 1, or the contract size known at the candle's close.
    sized : ndarray of bool
        Whether `unit` is known; where it is not, it is 1, and contracts stand for base currency.
    touched_high, touched_low : ndarray
        How far liquidations reached: high and low, or less far where the mark price did not follow, but at
        least to the close.
    open_interest : ndarray
        Base currency as the exchange counts it, of the last row usable at the candle's close; NaN where
        there is none or the last is older than `lookback` candles.
    staleness : ndarray
        Candles since that row became usable; NaN where there is none.
    late_first, late_stop : ndarray
        Rows (first, and one past the last) to which a change of open interest known with this candle belongs.
    funding : ndarray
        Sum of the funding rates that became usable with this candle, 0 where none did.
    liquidated : ndarray of shape (2, n)
        Recorded notional per candle, mean over `lookback`; NaN where it was not recorded. Longs first.
    positioning : ndarray of shape (4, n) or None
        Logarithms of the ratios of longs to shorts, NaN where unknown; None without the input.
    maps : KnownMaps or None
        Maps made elsewhere; None without the input.
    depth : ndarray of shape (2, n) or None
        Depth of the order book over the usual, below price and above it; NaN where unknown, None without the
        input.
    interest_period : ndarray
        Candles from one row of open interest to the next; NaN where there is none.
    venues : tuple of Abroad
        Other exchanges.
    """

    interval: int
    tick: IntArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    counted_volume: FloatArray
    unit: FloatArray
    sized: BoolArray
    touched_high: FloatArray
    touched_low: FloatArray
    open_interest: FloatArray
    staleness: FloatArray
    late_first: IntArray
    late_stop: IntArray
    funding: FloatArray
    liquidated: FloatArray
    positioning: FloatArray | None = None
    maps: KnownMaps | None = None
    depth: FloatArray | None = None
    interest_period: FloatArray
    venues: "tuple[Abroad, ...]" = ()

    @property
    def candles_per_day(self) -> float:
        """Candles in a day."""
        return DAY / self.interval

    @property
    def volume(self) -> FloatArray:
        """Base currency traded in each candle, by the contract size known at its close."""
        return self.counted_volume * self.unit

    def daily_volume(self, lookback: int) -> FloatArray:
        """Return the base currency traded in a day, the mean of the last lookback."""
        return trailing_sum(self.counted_volume, lookback) * (self.candles_per_day / lookback) * self.unit

    def usual_notional(self, lookback: int) -> FloatArray:
        """Return the quote currency traded in a candle, the mean of the last lookback."""
        return trailing_sum(self.counted_volume * self.close, lookback) / lookback * self.unit

    @classmethod
    def of(cls, candles: pd.DataFrame, rule: JoinRule, **inputs: Unpack[Inputs]) -> Self:
        """Validate the frames and join them, using nothing at a candle that was not known at its close.

        Parameters
        ----------
        candles : DataFrame
            `date, open, high, low, close, volume`, ascending; any timeframe, which is read off `date`. Gaps
            are allowed.
        rule : JoinRule
        **inputs
            As in `Inputs`.

        Returns
        -------
        Market

        Raises
        ------
        MissingColumnError, DataError
            Naming the column, the rule and the value received.
        """
        if unknown := sorted(inputs.keys() - Inputs.__annotations__.keys()):
            message = f"no input is named {unknown[0]!r}; there are {', '.join(Inputs.__annotations__)}"
            raise TypeError(message)
        market = cls._joined(candles, rule, inputs)
        if not (venues := venues_given(inputs.get("venues"))):
            return market
        if market.maps is not None:
            message = f"maps take the place of the estimate: venues must be left out, received {list(venues)}"
            raise DataError(message)
        abroad = tuple(_abroad(name, venue, candles, market) for name, venue in venues.items())
        return dataclasses.replace(market, venues=abroad)

    @classmethod
    def _joined(
        cls, candles: pd.DataFrame, rule: JoinRule, inputs: Inputs, interval: int | None = None
    ) -> Self:
        """Join the frames of one exchange; `interval` where it is known beforehand."""
        time = times(candles, "candles")
        for name, frame in inputs.items():
            if name == "venues" or frame is None:
                continue
            if len(checked := as_frame(frame, name.replace("_", " "))):
                require_same_zone(checked, candles, name.replace("_", " "))
        opening, high, low, close, volume = (numbers(candles, c, "candles") for c in CANDLE_COLUMNS[1:])
        check_prices(time, open=opening, high=high, low=low, close=close, volume=volume)
        interval = interval or interval_of(time)
        mark_high, mark_low = join_mark(inputs.get("mark"), time, interval, high, low)
        known = join_open_interest(inputs.get("open_interest"), time, close, interval, rule)
        unit = base_per_unit(volume, known.amount, known.contract_size, rule, candles_per_day=DAY / interval)
        recorded = inputs.get("liquidations")
        return cls(
            interval=interval,
            tick=time // interval,
            high=high,
            low=low,
            close=close,
            counted_volume=volume,
            unit=np.where(np.isnan(unit), 1.0, unit),
            sized=~np.isnan(unit),
            touched_high=np.maximum(np.minimum(high, mark_high), close),
            touched_low=np.minimum(np.maximum(low, mark_low), close),
            open_interest=known.amount,
            staleness=known.staleness,
            late_first=known.late_first,
            late_stop=known.late_stop,
            funding=join_funding(inputs.get("funding_rate"), time, interval),
            liquidated=usual_liquidations(recorded, time, interval, rule.lookback, delay=interval),
            positioning=join_positioning(inputs.get("positioning"), time, interval),
            maps=join_maps(inputs.get("maps"), time, interval, rule.lookback),
            depth=join_depth(inputs.get("depth"), time, interval, rule.lookback),
            interest_period=known.period,
        )

    def counted_in(self, multiple: float) -> Self:
        """Return the same market with `multiple` coins as the unit of amounts and prices."""
        if multiple == 1.0:
            return self
        prices = ("high", "low", "close", "touched_high", "touched_low")
        changed = {name: getattr(self, name) * multiple for name in prices}
        amounts = {name: getattr(self, name) / multiple for name in ("unit", "open_interest")}
        return dataclasses.replace(self, **changed, **amounts)


class Abroad(NamedTuple):
    """Another exchange's market, and what was known of it at the close of each traded candle.

    `stop[t]`, shape (n,), counts its candles that are known with the traded candle t; `basis[t]` is by how
    much the logarithm of its price lies above the traded one.
    """

    name: str
    config: Walked
    market: Market
    stop: IntArray
    basis: FloatArray


def _abroad(name: str, venue: Venue, candles: pd.DataFrame, traded: Market) -> Abroad:
    try:
        require_same_zone(venue.candles, candles, "candles")
        known = Known.of(venue, times(candles, "candles"), traded.interval)
        inputs = Inputs(open_interest=known.open_interest, funding_rate=venue.funding_rate, mark=venue.mark)
        joined = Market._joined(known.candles, venue.config.join_rule, inputs, traded.interval)
        market = joined.counted_in(venue.multiple)
        basis = basis_at(market.close, market.tick, traded.close, traded.tick, known.stop)
    except DataError as error:
        message = f"venue {name}: {error}"
        raise type(error)(message) from error
    return Abroad(name, venue.config, market, known.stop, basis)
