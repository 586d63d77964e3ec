// Trains any small network and writes down what happens. engine.py and start.py do the same, line by line, and say why.

import { describe, entropyAndMajority, say } from "./sentence.js";

const CLASSES = 10, FOR_A_KERNEL = 2 ** 17, FOR_DROPOUT = 2 ** 21, TOLERANCE = 1e-3, DRAWN = 10;
const round = Math.fround;

export function read({ images, labels }) {
  const x = Float64Array.from(images.join(""), (letter) => parseInt(letter, 17) / 16);
  return { x, y: Uint8Array.from(labels), pixels: images[0].length };
}

/** Train as `setting` says; after every few steps yield the run so far. */
export function* train(setting, shared, { x, y, pixels }, atOnce = 10) {
  const sizes = [pixels, ...Array(setting.layers).fill(setting.units), CLASSES];
  const net = weights(sizes), gradient = weights(sizes), rows = y.length;
  const head = setting.head_initializer === "same" ? setting.kernel_initializer : setting.head_initializer;
  net.kernels.forEach((kernel, place) => {
    const name = place < setting.layers ? setting.kernel_initializer : head;
    const values = drawn(name, place, sizes[place], sizes[place + 1]);
    values.forEach((value, i) => (kernel[i] = round(setting.scale * value)));
  });
  const update = rule(shared.optimizers[setting.optimizer], net.all, gradient.all);
  const run = Object.assign(emptyRun(setting, sizes), { entropy: entropyAndMajority(y)[0] });
  run.groups = [net.groups()];
  for (let step = 0; step <= setting.steps; step++) {
    const factors = setting.dropout ? (place) => dropped(setting, rows, step, place) : null;
    let pass = forward(x, net, rows, setting.activation, factors);
    const [loss, delta] = crossEntropy(pass.logits, y);
    const deltas = backward(pass, delta, net, gradient, rows);
    run.loss[step] = loss;
    gradient.all.forEach((part, place) => (run.gradients[place * (setting.steps + 1) + step] = rootMeanSquare(part)));
    net.kernels.forEach((_, place) => {
      if (run.gradients[2 * place * (setting.steps + 1) + step] !== 0) return;
      run.entered[place] ||= pass.values[place].some((value) => value !== 0);
      run.returned[place] ||= deltas[place].some((value) => value !== 0);
    });
    const look = run.moments.indexOf(step);
    if (look >= 0) {
      if (factors) pass = forward(x, net, rows, setting.activation, null);
      run.accuracy[look] = accuracy(pass.logits, y);
      lookAt(net, run, look);
    }
    run.done = step + 1;
    if (step === setting.steps) break;
    if (run.done % atOnce === 0) yield run;
    update();
  }
  run.groups.push(net.groups());
  [run.verdict, run.sentence] = say(run, y, shared.sentences);
  return run;
}

function emptyRun(setting, sizes) {
  const { steps, layers } = setting;
  const few = [...Array(Math.min(steps, 9) + 1).keys()], parts = [...Array(17).keys()];
  const moments = new Set([...few, ...parts.map((part) => Math.floor(steps * part / 16))]);
  const names = [...Array.from({ length: layers }, (_, k) => `hidden_${k + 1}`), "head"];
  const empty = (count) => new Float64Array(count).fill(NaN);
  const stored = sizes.map((size, k) => (k ? Math.min(size, DRAWN) : size));
  return {
    setting, title: describe(setting), names, moments: [...moments].sort((a, b) => a - b), done: 0,
    loss: empty(steps + 1), gradients: empty(2 * names.length * (steps + 1)), accuracy: empty(moments.size),
    spread: empty(layers * moments.size), width: empty(layers * moments.size),
    kernels: names.map((_, k) => new Float32Array(moments.size * stored[k] * stored[k + 1])),
    zero: [], entered: names.map(() => false), returned: names.map(() => false),
  };
}

function lookAt(net, run, look) {
  net.kernels.forEach((kernel, k) => {
    const size = net.sizes[k + 1], columns = Math.min(size, DRAWN);
    const rows = k ? Math.min(net.sizes[k], DRAWN) : net.sizes[k];
    if (look === 0) run.zero[k] = kernel.every((value) => value === 0);
    for (let row = 0; row < rows; row++) {
      run.kernels[k].set(kernel.subarray(row * size, row * size + columns), (look * rows + row) * columns);
    }
    if (k === run.setting.layers) return;
    const at = look * run.setting.layers + k;
    run.spread[at] = kernel.every(Number.isFinite) ? unitSpread(kernel, size) : NaN;
    run.width[at] = new Set(net.groups(false)[k]).size || NaN;
  });
}

