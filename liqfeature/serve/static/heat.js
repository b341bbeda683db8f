// The map behind the candles: a primitive of the candle series, drawn tile by tile.

import { placer } from "./overlays.js";
import { rowOf } from "./tiles.js";

export class Heat {
  constructor(view) {
    this.view = view;
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, requestUpdate });
  }

  updateAllViews() {
    this.view.redrawn();
  }

  paneViews() {
    return [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.draw(target) }) }];
  }

  // Room above and below the candles, in which clusters are.
  autoscaleInfo(from, to) {
    const bars = this.view.bars.slice(Math.max(0, Math.floor(from)), Math.max(0, Math.ceil(to)) + 1);
    if (!bars.length) return null;
    const low = Math.min(...bars.map((bar) => bar.low));
    const high = Math.max(...bars.map((bar) => bar.high));
    const room = Math.min(Math.max(0.8 * (high / low - 1), 0.02), 0.05);
    return { priceRange: { minValue: low * (1 - room), maxValue: high * (1 + room) } };
  }

  draw(target) {
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio: rx, verticalPixelRatio: ry, bitmapSize }) => {
      context.imageSmoothingEnabled = false;
      const at = placer(this.chart.timeScale());
      const x = (logical) => Math.round(at(logical) * rx);
      const y = (price) => this.series.priceToCoordinate(price) * ry;
      let first = 0;
      for (const tile of this.view.tiles) {
        const [left, right] = [x(first - 0.5), x(first + tile.width - 0.5)];
        first += tile.width;
        if (right >= 0 && left <= bitmapSize.width) this.place(context, tile, left, right, y);
      }
      const now = this.view.now();
      if (now && first) {
        const left = x(first - 0.5);
        context.globalAlpha = 0.5;
        this.place(context, now, left, bitmapSize.width, y);
        context.globalAlpha = 1;
        this.line(context, left, bitmapSize.height, rx);
      }
      this.outline(context, x, y, rx);
    });
  }

  line(context, left, height, rx) {
    context.strokeStyle = this.view.theme.faint;
    context.lineWidth = Math.max(1, Math.floor(rx));
    context.setLineDash([4 * rx, 4 * rx]);
    context.beginPath();
    context.moveTo(left + 0.5, 0);
    context.lineTo(left + 0.5, height);
    context.stroke();
    context.setLineDash([]);
  }

  // Rows are even in the logarithm of price: one image where the scale is too, else row by row.
  place(context, tile, left, right, y) {
    const { edge, height } = tile;
    const bottom = y(edge[0]);
    const top = y(edge[height]);
    const merge = Math.max(1, Math.ceil(height / Math.max(1, bottom - top)));
    const image = this.view.bitmap(tile, merge);
    if (!image) return;
    const middle = y(edge[height >> 1]);
    const even = bottom + ((top - bottom) * (height >> 1)) / height;
    if (Math.abs(middle - even) < 1 && height % merge === 0) {
      context.drawImage(image, left, top, right - left, bottom - top);
      return;
    }
    for (let row = 0; row < image.height; row++) {
      const below = Math.round(y(edge[Math.min(row * merge, height)]));
      const above = Math.round(y(edge[Math.min((row + 1) * merge, height)]));
      context.drawImage(image, 0, image.height - 1 - row, image.width, 1, left, above, right - left, Math.max(1, below - above));
    }
  }

  // A dark edge under each candle, so that it stands out on bright cells.
  outline(context, x, y, rx) {
    const { bars, theme } = this.view;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    context.fillStyle = theme.outline;
    const step = x(1) - x(0);
    const half = Math.max(1, Math.round(step * 0.4)) + rx;
    for (let i = Math.max(0, Math.floor(range.from)); i < Math.min(bars.length, Math.ceil(range.to) + 1); i++) {
      const bar = bars[i];
      const high = y(bar.high);
      context.fillRect(x(i) - 1.5 * rx, high - rx, 3 * rx, y(bar.low) - high + 2 * rx);
      if (step < 4 * rx) continue;
      const top = y(Math.max(bar.open, bar.close));
      context.fillRect(x(i) - half, top - rx, 2 * half, y(Math.min(bar.open, bar.close)) - top + 2 * rx);
    }
  }
}

// What rests now, in the rows of a tile, without what the forming candle has touched.
export function standing(state, forming, edge, shown) {
  const table = new Float32Array(edge.length - 1);
  const high = forming ? forming.high : -Infinity;
  const low = forming ? forming.low : Infinity;
  for (let i = 0; i < state.long.length; i++) {
    const centre = 0.5 * (state.edge[i] + state.edge[i + 1]);
    const row = rowOf(edge, centre);
    if (row < 0) continue;
    if (shown !== "short" && centre < low) table[row] += state.long[i];
    if (shown !== "long" && centre > high) table[row] += state.short[i];
  }
  return table;
}

// A table of amounts as a bitmap, its lowest row at the bottom; merged rows keep their largest amount.
export function bitmapOf(table, width, height, merge, paint) {
  const rows = Math.ceil(height / merge);
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row++) {
    const line = (rows - 1 - row) * width;
    for (let column = 0; column < width; column++) {
      let most = 0;
      for (let k = row * merge; k < Math.min((row + 1) * merge, height); k++) {
        const value = table[k * width + column];
        if (value > most) most = value;
      }
      pixels[line + column] = paint(most);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
