// The trades of the bot as a table that sorts by any column.

import { moment, percent, price } from "./words.js";

const COLUMNS = [
  ["trade", (t) => t.trade_id, (t) => `${t.trade_id}${t.close_timestamp ? "" : " open"}`],
  ["pair", (t) => t.pair],
  ["side", (t) => (t.is_short ? "short" : "long")],
  ["entered", (t) => t.open_timestamp, (t) => moment(t.open_timestamp)],
  ["entry", (t) => t.open_rate, (t) => price(t.open_rate)],
  ["stop", (t) => t.stop_loss_abs, (t) => price(t.stop_loss_abs)],
  ["target", (t) => t.plan?.first_target ?? null, (t) => price(t.plan?.first_target ?? null)],
  ["left", (t) => t.close_timestamp, (t) => (t.close_timestamp ? moment(t.close_timestamp) : "–")],
  ["profit", (t) => t.profit_ratio, (t) => percent(t.profit_ratio, 2, true)],
  ["tag", (t) => t.enter_tag ?? ""],
  ["reason", (t) => t.exit_reason ?? ""],
];

export class Table {
  constructor(element, onPick) {
    Object.assign(this, { element, onPick, by: 3, down: true, trades: [] });
    const row = element.tHead.insertRow();
    COLUMNS.forEach(([name], i) => {
      const cell = document.createElement("th");
      cell.textContent = name;
      cell.onclick = () => {
        this.down = this.by === i ? !this.down : true;
        this.by = i;
        this.show(this.trades);
      };
      row.append(cell);
    });
  }

  show(trades) {
    this.trades = trades;
    const [, value] = COLUMNS[this.by];
    const order = (a, b) => (value(a) ?? -Infinity) < (value(b) ?? -Infinity) ? -1 : 1;
    const sorted = [...trades].sort((a, b) => (this.down ? -order(a, b) : order(a, b)));
    this.element.tBodies[0].replaceChildren(
      ...sorted.map((trade) => {
        const row = document.createElement("tr");
        for (const [, plain, text] of COLUMNS) row.insertCell().textContent = (text ?? plain)(trade);
        row.onclick = () => this.onPick(trade);
        return row;
      }),
    );
  }
}
