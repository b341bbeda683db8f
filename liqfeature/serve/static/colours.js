// One scale for amounts, whose lightness grows evenly (OKLCH, Björn Ottosson 2020), and the colours of two themes.

export const THEMES = {
  dark: {
    paper: "#0d1117", plot: "#0b0f15", text: "#e6edf3", faint: "#9aa7b4", line: "#1c242e", rise: "#19d3a2", fall: "#ff7a4d",
    outline: "#05070a", forming: "#c9d1d9", long: "#6db8f2", short: "#f2b25c", frame: "#ffffff", label: "rgba(5,7,10,0.82)",
    fan: "#8fb4ff", lightness: [0.24, 0.93], hues: [305, 95],
  },
  light: {
    paper: "#ffffff", plot: "#fdfdfe", text: "#1b2430", faint: "#56616e", line: "#e7ebef", rise: "#00966c", fall: "#d2520a",
    outline: "#ffffff", forming: "#3c4652", long: "#0a5fa0", short: "#9a4a00", frame: "#20262e", label: "rgba(255,255,255,0.88)",
    fan: "#2c5fc4", lightness: [0.93, 0.30], hues: [95, 305],
  },
};

const STEPS = 256;

export function scaleOf(theme) {
  const table = new Uint32Array(STEPS);
  const [first, last] = theme.lightness;
  const [from, to] = theme.hues;
  for (let i = 0; i < STEPS; i++) {
    const share = i / (STEPS - 1);
    const chroma = 0.16 * Math.sin(Math.PI * (0.25 + 0.6 * share));
    const [r, g, b] = colour(first + (last - first) * share, chroma, from + (to - from) * share);
    table[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}

function colour(lightness, chroma, hue) {
  let channels = linear(lightness, chroma, hue);
  while (chroma > 0 && !channels.every((c) => c >= -1e-6 && c <= 1 + 1e-6)) {
    chroma = Math.max(chroma - 0.004, 0);
    channels = linear(lightness, chroma, hue);
  }
  return channels.map((c) => {
    const light = Math.min(Math.max(c, 0), 1);
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  });
}

function linear(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}