// --- The network

function weights(sizes) {
  const kernels = [], biases = [], all = [];
  for (let place = 1; place < sizes.length; place++) {
    all.push(new Float64Array(sizes[place - 1] * sizes[place]), new Float64Array(sizes[place]));
    kernels.push(all.at(-2));
    biases.push(all.at(-1));
  }
  /** For each hidden layer the group of each unit, by the weights that enter and those that leave it. */
  function groups(leaving = true) {
    const finite = all.every((part) => part.every(Number.isFinite));
    return sizes.slice(1, -1).map((size, k) => {
      const before = sizes[k], after = leaving ? sizes[k + 2] : 0;
      const entry = (unit, i) => (i < before ? kernels[k][i * size + unit] : i === before ? biases[k][unit]
        : kernels[k + 1][unit * after + i - before - 1]);
      const units = Array.from({ length: size }, (_, unit) =>
        new Float64Array(before + 1 + after).map((_, i) => entry(unit, i)));
      return finite ? unitGroups(units) : []; // after an overflow there are none
    });
  }
  return { sizes, kernels, biases, all, groups };
}

const sigmoid = (z) => round(1 / (1 + Math.exp(-z)));
const VALUE_AND_SLOPE = {
  tanh: [(z) => round(Math.tanh(z)), (z, h) => 1 - h * h],
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  silu: [(z) => round(z * sigmoid(z)), (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z)))],
  sigmoid: [sigmoid, (z, h) => h * (1 - h)],
  softplus: [(z) => round(Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))), sigmoid],
  linear: [(z) => z, () => 1],
};

function forward(x, net, rows, activation, factors) {
  const values = [x], slopes = [], [value, slope] = VALUE_AND_SLOPE[activation];
  for (let place = 0; place < net.kernels.length; place++) {
    const z = product(values[place], net.kernels[place], net.biases[place], rows);
    if (place === net.kernels.length - 1) return { values, slopes, logits: z };
    const h = z.map(value), s = z.map((entry, i) => slope(entry, h[i])), factor = factors?.(place);
    factor?.forEach((by, i) => { h[i] = round(h[i] * by); s[i] *= by; });
    values.push(h);
    slopes.push(s);
  }
}

/** values @ kernel + bias, rounded. */
function product(values, kernel, bias, rows) {
  const size = bias.length, inputs = values.length / rows, out = new Float64Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    for (let k = 0; k < inputs; k++) {
      const a = values[row * inputs + k], from = k * size;
      for (let j = 0; j < size; j++) out[start + j] += a * kernel[from + j];
    }
    for (let j = 0; j < size; j++) out[start + j] = round(out[start + j] + bias[j]);
  }
  return out;
}

function backward({ values, slopes }, delta, net, gradient, rows) {
  const deltas = [delta];
  for (let place = net.kernels.length - 1; place >= 0; place--) {
    const kernel = net.kernels[place], dKernel = gradient.kernels[place].fill(0);
    const dBias = gradient.biases[place].fill(0), size = dBias.length, inputs = values[place].length / rows;
    const [d] = deltas, back = new Float64Array(rows * inputs);
    for (let row = 0; row < rows; row++) {
      const start = row * size;
      for (let j = 0; j < size; j++) dBias[j] += d[start + j];
      for (let k = 0; k < inputs; k++) {
        const a = values[place][row * inputs + k], from = k * size;
        for (let j = 0; j < size; j++) dKernel[from + j] += a * d[start + j];
      }
      if (!place) continue;
      for (let k = 0; k < inputs; k++) {
        const from = k * size, at = row * inputs + k;
        let sum = 0;
        for (let j = 0; j < size; j++) sum += d[start + j] * kernel[from + j];
        back[at] = round(sum * slopes[place - 1][at]);
      }
    }
    for (const part of [dKernel, dBias]) part.forEach((value, i) => (part[i] = round(value)));
    if (place) deltas.unshift(back);
  }
  return deltas;
}

function crossEntropy(logits, y) {
  const delta = new Float64Array(logits.length);
  let loss = 0;
  y.forEach((label, row) => {
    const z = logits.subarray(row * CLASSES, (row + 1) * CLASSES), top = Math.max(...z);
    const shares = z.map((value) => Math.exp(value - top)), total = shares.reduce((sum, share) => sum + share);
    let others = 0;
    shares.forEach((share, j) => {
      if (j !== label) others += delta[row * CLASSES + j] = round(share / total);
    });
    delta[row * CLASSES + label] = -others;
    loss += Math.log(total) - (z[label] - top);
  });
  return [loss / y.length, delta.map((value) => value / y.length)];
}

