// Draws a run of the explorer. In Jupyter this file is the whole front end: an anywidget. On a web page explorer.js
// brings a `model` of the same kind.

const UNITS = 6, STORED = 10, PIXELS = 64; // hidden units that are drawn in a column, and of how many there are weights
const SHADES = 8; // of a weight
const BINS = 24, LOWEST = -8; // shades of a gradient, from 1e-8 to 1
const RAMP = [0x440154, 0x414487, 0x2a788e, 0x22a884, 0x7ad151, 0xfde725]; // viridis
const LAYERS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a", "#b09000"];
let made = 0;

export default { render };

function render({ model, el }) {
  const root = document.createElement("div"), id = `zerostart${(made += 1)}-`;
  root.className = "zerostart";
  root.innerHTML = page(model.get("offered"));
  const controls = [...root.querySelectorAll("input, select, button")];
  for (const control of controls) control.dataset.lmSuppressShortcuts = ""; // or JupyterLab takes their keys
  el.append(root);
  const [form, verdict, grey, slider, output, play] =
    ["form", ".verdict", ".grey", ".moment input", ".moment output", "button"].map((name) => root.querySelector(name));
  const inputs = controls.filter(({ name }) => name), figures = [...root.querySelectorAll("figure")];
  let shown = null, before = null, kept = null, wish = Infinity, timer = null, waiting = false;

  function take() {
    const picture = unpacked(model.get("picture"));
    if (shown && shown.title !== picture.title) before = shown;
    shown = picture;
    later();
  }

  function later() {
    waiting ||= Boolean(requestAnimationFrame(draw));
  }

  function draw() {
    waiting = false;
    root.classList.toggle("large", model.get("large_type"));
    const { steps } = shown.setting, seen = shown.moments.filter((step) => step < shown.done), ghost = compared();
    const look = seen.findLastIndex((step) => step <= wish), step = seen[look];
    tell(shown.done > steps ? shown.problem || shown.sentence : `Training: step ${shown.done - 1} of ${steps}.`);
    grey.textContent = ghost ? `Grey: ${ghost.title}.` : "";
    Object.assign(slider, { max: seen.length - 1, value: look });
    output.textContent = `step ${step} of ${steps}`;
    slider.setAttribute("aria-valuetext", output.textContent);
    const em = parseFloat(getComputedStyle(root).fontSize), widths = figures.map((figure) => figure.clientWidth);
    figures.forEach((figure, place) => {
      const width = widths[place], hatch = id + place, [caption, svg, note] = figure.children;
      const panel = PANELS[figure.className]({ run: shown, ghost, look, step, width, em, hatch });
      caption.textContent = panel.title;
      svg.setAttribute("viewBox", `0 0 ${width} ${panel.height}`);
      svg.setAttribute("height", panel.height);
      svg.setAttribute("aria-label", panel.title);
      svg.setAttribute("aria-describedby", `${hatch}d`);
      svg.innerHTML = tag("desc", { id: `${hatch}d` }, panel.says) + hatching(hatch) + panel.body;
      note.innerHTML = panel.note;
    });
  }

  function tell(words) {
    if (verdict.dataset.told !== words) {
      const bold = escaped(words).replace(/^[\w ]+:/, "<strong>$&</strong>");
      verdict.innerHTML = bold.replace(" The loss goes", "<br>The loss goes");
      verdict.classList.toggle("problem", words === shown.problem);
    }
    verdict.dataset.told = words;
  }

  /** The run that is drawn in grey, or null. */
  function compared() {
    const choice = model.get("compare_with");
    if (choice !== "the setting shown now") kept = null;
    else kept ??= shown;
    const ghost = choice === "the last setting" ? before : kept;
    return ghost?.title === shown.title ? null : ghost;
  }

  function write(input) {
    const value = model.get(input.name), number = input.parentElement.querySelector("output");
    if (input.type === "checkbox") input.checked = value;
    else if (input.value !== String(value)) input.value = value;
    if (number) number.textContent = value;
  }

  function changed({ target, type }) {
    if ((target.type === "text") !== (type === "change")) return; // a text counts when it is complete
    const number = target.value.trim() === "" ? NaN : Number(target.value);
    const value = target.type === "select-one" || Number.isNaN(number) ? target.value : number;
    model.set(target.name, target.type === "checkbox" ? target.checked : value);
    model.save_changes();
    write(target);
  }

  function stop() {
    clearInterval(timer);
    [timer, play.textContent] = [null, "Play"];
  }

  function go() {
    if (wish === Infinity) wish = 0;
    play.textContent = "Stop";
    timer = setInterval(() => {
      wish = shown.moments.find((step) => step > wish) ?? Infinity;
      if (wish >= shown.setting.steps) [wish] = [Infinity, stop()];
      later();
    }, 150);
    later();
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("keydown", ({ key, target }) => { // JupyterLab lets no change come of it
    if (key === "Enter" && target.type === "text") changed({ target, type: "change" });
  });
  slider.addEventListener("input", () => {
    wish = Number(slider.value) === Number(slider.max) ? Infinity : shown.moments[slider.value];
    later();
  });
  play.addEventListener("click", () => (timer ? stop() : go()));
  const forget = () => later(kept = null);
  const handlers = [["picture", take], ["large_type", later], ["compare_with", forget]];
  handlers.push(...inputs.map((input) => [input.name, () => write(input)]));
  handlers.forEach(([name, handler]) => model.on(`change:${name}`, handler));
  const observer = new ResizeObserver(later);
  inputs.forEach(write);
  take();
  observer.observe(root);
  return () => {
    stop();
    observer.disconnect();
    handlers.forEach(([name, handler]) => model.off(`change:${name}`, handler));
  };
}

function page(offered) {
  const field = ([name, { label, choices, start, step, least, most }]) => {
    const options = choices?.map((choice) => tag("option", {}, choice)).join("");
    if (choices) return tag("label", {}, label + tag("select", { name }, options));
    const box = tag("input", { type: "checkbox", name });
    if (typeof start === "boolean") return tag("label", { class: "check" }, box + label);
    if (!step) return tag("label", {}, label + tag("input", { type: "text", inputmode: "decimal", name }));
    const range = tag("input", { type: "range", name, min: least, max: most, step });
    return tag("label", {}, `<span>${label} <output></output></span>${range}`);
  };
  const figure = (name) => `<figure class="${name}">
    <figcaption></figcaption><svg role="img"></svg><p class="note"></p></figure>`;
  return `<form aria-label="The network">${Object.entries(offered).map(field).join("")}</form>
    <p class="verdict" role="status"></p>
    <div class="moment"><button type="button">Play</button>
      <label>moment of the training <output></output><input type="range" min="0"></label></div>
    <p class="grey"></p>
    <div class="panels">${Object.keys(PANELS).map(figure).join("")}</div>`;
}

/** Jupyter sends arrays as bytes. */
function unpacked(picture) {
  const numbers = (bytes, Kind) =>
    bytes instanceof Kind ? bytes : new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const found = { ...picture, kernels: picture.kernels.map((kernel) => numbers(kernel, Float32Array)) };
  for (const name of ["loss", "gradients", "accuracy", "spread", "width"]) {
    found[name] = numbers(found[name], Float64Array);
  }
  return found;
}

// --- The panels. Each returns its title, the SVG, its height, what a screen reader says, and a note in HTML.

const PANELS = { net, gradients, spread, width, loss };

function net({ run, look, step, width, em, hatch }) {
  const { setting: { layers, units }, names, kernels } = run, top = 3.6 * em, height = top + 20 * em;
  const counts = names.map((_, k) => (k < layers ? units : 10));
  const stored = counts.map((count) => Math.min(count, STORED));
  const drawn = counts.map((count, k) => (k < layers ? Math.min(count, UNITS) : count));
  const first = Math.min(1.8 * em, width / (layers + 1) / 2), gap = (width - first - 2.4 * em) / layers;
  const tile = Math.min(2.6 * em, gap * 0.7), cell = tile / 8, radius = 0.35 * em;
  const x = (k) => first + gap * k, y = (k, unit) => top + (20 * em * (unit + 0.5)) / drawn[k];
  const size = (value) => (Number.isFinite(value) ? Math.abs(value) : 0);
  run.largest ??= kernels.map((values) => values.reduce((most, value) => Math.max(most, size(value)), 0));
  const rows = (k) => (k ? stored[k - 1] : PIXELS), weight = (k, row, unit) => {
    const value = kernels[k][(look * rows(k) + row) * stored[k] + unit];
    return Number.isFinite(value) ? value && value / run.largest[k] : NaN;
  };
  const edges = new Bundle(), pixels = new Bundle(), parts = [];
  for (let unit = 0; unit < drawn[0]; unit++) {
    const left = x(0) - tile / 2, up = y(0, unit) - tile / 2, side = round(cell);
    const weights = Array.from({ length: PIXELS }, (_, row) => weight(0, row, unit));
    weights.forEach((value, pixel) => {
      const corner = `M${round(left + (pixel % 8) * cell)} ${round(up + Math.floor(pixel / 8) * cell)}`;
      if (value) pixels.add(value, `${corner}h${side}v${side}h${-side}z`);
    });
    const fill = weights.every((value) => value === 0) ? `url(#${hatch})` : "none";
    parts.push(tag("rect", { ...box(left, up, tile, tile), fill, class: "frame" }));
  }
  for (let k = 1; k <= layers; k++) {
    for (let unit = 0; unit < drawn[k]; unit++) {
      for (let row = 0; row < drawn[k - 1]; row++) {
        const from = `M${round(x(k - 1) + (k === 1 ? tile / 2 : radius))} ${round(y(k - 1, row))}`;
        edges.add(weight(k, row, unit), `${from}L${round(x(k) - radius)} ${round(y(k, unit))}`);
      }
      parts.push(tag("circle", { cx: round(x(k)), cy: round(y(k, unit)), r: radius, class: "unit" }));
      if (k === layers) parts.push(text(x(k) + 0.7 * em, y(k, unit) + 0.28 * em, unit));
    }
  }
  const narrow = gap < 5.2 * em, type = round(Math.min(0.8 * em, 0.3 * gap));
  names.forEach((name, k) => {
    const count = counts[k], all = narrow ? count : `${count} unit${count > 1 ? "s" : ""}`, largest = run.largest[k];
    const lines = [narrow && k < layers ? k + 1 : name, all, Number(largest.toPrecision(2))];
    if (drawn[k] < count) lines[1] = `${drawn[k]}${narrow ? "/" : " of "}${count}`;
    if (!narrow) lines[2] = largest ? `max ${short(largest)}` : "all 0";
    lines.forEach((line, row) => {
      const look = { "text-anchor": k ? "middle" : "start", "font-size": type, class: row ? "soft" : "" };
      parts.push(text(k ? x(k) : x(0) - tile / 2, (1 + 1.05 * row) * em, line, look));
    });
  });
  const said = names.map((name, k) => {
    const now = kernels[k].subarray(look * rows(k) * stored[k], (look + 1) * rows(k) * stored[k]).map(Math.abs);
    return `${name} has ${counts[k]} units; its largest weight here is ${short(Math.max(...now))}.`;
  });
  return {
    title: `The net at step ${step}`, height, says: said.join(" "),
    body: pixels.paths("fill") + edges.paths("stroke") + parts.join(""),
    note: `Squares: the units of hidden_1, each with its weights from the 8x8 pixels. <i class="positive"></i> positive,
      <i class="negative"></i> negative; the stronger, the larger. The largest weight of each kernel in this run stands
      below its name. <i class="hatched"></i> hatched or dotted: exactly 0.`,
  };
}

function gradients({ run, step, width, em, hatch }) {
  const count = run.loss.length, rows = 2 * run.names.length, left = 7 * em, right = width - 4.2 * em;
  const column = (right - left) / count, row = Math.min(2.4 * em, Math.max(1.05 * em, (18 * em) / rows));
  const y = (variable) => 0.3 * em + variable * row + Math.floor(variable / 2) * 0.25 * em, bottom = y(rows - 1) + row;
  const kind = (size) => (size === 0 ? "zero" : Number.isFinite(size) ? bin(size) : "bad"), parts = [], said = [];
  const fill = (kind) => ({ zero: `url(#${hatch})`, bad: "var(--ink)" })[kind] ?? colour(kind);
  for (let variable = 0; variable < rows; variable++) {
    const sizes = run.gradients.subarray(variable * count, (variable + 1) * count);
    const middle = y(variable) + row / 2 + 0.28 * em;
    const name = `${run.names[variable >> 1]} ${variable % 2 ? "bias" : "kernel"}`;
    for (let from = 0, to; from < run.done; from = to) {
      for (to = from + 1; to < run.done && kind(sizes[to]) === kind(sizes[from]); to++);
      const place = box(left + from * column, y(variable), (to - from) * column + 0.3, row - 1);
      parts.push(tag("rect", { ...place, fill: fill(kind(sizes[from])) }));
    }
    parts.push(text(left - 0.5 * em, middle, name, { "text-anchor": "end" }));
    parts.push(text(right + 0.4 * em, middle, short(sizes[step]), { class: "soft" }));
    said.push(`${name} ${sizes[step] === 0 ? "exactly 0" : short(sizes[step])}`);
  }
  const now = box(left + step * column - 1, y(0) - 2, Math.max(column, 1) + 2, bottom - y(0) + 3);
  const soft = { class: "soft" };
  parts.push(tag("rect", { ...now, class: "now" }));
  for (const at of ticks(run.setting.steps, (right - left) / em / 4)) {
    parts.push(text(left + (at + 0.5) * column, bottom + 1.1 * em, at, { "text-anchor": "middle", ...soft }));
  }
  const bar = (right - left) / BINS, base = bottom + 2 * em;
  for (let shade = 0; shade < BINS; shade++) {
    parts.push(tag("rect", { ...box(left + shade * bar, base, bar + 0.5, 0.8 * em), fill: colour(shade) }));
  }
  ["1e-8", "1e-6", "1e-4", "0.01", "1"].forEach((label, place) => {
    const anchor = ["start", "middle", "middle", "middle", "end"][place];
    if (place % 2 && right - left < 14 * em) return;
    parts.push(text(left + place * 6 * bar, base + 1.8 * em, label, { "text-anchor": anchor, ...soft }));
  });
  const swatch = box(left - 5.6 * em, base, 1.6 * em, 0.8 * em);
  parts.push(tag("rect", { ...swatch, fill: `url(#${hatch})`, class: "frame" }));
  parts.push(text(left - 5.6 * em, base + 1.8 * em, "exactly 0", soft));
  const bad = run.gradients.subarray(0, count).some((size, at) => at < run.done && !Number.isFinite(size));
  return {
    title: "Gradients", height: base + 2.2 * em, says: `At step ${step}: ${said.join(", ")}.`, body: parts.join(""),
    note: `Colour: root mean square of the gradient of each variable, at each step. On the right: its value at step
      ${step}.${bad ? " Without a colour: NaN or infinity." : ""}`,
  };
}

function spread(scene) {
  const y = (value) => (value === 0 ? 0 : 0.08 + (0.92 * (Math.log10(value) + 8)) / 9);
  const levels = [[0, "0"], [1e-6, "1e-6"], [1e-4, "1e-4"], [0.01, "0.01"], [1, "1"]];
  const meaning = "Largest difference between two units of a layer in one incoming weight.";
  return byLayer(scene, { name: "spread", y, levels, say: short, title: "Spread between units", meaning });
}

function width(scene) {
  const { units } = scene.run.setting, most = Math.max(units, scene.ghost?.setting.units ?? 0);
  const levels = ticks(most, 4).filter(Number.isInteger).map((level) => [level, level]);
  const y = (value) => value / (1.05 * most), say = (value) => (value ? `${value} of ${units}` : "NaN");
  const title = "Effective width", meaning = "How many different units a layer has.";
  return byLayer(scene, { name: "width", y, levels, say, title, meaning });
}

/** A curve for each hidden layer. Deeper ones are thinner and lie above: equal curves do not hide each other. */
function byLayer({ run, ghost, look, step, ...scene }, { name, say, title, meaning, ...axis }) {
  const curves = ({ setting: { layers }, moments, done, [name]: values }) => Array.from({ length: layers }, (_, k) =>
    moments.filter((at) => at < done).map((at, place) => [at, values[place * layers + k]]));
  const lines = curves(run).map((points, k) =>
    ({ points, stroke: LAYERS[k], "stroke-width": 2 + 1.1 * (run.setting.layers - 1 - k) }));
  const said = lines.map(({ points }, k) => `${run.names[k]} ${say(points[look][1])}`);
  const legend = said.map((words, k) => `<span><i style="background:${LAYERS[k]}"></i> ${words}</span>`);
  const ghosts = ghost ? curves(ghost) : [], note = `${legend.join(" ")}<br>${meaning}`;
  const drawing = chart({ ...scene, ...axis, step, lines, ghosts, last: lastStep(run, ghost) });
  return { ...drawing, title, says: `At step ${step}: ${said.join(", ")}.`, note };
}

function loss({ run, ghost, look, step, ...scene }) {
  const curve = ({ loss }) => [...loss].map((value, at) => [at, value]), entropy = run.entropy.toFixed(3);
  const largest = Math.max(0, ...run.loss.filter(Number.isFinite)), top = Math.min(20, Math.max(2.7, 1.05 * largest));
  const landmarks = [[Math.log(10), "ln 10 = 2.303", -0.4], [run.entropy, `entropy ${entropy}`, 1.05]];
  const right = `, ${Math.round(128 * run.accuracy[look])} of 128 digits named right`;
  const now = `loss ${short(run.loss[step])}${Number.isFinite(run.loss[step]) ? right : ""}`;
  const lines = [{ points: curve(run), stroke: "var(--ink)", "stroke-width": 2.2 }];
  const ghosts = ghost ? [curve(ghost)] : [];
  const levels = ticks(top, 4).map((level) => [level, level]), y = (value) => value / top, last = lastStep(run, ghost);
  return {
    ...chart({ ...scene, y, levels, step, last, lines, ghosts, landmarks }),
    title: `Loss${largest > top ? `, cut off at ${top}` : ""}`,
    says: `At step ${step}: ${now}. ln 10 is 2.303, the entropy of the classes ${entropy}.`,
    note: `At step ${step}: ${now}. ln 10: every digit equally likely. Entropy of the classes: the lowest loss without
      looking at the image.`,
  };
}

const lastStep = (run, ghost) => Math.max(run.setting.steps, ghost?.setting.steps ?? 0);

function chart({ width, em, y, levels, lines, ghosts, step, last, landmarks = [] }) {
  const left = 3.2 * em, right = width - 0.8 * em, top = 0.7 * em, bottom = 13 * em, soft = { class: "soft" };
  const x = (at) => round(left + ((right - left) * at) / last);
  const height = (value) => round(bottom - (bottom - top) * Math.min(Math.max(y(value), 0), 1));
  const finite = (points) => points.filter(([, value]) => !Number.isNaN(value));
  const path = (points) => finite(points).map(([at, value]) => `${x(at)} ${height(value)}`).join("L").replace(/^(?=.)/, "M");
  const across = (value, name) => tag("path", { d: `M${left} ${height(value)}H${right}`, class: name });
  const beside = { "text-anchor": "end", ...soft };
  const parts = levels.map(([value, words]) =>
    across(value, "grid") + text(left - 0.5 * em, height(value) + 0.28 * em, words, beside));
  for (const at of ticks(last, (right - left) / em / 4)) {
    parts.push(text(x(at), bottom + 1.3 * em, at, { "text-anchor": "middle", ...soft }));
  }
  for (const points of ghosts) parts.push(tag("path", { d: path(points), class: "ghost" }));
  for (const [value] of landmarks) parts.push(across(value, "landmark"));
  parts.push(tag("path", { d: `M${x(step)} ${top}V${bottom}`, class: "now" }));
  for (const { points, ...look } of lines) parts.push(tag("path", { d: path(points), fill: "none", ...look }));
  for (const { points, stroke } of lines) {
    const here = finite(points).find(([at]) => at === step);
    if (here) parts.push(tag("circle", { cx: x(step), cy: height(here[1]), r: 4, fill: stroke }));
  }
  for (const [value, words, drop] of landmarks) {
    parts.push(text(right, height(value) + drop * em, words, { "text-anchor": "end", class: "halo" }));
  }
  return { body: parts.join(""), height: bottom + 1.8 * em };
}

// --- Small things

/** Collects lines or squares of the same sign and shade, so that the browser draws a few paths and not hundreds. */
class Bundle {
  parts = new Map();

  add(value, path) {
    if (Number.isNaN(value)) return;
    const shade = Math.sign(value) * Math.ceil(Math.abs(value) * SHADES) || 0;
    this.parts.set(shade, (this.parts.get(shade) ?? "") + path);
  }

  paths(how) {
    const byStrength = [...this.parts].sort(([a], [b]) => Math.abs(a) - Math.abs(b));
    return byStrength.map(([shade, d]) => {
      const share = Math.abs(shade) / SHADES, name = shade ? (shade > 0 ? "positive" : "negative") : "zero";
      const line = shade ? { "stroke-width": round(0.4 + 2.6 * share), "stroke-opacity": 0.35 + 0.65 * share } : {};
      return tag("path", { d, class: `${how} ${name}`, ...(how === "fill" ? { "fill-opacity": share } : line) });
    }).join("");
  }
}

const hatching = (id) => tag("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
  `<path d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5" class="hatch"></path>`);
const round = (number) => Math.round(10 * number) / 10;
const box = (x, y, width, height) => ({ x: round(x), y: round(y), width: round(width), height: round(height) });
const escaped = (words) => words.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const written = (attributes) => Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`).join("");
const tag = (name, attributes, content = "") => `<${name}${written(attributes)}>${content}</${name}>`;
const text = (x, y, words, more = {}) => tag("text", { x: round(x), y: round(y), ...more }, words);
const bin = (size) => Math.min(BINS - 1, Math.max(0, Math.floor((1 - Math.log10(size) / LOWEST) * BINS)));

function colour(shade) {
  const place = (shade / (BINS - 1)) * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2);
  const mixed = [16, 8, 0].map((shift) => {
    const [from, to] = [RAMP[low], RAMP[low + 1]].map((colour) => (colour >> shift) & 255);
    return Math.round(from + (to - from) * (place - low));
  });
  return `rgb(${mixed})`;
}

/** Round numbers from 0 to `last`, about as many as fit. */
function ticks(last, most) {
  const sizes = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter((size) => last <= 5 || size >= 1);
  const every = sizes.find((size) => last / size <= Math.max(most, 1)) ?? last;
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, place) => place * every);
}

function short(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size < 0.001 || size >= 1000 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
