// Tiles of the map: fetched, unpacked, and put side by side as one run of columns.

export class Tile {
  constructor(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    Object.assign(this, JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))));
    let at = 4 + length;
    this.width = this.date.length;
    this.height = this.edge.length - 1;
    this.sides = this.cells.map((n) => {
      const notional = new Float32Array(buffer, at, n);
      const age = new Float32Array(buffer, at + 4 * n, n);
      const at2 = new Uint16Array(buffer, at + 8 * n, 2 * n);
      at += 12 * n;
      return { notional, age, spot: at2, begin: beginnings(at2, n, this.width) };
    });
    this.bitmaps = new Map();
  }

  // What a cell holds of one side: notional and age, or null.
  cell(side, column, row) {
    const { notional, age, spot, begin } = this.sides[side];
    for (let i = begin[column]; i < begin[column + 1]; i++) {
      if (spot[2 * i + 1] === row) return { notional: notional[i], age: age[i] };
    }
    return null;
  }

  // Both sides, or one, as one table: column by column within each row.
  table(shown) {
    const table = new Float32Array(this.width * this.height);
    this.sides.forEach(({ notional, spot }, side) => {
      if (shown !== "both" && shown !== ["long", "short"][side]) return;
      for (let i = 0; i < notional.length; i++) table[spot[2 * i + 1] * this.width + spot[2 * i]] += notional[i];
    });
    return table;
  }
}

function beginnings(spot, n, width) {
  const begin = new Uint32Array(width + 1);
  for (let i = 0; i < n; i++) begin[spot[2 * i] + 1]++;
  for (let i = 0; i < width; i++) begin[i + 1] += begin[i];
  return begin;
}

export function rowOf(edge, price) {
  if (!(price >= edge[0] && price < edge[edge.length - 1])) return -1;
  let low = 0;
  let high = edge.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edge[middle] <= price) low = middle;
    else high = middle;
  }
  return low;
}

export async function ask(path, query = {}) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error ?? `the server answered ${answer.status}`);
}

// Tiles of one pair, level and class of leverage.
export class Layer {
  constructor(pair, level, leverage) {
    Object.assign(this, { pair, level, leverage, tiles: new Map(), pending: new Map() });
  }

  // Fetch a tile, or fetch it anew; whoever asks meanwhile shares the request.
  load(number, { anew = false } = {}) {
    if (this.tiles.has(number) && !anew) return Promise.resolve(this.tiles.get(number));
    if (!this.pending.has(number)) {
      const query = { pair: this.pair, level: this.level, number, leverage: this.leverage };
      const tile = ask("api/tile", query)
        .then((answer) => answer.arrayBuffer())
        .then((buffer) => {
          this.tiles.set(number, new Tile(buffer));
          return this.tiles.get(number);
        })
        .finally(() => this.pending.delete(number));
      this.pending.set(number, tile);
    }
    return this.pending.get(number);
  }

  // The unbroken run of tiles that ends with the newest one, oldest first.
  run() {
    const numbers = [...this.tiles.keys()].sort((a, b) => b - a);
    const run = [];
    for (const number of numbers) {
      if (run.length && run[0].number !== number + 1) break;
      run.unshift(this.tiles.get(number));
    }
    return run;
  }
}
