// The server's scale of colours as pixels.

export function pixels(scale) {
  return Uint32Array.from(scale, (colour) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}
