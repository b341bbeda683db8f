"""A walk over candles: the map after each of them, and the rows read off it."""

import dataclasses
from dataclasses import dataclass

from liqfeature.compiled import announced
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.flow import Flow
from liqfeature.estimate.kernels.baseline import Baseline
from liqfeature.estimate.kernels.exposure import Exposure, Mixture
from liqfeature.estimate.kernels.read import READINGS, Reading, Workspace
from liqfeature.estimate.kernels.scan import Candles, read_row, scan
from liqfeature.estimate.kernels.venues import scan_venues
from liqfeature.estimate.outlook import Outlook
from liqfeature.estimate.placed import begin_levels, clear, on_grid, place, stretches
from liqfeature.estimate.venues import Together
from liqfeature.market.market import Market
from liqfeature.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A walk over candles, ready to run: inputs in bins, an empty map, and the rows to write."""

    config: HeatmapConfig
    market: Market
    origin: int  # bin of the grid that is bin 0 of the exposure
    flow: Flow
    candles: Candles
    mixture: Mixture
    outlook: Outlook
    reading: Reading
    work: Workspace
    exposure: Exposure
    baseline: Baseline
    nearest: FloatArray  # (2, 3): see kernels/clusters.py
    cleared: FloatArray  # (2, n): see kernels/clusters.py
    table: FloatArray  # (2 * n_readings + spare, n): each reading above price and below it, then spare rows
    swept: FloatArray  # (4, 2, n): amount, notional, notional within the horizon, level of a cascade
    together: Together | None  # with other exchanges: the exposure is then their sum, read and never walked

    @property
    def columns(self) -> FloatArray:
        """View (2, n_readings, n) of the readings in the table, by side."""
        return self._readings[:, ::-1].swapaxes(0, 1)

    @property
    def _readings(self) -> FloatArray:
        return self.table[: 2 * len(READINGS)].reshape(len(READINGS), 2, -1)

    def outlook_in_fractions(self) -> Outlook:
        """As `outlook_of` returns it, without looking back again."""
        return in_fractions(self.outlook, self.config)

    def run(self, first: int, stop: int, read_from: int = 0) -> None:
        """Walk the rows from `first` to before `stop`; begin at 0 and go on where the last walk stopped.

        Rows before `read_from` are not read off the map: most of the time, where nobody looks at them. Where
        maps were made elsewhere, each takes its place at the close of its first candle, and rows without one
        are not read.
        """
        maps = self.market.maps
        if maps is None:
            self._walk(first, stop, read_from)
            return
        for begin, end, new in stretches(maps.newest, first, stop):
            number = int(maps.newest[begin])
            if new:
                self._walk(begin, begin + 1, end)
                if number < 0:
                    clear(self.exposure)
                    begin_levels(self.baseline, self.config.lookback)
                else:
                    self._put(begin, number)
                    if begin >= read_from:
                        self._read(begin)
            self._walk(begin + int(new), end, read_from if number >= 0 else end)

    def _put(self, row: int, number: int) -> None:
        """Let a map made elsewhere be in force from the close of a row."""
        maps, candles, reading = self.market.maps, self.candles, self.reading
        assert maps is not None
        close, n_bins = float(candles.close[row]), reading.centre.shape[1]
        amounts = on_grid(maps, number, self.config.grid, origin=self.origin, n_bins=n_bins, close=close)
        opened_at = float(candles.tick[row] - self.exposure.current[0] * reading.generation)
        place(self.exposure, amounts, reading.centre, opened_at)

    def _read(self, row: int) -> None:
        read_row(
            self.candles,
            self.reading,
            self.work,
            self.exposure,
            self.baseline,
            self.nearest,
            self.cleared,
            self._readings,
            self.swept,
            row,
        )

    def _walk(self, first: int, stop: int, read_from: int) -> None:
        read = (self.reading, self.work, self.exposure, self.baseline, self.nearest, self.cleared)
        written, rows = (self._readings, self.swept), (first, stop, read_from)
        if self.together is None:
            with announced(scan, "compiling the scan once, about 12 s"):
                scan(self.candles, self.mixture, *read, *written, *rows)
        else:
            walks, agreement = self.together.walks, self.together.agreement
            with announced(scan_venues, "compiling the scan of several exchanges once, about 20 s"):
                scan_venues(walks, self.candles.open_interest, *read, *written, agreement, *rows)


def in_fractions(outlook: Outlook, config: HeatmapConfig) -> Outlook:
    """Return an outlook in bins as fractions of price, NaN before `config.warmup` candles."""
    return dataclasses.replace(outlook, unit=config.grid.width, n_unknown=config.warmup - 1)
