// The page: controls, what the server sends, and the words around the map.

import { LiveMap } from "./map.js";
import { Socket } from "./socket.js";
import { Table } from "./table.js";
import { ask } from "./tiles.js";
import { amount, duration, moment, percent, price } from "./words.js";

const HOUR = 3_600_000;
const RANGES = { "12h": 12, "24h": 24, "3d": 72, "7d": 168, "30d": 720, "90d": 2160, "1y": 8760 };
const SIDES = { both: "all", long: "longs", short: "shorts" };
const $ = (id) => document.getElementById(id);

const chosen = { range: "3d", side: "both", leverage: "all" };
const cursor = { at: null };
const heard = { trouble: "", lost: true, state: 0 };

const session = await (await ask("api/session")).json();
const map = new LiveMap($("chart"), $("profile"), {
  look: session.look, spans: session.spans, columns: session.columns, onCursor: showCursor, onDrawn: showLegend,
});
const table = new Table($("trades"), goTo);
const socket = new Socket({ onMessage: receive, onOpen: () => {}, onLost: () => (heard.lost = true) });
window.liqfeature = { map, socket, session, cursor }; // for tests and the curious

$("source").textContent = session.simulated ? `SANDBOX, ${session.timeframe}` : `${session.title}, ${session.timeframe}`;
const exchanges = [...new Set(Object.values(session.markets).map(([exchange]) => exchange))];
const marketsOf = (exchange) => session.pairs.filter((name) => session.markets[name][0] === exchange);
$("exchange").hidden = exchanges.length < 2;
fillSelect($("exchange"), exchanges, (exchange) => {
  const [, pair] = session.markets[chosen.pair];
  const there = marketsOf(exchange);
  choosePair(there.find((name) => session.markets[name][1] === pair) ?? there[0]);
});
buttons($("ranges"), Object.fromEntries(Object.keys(RANGES).map((name) => [name, name])), "range", reopen);
buttons($("sides"), SIDES, "side", () => map.set({ side: chosen.side }));
$("threshold").value = 100 * session.look.hidden;
$("hidden").textContent = `${$("threshold").value} %`;
$("threshold").oninput = ({ target }) => {
  $("hidden").textContent = `${target.value} %`;
  map.set({ hidden: target.value / 100 });
};
$("contrast").oninput = ({ target }) => map.set({ contrast: 2 ** (-target.value / 5) });
for (const name of ["fan", "frames", "dots"]) {
  $(name).onclick = () => {
    map.set({ layers: { ...map.layers, [name]: !map.layers[name] } });
    $(name).setAttribute("aria-pressed", map.layers[name]);
  };
}
const dark = matchMedia("(prefers-color-scheme: dark)");
const setTheme = (name) => {
  document.documentElement.dataset.theme = name;
  map.paint(name);
};
$("theme").onclick = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
dark.onchange = () => setTheme(dark.matches ? "dark" : "light");
setTheme(dark.matches ? "dark" : "light");
$("about").onclick = () => $("words").showModal();
setInterval(showStatus, 500);
socket.connect(async () => (await (await ask("api/session")).json()).token);
if (session.pairs.length) choosePair(session.pairs[0]);
else notice("no pair with candles of this timeframe");

function fillSelect(select, values, pick, word = (value) => value) {
  select.replaceChildren(...values.map((value) => new Option(word(value), value)));
  select.onchange = () => pick(select.value);
}

function buttons(group, words, what, then) {
  for (const [value, word] of Object.entries(words)) {
    const button = document.createElement("button");
    button.textContent = word;
    button.dataset.value = value;
    button.onclick = () => {
      chosen[what] = value;
      press(group, value);
      then();
    };
    group.append(button);
  }
  press(group, chosen[what]);
}

