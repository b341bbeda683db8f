// What rests now by price, as bars beside the chart, and the same added up from price outward as a line.

import { standing } from "./heat.js";
import { amount } from "./words.js";

export function drawProfile(canvas, view, series, height) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const { state, forming, theme, side } = view;
  const context = canvas.getContext("2d");
  if (!state || !view.bars.length) return;
  context.scale(ratio, ratio);
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  const price = forming ? forming.close : state.close;
  const sides = ["long", "short"]
    .filter((one) => side === "both" || side === one)
    .map((one) => ({ one, table: standing(state, forming, state.edge, one) }));
  const bars = sides.map(({ one, table }) => ({ one, table, bars: byPixel(table, state.edge, series, height) }));
  const most = Math.max(1e-9, ...bars.flatMap((side_) => side_.bars.map((bar) => bar.held)));
  for (const { one, bars: drawn } of bars) {
    context.fillStyle = theme[one];
    for (const { top, tall, held } of drawn) context.fillRect(0, top, (width - 8) * (held / most), Math.max(1, tall - 0.5));
  }
  const sums = sides.map(({ one, table }) => ({ one, sums: outward(table, state.edge, price, one) }));
  const all = Math.max(1e-9, ...sums.flatMap((side_) => side_.sums.map(([, sum]) => sum)));
  for (const { one, sums: line } of sums) {
    context.strokeStyle = theme[one];
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [at, sum] of line) context.lineTo((width - 8) * (sum / all), series.priceToCoordinate(at));
    context.stroke();
  }
  context.font = "11px system-ui, DejaVu Sans, sans-serif";
  const words = width > 120 ? [`bars to ${amount(most)}`, `sum to ${amount(all)}`] : [amount(most), amount(all)];
  const wide = Math.max(...words.map((word) => context.measureText(word).width));
  context.fillStyle = theme.label;
  context.fillRect(width - wide - 8, 0, wide + 8, 32);
  context.fillStyle = theme.text;
  words.forEach((word, i) => context.fillText(word, width - context.measureText(word).width - 4, 12 + 14 * i));
}

// Rows narrower than two pixels are put together, and keep their largest.
function byPixel(table, edge, series, height) {
  const bars = [];
  let open = null;
  for (let i = 0; i < table.length; i++) {
    const bottom = series.priceToCoordinate(edge[i]);
    const top = series.priceToCoordinate(edge[i + 1]);
    if (bottom < 0 || top > height || !table[i]) continue;
    if (open && open.bottom - top < 2) {
      open.held = Math.max(open.held, table[i]);
      open.top = top;
      open.tall = open.bottom - top;
    } else {
      open = { bottom, top, tall: bottom - top, held: table[i] };
      bars.push(open);
    }
  }
  return bars;
}

function outward(table, edge, price, one) {
  const centres = [...table.keys()].map((i) => [0.5 * (edge[i] + edge[i + 1]), table[i]]);
  const ordered = one === "short" ? centres.filter(([at]) => at > price) : centres.filter(([at]) => at < price).reverse();
  let sum = 0;
  return ordered.map(([at, held]) => [at, (sum += held)]);
}
