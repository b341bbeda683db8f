// A written page: its figures, the controls above each map, and tables that sort and lead to the map.

"use strict";
const DAY = 86_400_000;
const RANGES = { "12h": 0.5, "24h": 1, "3d": 3, "7d": 7, "30d": 30, "90d": 90 };
const CLOSE_BY = 10 * DAY; // up to here trades are shown with all their marks
const figures = JSON.parse(document.getElementById("figures").textContent);
const charts = [...document.querySelectorAll(".chart")];
const narrow = matchMedia(`(max-width: ${document.body.dataset.narrow}px)`);
const still = location.hash === "#still"; // for a picture: nothing in it that one would click
document.documentElement.classList.toggle("still", still);
for (const words of document.querySelectorAll("details")) words.open = still || !narrow.matches;

const moment = (text) => Date.parse(`${text.slice(0, 19)}Z`);
const text = (at) => new Date(at).toISOString().slice(0, 19);
const named = (chart, name) => chart._fullData.find((trace) => trace.name === name);
const numbered = (chart, meta) => chart.data.flatMap((trace, i) => (trace.meta === meta ? [i] : []));

function layout(figure) {
  const arranged = structuredClone(narrow.matches ? figure.slim : figure.wide);
  if (still && arranged.xaxis9) arranged.xaxis9.rangeslider.visible = false;
  return arranged;
}

async function drawOne(figure, i) {
  const chart = charts[i];
  const options = { responsive: true, displaylogo: false, scrollZoom: false, displayModeBar: false };
  await Plotly.newPlot(chart, figure.data, layout(figure), options);
  if (!figure.sides.length) return;
  const [first, end] = chart.layout.xaxis.range.map(moment);
  Object.assign(chart, { first, end, last: moment(named(chart, "price").x.at(-1)), prices: chart.layout.yaxis.range.slice() });
  if (!chart.controls) chart.controls = controls(chart, figure);
  else press(chart.controls.ranges, "all");
  press(chart.controls.sides, figure.side);
  chart.removeAllListeners("plotly_relayout");
  chart.on("plotly_relayout", (change) => Object.keys(change).some((name) => name.includes("axis")) && moved(chart));
  chart.on("plotly_hover", ({ points }) => tell(chart, points[0]));
  await marks(chart);
}

const draw = () => Promise.all(figures.map(drawOne));

function group(bar, names, label, pick) {
  const made = document.createElement("div");
  made.className = "group";
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  for (const [name, words] of names) {
    const button = document.createElement("button");
    button.textContent = words;
    button.dataset.name = name;
    button.onclick = () => pick(name).then(() => press(made, name));
    made.append(button);
  }
  bar.append(made);
  return made;
}

function press(made, name) {
  for (const button of made.children) button.setAttribute("aria-pressed", button.dataset.name === name);
}

function controls(chart, figure) {
  const bar = document.createElement("div");
  bar.className = "controls";
  chart.before(bar);
  const fitting = Object.keys(RANGES).filter((name) => RANGES[name] * DAY < chart.last - chart.first);
  const ranges = group(bar, [...fitting, "all"].map((name) => [name, name]), "range", (name) => range(chart, name));
  press(ranges, "all");
  const sides = group(bar, figure.sides.map(({ name, label }) => [name, label]), "side", (name) => {
    const { data, layout } = figure.sides.find((choice) => choice.name === name);
    return Plotly.update(chart, data, layout, [...data.visible.keys()]);
  });
  const told = document.createElement("p");
  bar.append(told);
  return { ranges, sides, told };
}

// Show a span of time, with the prices that fit it.
async function show(chart, from, to) {
  const bars = named(chart, "price");
  let [low, high] = [Infinity, -Infinity];
  bars.x.forEach((x, i) => {
    const at = moment(x);
    if (at < from || at > to) return;
    low = Math.min(low, bars.low[i]);
    high = Math.max(high, bars.high[i]);
  });
  const room = Math.min(Math.max(0.8 * (high / low - 1), 0.02), 0.05);
  const [least, most] = chart.prices;
  const prices = low <= high ? [Math.max(least, low * (1 - room)), Math.min(most, high * (1 + room))] : [least, most];
  chart.quiet = true;
  await Plotly.relayout(chart, { "xaxis.range": [text(from), text(to)], "yaxis.range": prices });
  chart.quiet = false;
  await marks(chart);
}

