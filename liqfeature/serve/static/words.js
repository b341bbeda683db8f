// Numbers and moments as people write them.

export function amount(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  for (const [size, letter] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= size) return `${(value / size).toPrecision(3)}${letter}`;
  }
  return value.toPrecision(3);
}

export function price(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  const digits = Math.max(0, 5 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-12))));
  return value.toLocaleString("en", { minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: Math.min(digits, 12) });
}

export function percent(value, digits = 1, sign = false) {
  if (value === null || !Number.isFinite(value)) return "–";
  return `${sign && value > 0 ? "+" : ""}${(100 * value).toFixed(digits)} %`;
}

export function moment(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.round(whole / 60)} min`;
  return whole < 172800 ? `${Math.round(whole / 3600)} h` : `${Math.round(whole / 86400)} d`;
}
