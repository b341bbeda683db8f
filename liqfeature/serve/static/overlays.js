// What lies over the map: frames of clusters, the fan of the coming hours, and trades of the bot.

import { amount, percent, price } from "./words.js";

const FRAMED = 3; // clusters a side
const CLOSED_FROM = 4; // pixels of a candle from which on closed trades are shown

// Where a column is, also between two of them: the library knows whole ones only.
export function placer(scale) {
  const origin = scale.logicalToCoordinate(0);
  const step = scale.logicalToCoordinate(1) - origin;
  return (logical) => origin + step * logical;
}

class Overlay {
  constructor(view) {
    this.view = view;
  }

  attached({ chart, series }) {
    Object.assign(this, { chart, series });
  }

  paneViews() {
    return [{ zOrder: () => "top", renderer: () => ({ draw: (target) => this.draw(target) }) }];
  }

  // The label in whose place another one would stand.
  meets(box) {
    return this.view.labels.find((one) => one.left < box.right && box.left < one.right && one.top < box.bottom && box.top < one.bottom);
  }

  draw(target) {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      this.x = placer(this.chart.timeScale());
      this.y = (value) => this.series.priceToCoordinate(value);
      if (this.view.bars.length) this.paint(context, mediaSize);
    });
  }
}

export class Frames extends Overlay {
  paint(context, { width, height }) {
    const { state, theme, side, unit } = this.view;
    if (!state || !this.view.layers.frames) return;
    const shown = strongest(state, side);
    context.font = "11px system-ui, DejaVu Sans, sans-serif";
    context.textBaseline = "middle";
    const left = Math.max(0, this.x(this.view.settled - 0.5));
    for (const cluster of shown) {
      const top = this.y(Math.max(cluster.near, cluster.far));
      const bottom = this.y(Math.min(cluster.near, cluster.far));
      if (bottom < 0 || top > height) continue;
      context.strokeStyle = theme.frame;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, Math.round(top) + 0.5, width - left - 2, Math.max(2, Math.round(bottom - top)));
      const text = `${cluster.whose} ${amount(cluster.notional)}, ${percent(cluster.away, 1, true)}, touched ${percent(cluster.hit, 0)}`;
      const wide = context.measureText(text).width + 8;
      const from = Math.max(2, Math.min(width - wide - 4, left - wide - 4));
      const box = (at) => ({ left: from, right: from + wide, top: at - 8, bottom: at + 8 });
      let at = Math.min(Math.max((top + bottom) / 2, 10), height - 10);
      for (let other = this.meets(box(at)); other; other = this.meets(box(at))) at = cluster.away > 0 ? other.top - 9 : other.bottom + 9;
      if (at < 8 || at > height - 8) continue;
      this.view.labels.push(box(at));
      context.fillStyle = theme.label;
      context.fillRect(from, at - 8, wide, 16);
      context.fillStyle = theme.text;
      context.fillText(text, from + 4, at + 0.5);
    }
    this.view.framed = shown.map((cluster) => `${cluster.whose} ${amount(cluster.notional)} ${unit}`);
  }
}

export function strongest(state, side) {
  const pick = (clusters, whose, sign) =>
    [...clusters]
      .sort((a, b) => b.notional - a.notional)
      .slice(0, FRAMED)
      .map((cluster) => ({ ...cluster, whose, away: sign * cluster.distance }))
      .sort((a, b) => a.distance - b.distance);
  return [
    ...(side === "long" ? [] : pick(state.above, "shorts", 1)),
    ...(side === "short" ? [] : pick(state.below, "longs", -1)),
  ];
}