function press(group, value) {
  for (const button of group.children) button.setAttribute("aria-pressed", button.dataset.value === value);
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

async function choosePair(pair, then = reopen) {
  chosen.pair = pair;
  const [exchange, name] = session.markets[pair];
  $("exchange").value = exchange;
  fillSelect($("pair"), marketsOf(exchange), (market) => choosePair(market), (market) => session.markets[market][1]);
  $("pair").value = pair;
  map.name = name;
  heard.trouble = "";
  map.form(null);
  socket.watch(pair);
  try {
    const state = await (await ask("api/state", { pair })).json();
    if (chosen.pair !== pair) return;
    if (!state.leverage.includes(chosen.leverage)) chosen.leverage = "all";
    fillSelect($("leverage"), state.leverage, (leverage) => {
      chosen.leverage = leverage;
      reopen();
    });
    for (const option of $("leverage").options) if (option.value === "all") option.text = "all leverages";
    $("leverage").value = chosen.leverage;
    chosen.state = state;
    heard.state = performance.now();
    await then();
  } catch (error) {
    if (chosen.pair === pair) notice(error.message);
  }
}

async function reopen() {
  if (!chosen.state || chosen.state.pair !== chosen.pair) return;
  try {
    await map.open(chosen.pair, chosen.state, chosen.leverage, RANGES[chosen.range] * HOUR);
    notice("");
  } catch (error) {
    notice(error.message);
  }
}

async function goTo(trade) {
  const show = async () => {
    map.generation++;
    Object.assign(map, { pair: chosen.pair, state: chosen.state, leverage: chosen.leverage });
    const end = trade.close_timestamp ?? chosen.state.date;
    const room = Math.max(36 * chosen.state.interval, 0.3 * (end - trade.open_timestamp));
    await map.show(Math.max(chosen.state.first, trade.open_timestamp - room), Math.min(chosen.state.date, end + room));
  };
  if (trade.pair === map.name) return show();
  const market = session.pairs.find((name) => session.markets[name][1] === trade.pair);
  if (market) await choosePair(market, show);
}

async function receive(message) {
  heard.lost = false;
  if (message.type === "trades") {
    $("bot").hidden = false;
    $("bot-trouble").textContent = message.trouble ? `the bot does not answer (${message.trouble})` : "";
    if (message.trouble) return;
    map.trades = { open: message.open, closed: message.closed };
    table.show([...message.open, ...message.closed]);
    map.recolour();
    return;
  }
  if (message.pair !== chosen.pair) return;
  heard.trouble = message.type === "trouble" ? message.text : "";
  if (message.type === "state") {
    heard.state = performance.now();
    const known = chosen.state;
    chosen.state = message.state;
    if (known?.pair !== message.pair || !map.layer || map.pair !== message.pair) return;
    if (known.version !== message.state.version) {
      try {
        await map.close(message.state);
      } catch (error) {
        heard.trouble = error.message;
      }
    }
  } else if (message.type === "forming") {
    chosen.forming = message.forming;
    map.form(message.forming);
  }
  showStatus();
}

function showStatus() {
  const { state } = chosen;
  const silent = (performance.now() - socket.heard) / 1000;
  const late = heard.lost || heard.trouble || silent > Math.max(10, 3 * session.seconds);
  $("status").dataset.state = late ? "late" : "live";
  const closed = state ? `last close ${moment(state.date + state.interval)}, received ${duration((performance.now() - heard.state) / 1000)} ago` : "";
  const missing = state && !state.beside.includes("open_interest") ? "; no open interest: amounts are relative" : "";
  const now = heard.lost ? `no connection for ${duration(silent)}, trying again` : heard.trouble ? `the source fails: ${heard.trouble}` : `heard ${duration(silent)} ago`;
  $("heard").textContent = [now, closed].filter(Boolean).join(" · ") + missing;
}

function showCursor(at) {
  const { cells, rows, interest, unit = map.unit } = at;
  const words = [
    ["", at.settled ? moment(at.time) : "not settled: rests now"],
    ["price", `${price(at.price)} (${percent(at.price / at.close - 1, 2, true)})`],
  ];
  ["longs", "shorts"].forEach((name, side) => {
    const cell = cells[side];
    if (!cell) return;
    const share = interest ? `, ${percent(cell.notional / interest, 2)} of OI` : "";
    const age = cell.age === null ? "" : `, age ${duration((cell.age * map.state.interval) / 1000)}`;
    words.push([name, `${amount(cell.notional)} ${unit}${share}${age}`]);
  });
  for (const [side, held] of at.dots ?? []) words.push([`${["longs", "shorts"][side]} recorded`, `${amount(held)} ${unit}`]);
  if (at.settled) {
    words.push(["fuel", `↑ ${amount(rows.liq_fuel_above)} ↓ ${amount(rows.liq_fuel_below)}`]);
    words.push(["cascade", `↑ ${percent(rows.liq_cascade_above)} ↓ ${percent(rows.liq_cascade_below)}`]);
    words.push(["touched", `↑ ${percent(rows.liq_hit_above, 0)} ↓ ${percent(rows.liq_hit_below, 0)}`]);
    words.push([`sigma ${duration((map.state.horizon * map.state.interval) / 1000)}`, percent(rows.sigma, 2)]);
  }
  $("readout").replaceChildren(
    ...words.map(([name, text]) => {
      const part = document.createElement("span");
      const label = document.createElement("b");
      label.textContent = name ? `${name} ` : "";
      part.append(label, text);
      return part;
    }),
  );
  cursor.at = at;
}

function showLegend(view) {
  const [least, most] = view.limits;
  const { width, height } = $("scale");
  const context = $("scale").getContext("2d");
  const image = context.createImageData(width, height);
  new Uint32Array(image.data.buffer).forEach((_, i, pixels) => {
    pixels[i] = view.scale[Math.round(255 * ((i % width) / width) ** view.contrast)];
  });
  context.putImageData(image, 0, 0);
  const edge = view.tiles.at(-1)?.edge;
  $("least").textContent = `${amount(least)} ${view.unit}`;
  $("most").textContent = `${amount(most)}+ ${view.unit}`;
  $("row").textContent = edge ? `per ${percent(edge[1] / edge[0] - 1, 2)} of price; less is hidden; ${view.span} candle${view.span > 1 ? "s" : ""} a column` : "";
}
