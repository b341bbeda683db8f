// One map on the screen: chart, layers, and what is shown of them.

import { CandlestickSeries, createChart, PriceScaleMode } from "./vendor/lightweight-charts.standalone.production.mjs";
import { pixels } from "./colours.js";
import { bitmapOf, Heat, standing } from "./heat.js";
import { Dots, Fan, Frames, Trades } from "./overlays.js";
import { drawProfile } from "./profile.js";
import { Layer, rowOf } from "./tiles.js";

const COLUMN = 1.4; // pixels of a column at least, before a coarser level is taken
const SETTLE = 120; // milliseconds of stillness before another level is taken
const AHEAD = 0.16; // of the width is left free for what is to come

export class LiveMap {
  constructor(element, profile, { look, spans, columns, onCursor, onDrawn }) {
    Object.assign(this, {
      profile, look, spans, columns, onCursor, onDrawn,
      tiles: [], bars: [], settled: 0, state: null, forming: null, pair: "", name: "", side: "both", unit: "", framed: [], labels: [],
      leverage: "all", hidden: look.hidden, contrast: 1, layers: { fan: true, frames: true, dots: true }, trades: { open: [], closed: [] },
      level: 0, span: 1, layer: null, generation: 0, limits: [0, 1],
    });
    this.chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 },
      rightPriceScale: { mode: PriceScaleMode.Logarithmic, minimumWidth: 62 },
      timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.2, shiftVisibleRangeOnNewBar: true },
      crosshair: { mode: 0 },
    });
    this.series = this.chart.addSeries(CandlestickSeries, { borderVisible: false, priceLineVisible: true });
    this.heat = new Heat(this);
    for (const part of [this.heat, new Dots(this), new Fan(this), new Trades(this), new Frames(this)]) this.series.attachPrimitive(part);
    this.chart.subscribeCrosshairMove((at) => this.cursor(at));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.moved());
    this.paint("dark");
  }

  paint(name) {
    this.theme = this.look.themes[name];
    const { plot, text, line, rise, fall } = this.theme;
    this.chart.applyOptions({
      layout: { background: { color: plot }, textColor: text },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
    });
    this.series.applyOptions({ upColor: rise, downColor: fall, wickUpColor: rise, wickDownColor: fall });
    this.scale = pixels(this.theme.scale);
    this.fill();
    this.recolour();
  }

  // Another pair, class of leverage, or range: everything anew.
  async open(pair, state, leverage, milliseconds) {
    const generation = ++this.generation;
    Object.assign(this, { pair, state, leverage, forming: this.pair === pair ? this.forming : null, unit: state.unit });
    const to = state.date + state.interval;
    await this.show(Math.max(state.first, to - milliseconds), to, generation);
  }

  // Show a span of time at the level that fits it.
  async show(from, to, generation = ++this.generation) {
    const { interval } = this.state;
    const candles = Math.max(24, (to - from) / interval);
    const level = this.fitting(candles);
    await this.load(level, from, to, generation);
    if (generation !== this.generation) return;
    const first = this.logicalAt(from);
    const last = Math.min(this.logicalAt(to), this.settled);
    const free = to >= this.state.date ? AHEAD * (last - first) : 0;
    this.chart.timeScale().setVisibleLogicalRange({ from: first, to: last + free });
    this.drawn();
  }

  // The finest level at which the columns of n candles can be told apart.
  fitting(candles) {
    const most = Math.max(120, this.chart.timeScale().width() / COLUMN);
    return this.spans.findIndex((span, i) => candles / span <= most || i === this.spans.length - 1);
  }

  // Load the tiles of a level from a moment to the newest, and put them on the chart.
  async load(level, from, to, generation) {
    const [oldest, newest] = this.state.tiles[level];
    const width = this.columns * this.spans[level] * this.state.interval;
    const first = Math.min(newest, Math.max(oldest, Math.floor(from / width)));
    const same = this.layer && this.layer.pair === this.pair && this.layer.level === level && this.layer.leverage === this.leverage;
    const layer = same && this.layer.version === this.state.version ? this.layer : new Layer(this.pair, level, this.leverage);
    layer.version = this.state.version;
    const numbers = [];
    for (let number = newest; number >= first; number--) numbers.push(number);
    await Promise.all(numbers.map((number) => layer.load(number)));
    if (generation !== this.generation) return;
    Object.assign(this, { layer, level, span: this.spans[level] });
    this.arrange();
  }

  // The newest candle has closed: what stood is settled now.
  async close(state) {
    const generation = this.generation;
    const { layer } = this;
    const newest = state.tiles[this.level][1];
    await layer.load(newest, { anew: true });
    const before = layer.tiles.get(newest - 1);
    const stale = this.state && Math.floor(this.state.tiles[this.level][1]) !== newest;
    if (stale && before) await layer.load(newest - 1, { anew: true });
    if (generation !== this.generation) return;
    layer.version = state.version;
    this.state = state;
    this.arrange();
    this.drawn();
  }

  arrange() {
    const before = this.bars.length ? this.bars[0].time : null;
    this.tiles = this.layer.run();
    this.bars = this.tiles.flatMap((tile) =>
      tile.bars.map(([open, high, low, close], i) => ({ time: tile.date[i] / 1000, open, high, low, close })),
    );
    this.settled = this.bars.length;
    this.measure();
    this.fill(before);
  }

  fill(before = null) {
    if (!this.bars.length) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    this.bars.length = this.settled;
    if (this.forming && this.forming.opened > this.state.date) this.bars.push(this.formed());
    const digits = Math.min(10, Math.max(0, 5 - Math.floor(Math.log10(this.bars[0].close))));
    this.series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    this.series.setData(this.bars);
    const added = before === null ? 0 : this.bars.findIndex((bar) => bar.time === before);
    if (range && added > 0) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
  }

  formed() {
    const { opened, open, high, low, close } = this.forming;
    const colour = this.theme.forming;
    return { time: opened / 1000, open, high, low, close, color: colour, wickColor: colour };
  }

  // The forming candle: it is drawn, clears what it touches, and settles nothing.
  form(forming) {
    this.forming = forming;
    this.nowMade = null;
    if (!this.settled || !forming || forming.opened <= this.state.date) return;
    const bar = this.formed();
    this.bars[this.settled] = bar;
    this.bars.length = this.settled + 1;
    this.series.update(bar);
    this.drawn();
  }

  // Look of the map.

  set(options) {
    Object.assign(this, options);
    this.measure();
    this.recolour();
  }

  // Amounts below which cells are hidden, and from which on they look alike.
  measure() {
    const held = [];
    for (const tile of this.tiles) {
      if (tile.shown !== this.side) {
        tile.shown = this.side;
        tile.amounts = tile.table(this.side);
        tile.bitmaps.clear();
      }
      const step = Math.max(1, Math.floor(tile.amounts.length / 60000));
      for (let i = 0; i < tile.amounts.length; i += step) if (tile.amounts[i] > 0) held.push(tile.amounts[i]);
    }
    held.sort((a, b) => a - b);
    const at = (share) => (held.length ? held[Math.min(held.length - 1, Math.floor(share * held.length))] : 0);
    const limits = [at(this.hidden), Math.max(at(this.look.full), at(this.hidden) * 1.0001)];
    if (limits[0] !== this.limits[0] || limits[1] !== this.limits[1]) this.recolour();
    this.limits = limits;
  }

  recolour() {
    for (const tile of this.tiles) tile.bitmaps.clear();
    this.nowMade = null;
    this.heat?.requestUpdate?.();
    this.drawn();
  }

  colourOf = (value) => {
    const [least, most] = this.limits;
    if (value <= 0 || value < least) return 0;
    const share = Math.min(1, (value - least) / (most - least));
    return this.scale[Math.round(255 * share ** this.contrast)];
  };

  bitmap(tile, merge) {
    if (!tile.bitmaps.has(merge)) {
      tile.bitmaps.clear();
      tile.bitmaps.set(merge, bitmapOf(tile.amounts, tile.width, tile.height, merge, this.colourOf));
    }
    return tile.bitmaps.get(merge);
  }

  // What rests now, as a tile of one column; only where all leverages are shown, since it is not known by class.
  now() {
    const tile = this.tiles[this.tiles.length - 1];
    if (!tile || this.leverage !== "all") return null;
    if (!this.nowMade) {
      const amounts = standing(this.state, this.forming, tile.edge, this.side);
      this.nowMade = { edge: tile.edge, height: tile.height, width: 1, amounts, bitmaps: new Map() };
    }
    return this.nowMade;
  }

  // Time and cursor.

  logicalAt(milliseconds) {
    const seconds = milliseconds / 1000;
    let low = 0;
    let high = this.bars.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.bars[middle].time <= seconds) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  cursor({ logical, point }) {
    this.pointed = point !== undefined;
    if (!this.tiles.length) return;
    if (logical === undefined || !point) {
      this.onCursor({ ...this.settledAt(this.settled - 1, this.bars[this.settled - 1].close), point: null });
      return;
    }
    const price = this.series.coordinateToPrice(point.y);
    const index = Math.round(logical);
    this.onCursor({ ...(index < this.settled ? this.settledAt(Math.max(index, 0), price) : this.restingAt(price)), point });
  }

  settledAt(index, price) {
    let column = index;
    const tile = this.tiles.find((one) => column < one.width || ((column -= one.width), false));
    const row = rowOf(tile.edge, price);
    const cells = [0, 1].map((side) => (row < 0 ? null : tile.cell(side, column, row)));
    const rows = Object.fromEntries(Object.entries(tile.rows).map(([name, values]) => [name, values[column]]));
    const dots = tile.dots.filter(([at, level]) => at === column && Math.abs(level - row) <= 2).map(([, , side, held]) => [side, held]);
    return { settled: true, dots, time: tile.last[column], close: tile.bars[column][3], price, cells, rows, interest: tile.open_interest[column], span: tile.span };
  }

  restingAt(price) {
    const row = rowOf(this.state.edge, price);
    const cells = ["long", "short"].map((side) => {
      const held = row < 0 ? 0 : standing(this.state, this.forming, this.state.edge, side)[row];
      return held ? { notional: held, age: null } : null;
    });
    return { settled: false, time: this.state.date, close: this.forming?.close ?? this.state.close, price, cells, rows: {}, interest: null, span: 1 };
  }

  // Another level where one fits better, once the range stands still.
  moved() {
    this.drawn();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.refine(), SETTLE);
  }

  async refine() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || !this.settled) return;
    const seen = (Math.min(range.to, this.settled) - Math.max(range.from, 0)) * this.span;
    const fitting = this.fitting(0.9 * seen);
    const [oldest] = this.state.tiles[this.level];
    const coarser = fitting > this.level;
    const finer = fitting < this.level && this.fitting(1.2 * seen) < this.level;
    if (coarser || finer) await this.relevel(fitting, range);
    else if (range.from < 0 && this.tiles[0].number > oldest) await this.further();
  }

  async relevel(level, range) {
    const generation = ++this.generation;
    const moments = [range.from, range.to].map((logical) => this.momentAt(logical));
    await this.load(level, moments[0], moments[1], generation);
    if (generation !== this.generation) return;
    const step = this.spans[level] * this.state.interval;
    const origin = this.bars[0].time * 1000;
    const at = moments.map((moment) => (moment <= this.state.date ? this.logicalAt(Math.max(moment, origin)) : this.settled + (moment - this.state.date) / step));
    this.chart.timeScale().setVisibleLogicalRange({ from: at[0], to: at[1] });
    this.drawn();
  }

  async further() {
    const generation = this.generation;
    await this.layer.load(this.tiles[0].number - 1);
    if (generation === this.generation) this.arrange();
  }

  momentAt(logical) {
    const step = this.span * this.state.interval;
    const index = Math.round(logical);
    if (index < 0) return this.bars[0].time * 1000 + logical * step;
    if (index >= this.settled) return this.state.date + (logical - this.settled + 1) * step;
    return this.bars[index].time * 1000;
  }

  redrawn() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      drawProfile(this.profile, this, this.series, this.chart.panes()[0].getHeight());
    });
  }

  drawn() {
    if (this.settled && !this.pointed) this.cursor({});
    this.redrawn();
    this.onDrawn(this);
  }
}