export class Fan extends Overlay {
  paint(context) {
    const { state, theme, span } = this.view;
    if (!state || !this.view.layers.fan) return;
    const { horizons, bands } = state.fan;
    const last = this.view.settled - 1;
    context.fillStyle = theme.fan;
    context.strokeStyle = theme.fan;
    for (const band of bands) {
      context.beginPath();
      context.moveTo(this.x(last), this.y(state.close));
      horizons.forEach((horizon, i) => context.lineTo(this.x(last + horizon / span), this.y(band.above[i])));
      [...horizons.keys()].reverse().forEach((i) => context.lineTo(this.x(last + horizons[i] / span), this.y(band.below[i])));
      context.closePath();
      context.globalAlpha = 0.12;
      context.fill();
      context.globalAlpha = 0.55;
      context.lineWidth = 0.75;
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

// Recorded liquidations: an area for each, in proportion to what was liquidated.
export class Dots extends Overlay {
  paint(context, { width, height }) {
    const { theme, side, tiles } = this.view;
    if (!this.view.layers.dots) return;
    const most = Math.max(...tiles.flatMap((tile) => tile.dots.map(([, , , held]) => held)), 1e-9);
    context.strokeStyle = theme.outline;
    context.lineWidth = 1;
    let first = 0;
    for (const tile of tiles) {
      for (const [column, row, whose, held] of tile.dots) {
        const name = ["long", "short"][whose];
        const [x, y] = [this.x(first + column), this.y(0.5 * (tile.edge[row] + tile.edge[row + 1]))];
        if ((side !== "both" && side !== name) || x < 0 || x > width || y < 0 || y > height) continue;
        context.fillStyle = theme[name];
        context.beginPath();
        context.arc(x, y, 1.5 + 7 * Math.sqrt(held / most), 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      }
      first += tile.width;
    }
  }
}

export class Trades extends Overlay {
  paint(context, { width }) {
    const { trades, name, theme } = this.view;
    this.view.labels = [];
    context.font = "11px system-ui, DejaVu Sans, sans-serif";
    context.textBaseline = "bottom";
    for (const trade of trades.open.filter((one) => one.pair === name)) {
      const from = this.at(trade.open_timestamp);
      this.level(context, from, width, trade.open_rate, theme.text, `${trade.is_short ? "short" : "long"} ${price(trade.open_rate)}`, []);
      this.level(context, from, width, trade.stop_loss_abs, theme.fall, `stop ${price(trade.stop_loss_abs)}`, [6, 3]);
      this.level(context, from, width, trade.plan.first_target, theme.rise, "first target", [2, 3]);
      this.level(context, from, width, trade.plan.second_target, theme.rise, "second target", [2, 3]);
      this.mark(context, from, trade.open_rate, trade.is_short, theme.text);
    }
    if (this.x(1) - this.x(0) < CLOSED_FROM) return;
    for (const trade of trades.closed.filter((one) => one.pair === name)) {
      const [from, to] = [this.at(trade.open_timestamp), this.at(trade.close_timestamp)];
      if (to < 0 || from > width) continue;
      const colour = trade.profit_ratio > 0 ? theme.rise : theme.fall;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(from, this.y(trade.open_rate));
      context.lineTo(to, this.y(trade.close_rate));
      context.stroke();
      this.mark(context, from, trade.open_rate, trade.is_short, colour);
    }
  }

  at(moment) {
    return this.x(this.view.logicalAt(moment));
  }

  level(context, from, to, value, colour, text, dash) {
    if (!value) return;
    const y = Math.round(this.y(value)) + 0.5;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(Math.max(0, from), y);
    context.lineTo(to, y);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = this.view.theme.label;
    const wide = context.measureText(text).width;
    const left = Math.max(4, from + 4);
    this.view.labels.push({ left, right: left + wide, top: y - 15, bottom: y });
    context.fillRect(left - 2, y - 15, wide + 4, 14);
    context.fillStyle = colour;
    context.fillText(text, left, y - 2);
  }

  mark(context, x, value, isShort, colour) {
    const y = this.y(value);
    const tip = isShort ? 7 : -7;
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(x, y + tip);
    context.lineTo(x - 5, y - tip / 2);
    context.lineTo(x + 5, y - tip / 2);
    context.fill();
  }
}