function accuracy(logits, y) {
  const best = (row) => row.reduce((top, value, j) => (value > row[top] ? j : top), 0);
  const named = Array.from(y, (_, row) => best(logits.subarray(row * CLASSES, (row + 1) * CLASSES)));
  return named.filter((digit, row) => digit === y[row]).length / y.length;
}

const rootMeanSquare = (part) => Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);

/** The one formula for all optimizers; see engine.py. Returns the function that does one update. */
function rule({ rate, a, b, c, d, inside, outside, corrects }, parts, gradients) {
  const averages = parts.map((part) => [new Float64Array(part.length), new Float64Array(part.length)]);
  let t = 0;
  return () => {
    t += 1;
    const by = rate * (corrects ? Math.sqrt(1 - c ** t) / (1 - a ** t) : 1);
    parts.forEach((p, place) => {
      const [m, v] = averages[place], g = gradients[place];
      for (let i = 0; i < p.length; i++) {
        m[i] = round(a * m[i] + b * g[i]);
        v[i] = round(c * v[i] + d * g[i] * g[i]);
        p[i] = round(p[i] - by * m[i] / (Math.sqrt(v[i] + inside) + outside));
      }
    });
  };
}

// --- Random numbers

/** Number `k` of mulberry32 (T. Ettinger, public domain), from 0 to 1. */
function uniform(k) {
  let t = Math.imul(k + 1, 0x6d2b79f5);
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const normal = (k) => Math.sqrt(-2 * Math.log(1 - uniform(k))) * Math.cos(2 * Math.PI * uniform(k + 1));

function drawn(name, place, rows, columns) {
  const first = place * FOR_A_KERNEL, count = rows * columns;
  const fill = (make) => Float64Array.from({ length: count }, (_, i) => make(i));
  switch (name) {
    case "zeros": return fill(() => 0);
    case "ones": return fill(() => 1);
    case "glorot_uniform": return fill((i) => Math.sqrt(6 / (rows + columns)) * (2 * uniform(first + i) - 1));
    case "random_normal": return fill((i) => 0.05 * normal(first + 2 * i));
    case "he_normal": {
      let k = first - 2, z;
      return fill(() => {
        do z = normal(k += 2); while (Math.abs(z) > 2);
        return Math.sqrt(2 / rows) / 0.87962566103423978 * z;
      });
    }
    case "orthogonal": return orthogonal(fill((i) => normal(first + 2 * i)), rows, columns);
  }
}

/** Gram and Schmidt, twice: the Q of QR, with the signs that make the diagonal of R positive. */
function orthogonal(values, rows, columns) {
  const long = Math.max(rows, columns), short = Math.min(rows, columns);
  const vectors = Array.from({ length: short }, (_, j) => values.filter((_, i) => i % short === j));
  const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  vectors.forEach((vector, j) => {
    for (const before of [...vectors.slice(0, j), ...vectors.slice(0, j)]) {
      const share = dot(before, vector);
      before.forEach((value, i) => (vector[i] -= share * value));
    }
    const length = Math.sqrt(dot(vector, vector));
    vector.forEach((value, i) => (vector[i] = value / length));
  });
  return values.map((_, i) => {
    const row = Math.floor(i / columns), column = i % columns;
    return rows >= columns ? vectors[column][row] : vectors[row][column];
  });
}

function dropped({ dropout, layers, units }, rows, step, place) {
  const count = rows * units, first = FOR_DROPOUT + (step * layers + place) * count;
  return Float64Array.from({ length: count }, (_, i) => (uniform(first + i) >= dropout ? 1 / (1 - dropout) : 0));
}

// --- How different units are: zerostart/symmetry.py

function unitSpread(kernel, size) {
  let most = 0;
  for (let start = 0; start < kernel.length; start += size) {
    const row = kernel.subarray(start, start + size);
    most = Math.max(most, Math.max(...row) - Math.min(...row));
  }
  return most;
}

function unitGroups(units) {
  const apart = (u, v) => {
    let sum = 0;
    for (let i = 0; i < u.length; i++) sum += (u[i] - v[i]) ** 2;
    return Math.sqrt(sum);
  };
  const nothing = units[0].map(() => 0), allowed = TOLERANCE * Math.max(...units.map((unit) => apart(unit, nothing)));
  const groups = Array(units.length).fill(-1);
  let found = 0;
  units.forEach((unit, i) => {
    if (groups[i] >= 0) return;
    for (let j = i; j < units.length; j++) if (groups[j] < 0 && apart(unit, units[j]) <= allowed) groups[j] = found;
    found += 1;
  });
  return groups;
}