async function range(chart, name) {
  if (name !== "all") {
    const span = RANGES[name] * DAY;
    const free = span * ((chart.end - chart.last) / (chart.last - chart.first));
    return show(chart, chart.last - span, chart.last + free);
  }
  chart.quiet = true;
  await Plotly.relayout(chart, { "xaxis.range": [text(chart.first), text(chart.end)], "yaxis.range": chart.prices.slice() });
  chart.quiet = false;
  return marks(chart);
}

async function moved(chart) {
  if (chart.quiet) return;
  press(chart.controls.ranges, "");
  await marks(chart);
}

// Marks of trades: all of them where there is room, else where they were.
async function marks(chart) {
  const [from, to] = chart._fullLayout.xaxis.range.map((at) => moment(String(at).replace(" ", "T")));
  const near = to - from <= CLOSE_BY;
  if (chart.near === near) return;
  chart.near = near;
  const [lines, points] = [numbered(chart, "line"), numbered(chart, "point")];
  chart.quiet = true;
  if (lines.length) await Plotly.restyle(chart, { visible: near }, lines);
  if (points.length) await Plotly.restyle(chart, { "marker.size": near ? 9 : 4, "marker.line.width": near ? 1 : 0 }, points);
  chart.quiet = false;
}

// Fuel and cascade of the column of time under the cursor.
function tell(chart, { fullData, pointIndex }) {
  if (fullData.x?.length !== named(chart, "price").x.length) return;
  const at = Array.isArray(pointIndex) ? pointIndex[1] : pointIndex;
  const value = (name, form) => form(named(chart, name).y[at]);
  const amount = (held) => (held >= 1e9 ? `${(held / 1e9).toPrecision(3)}B` : held >= 1e6 ? `${(held / 1e6).toPrecision(3)}M` : held >= 1e3 ? `${(held / 1e3).toPrecision(3)}k` : Number.isFinite(held) ? held.toPrecision(3) : "–");
  const share = (held) => (Number.isFinite(held) ? `${(100 * held).toFixed(1)} %` : "–");
  chart.controls.told.textContent =
    `${fullData.x[at].replace("T", " ").slice(0, 16)} UTC · fuel ↑ ${value("fuel above", amount)} ↓ ${value("fuel below", amount)}` +
    ` · cascade ↑ ${value("cascade above", share)} ↓ ${value("cascade below", share)}`;
}

// Tables: a click on a name sorts, one on a row with a place leads there.
for (const table of document.querySelectorAll("table.sorts")) {
  const number = (words) => (/^[+-]?[\d,.]+( ?%)?$/.test(words) ? Number(words.replace(/[,%\s]/g, "")) : NaN);
  [...table.rows[0].cells].forEach((cell, column) => {
    cell.onclick = () => {
      const down = table.dataset.by === String(column);
      table.dataset.by = down ? "" : String(column);
      const key = (row) => row.cells[column].textContent;
      const order = (a, b) => {
        const apart = number(key(a)) - number(key(b));
        return Number.isNaN(apart) ? key(a).localeCompare(key(b)) : apart;
      };
      const rows = [...table.rows].slice(1).sort((a, b) => (down ? order(b, a) : order(a, b)));
      table.tBodies[0].append(...rows);
    };
  });
  for (const row of table.querySelectorAll("tr[data-chart]")) {
    row.onclick = async () => {
      const chart = charts.find((one) => one.dataset.name === row.dataset.chart);
      const [from, to] = [moment(row.dataset.from), moment(row.dataset.to)];
      const room = Math.max(DAY / 4, 0.5 * (to - from));
      await show(chart, from - room, to + room);
      press(chart.controls.ranges, "");
      chart.controls.told.parentElement.scrollIntoView();
    };
  }
}

narrow.addEventListener("change", () => {
  for (const chart of charts) delete chart.near;
  draw();
});
draw();
