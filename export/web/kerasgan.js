// What the pages share: numbers that depend on a seed only, words drawn by them, and images on a canvas.

// Uniform numbers in (0, 1]: mulberry32.
export function uniformNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 1) / 4294967297;
  };
}

// Standard normal numbers: Box-Muller.
function normalNumbers(seed) {
  const uniform = uniformNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

// Numbers of a distribution, as the report beside a .tflite file names it.
export function drawnNumbers(seed, distribution) {
  if (distribution === "normal") return normalNumbers(seed);
  const uniform = uniformNumbers(seed);
  return distribution === "uniform" ? () => 2 * uniform() - 1 : uniform;
}

// Returns the place among logits whose stretch of (0, 1] holds a uniform number: stretches are as long as places are
// likely. Only the topK likeliest count.
export function choose(logits, uniform, temperature = 1, topK = Infinity) {
  const least = topK < logits.length ? logits.toSorted((a, b) => b - a)[topK - 1] : -Infinity;
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const weights = Array.from(logits, (logit) => (logit < least ? 0 : Math.exp((logit - largest) / temperature)));
  let rest = uniform * weights.reduce((a, b) => a + b);
  let last = 0;
  for (let place = 0; place < weights.length; place++) {
    if (weights[place] === 0) continue;
    last = place;  // Where rounding leaves none, the last one that can be drawn.
    rest -= weights[place];
    if (rest <= 0) break;
  }
  return last;
}

// Puts an image, floats in [-1, 1] of one or three channels, on a canvas at (x, y).
export function paint(context, image, [height, width, channels], x = 0, y = 0) {
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      // Stored clamped and rounded. A grey image has one channel for all three.
      pixels.data[4 * i + c] = (image[i * channels + (channels === 3 ? c : 0)] + 1) * 127.5;
    }
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, x, y);
}
