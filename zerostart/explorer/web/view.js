// Draws a run of the explorer. In Jupyter this file is the whole front end: an anywidget. On a web page explorer.js
// brings a `model` of the same kind.

const UNITS = 6, LEVELS = 8; // hidden units drawn in a column; shades of a weight
const LAYERS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a", "#b09000"];
const RAMP = ["440154", "414487", "2a788e", "22a884", "7ad151", "fde725"].map((hex) => parseInt(hex, 16)); // viridis
const BINS = 24, LOWEST = -8; // shades of a gradient, from 1e-8 to 1

export default { render };

function render({ model, el }) {
  const root = Object.assign(document.createElement("div"), { className: "zerostart", innerHTML: page(model.get("offered")) });
  for (const control of root.querySelectorAll("input, select, button")) control.dataset.lmSuppressShortcuts = ""; // or JupyterLab takes the keys
  el.append(root);
  const [form, verdict, grey, moment, slider, output, play] = ["form", ".verdict", ".grey", ".moment", ".moment input", ".moment output", "button"]
    .map((name) => root.querySelector(name));
  const inputs = [...form.elements].filter(({ name }) => name);
  let shown = null, before = null, kept = null, wish = Infinity, timer = null, waiting = false;

  function draw() {
    waiting = false;
    if (!shown) return;
    const seen = shown.moments.filter((step) => step < shown.done), look = seen.findLastIndex((step) => step <= wish);
    const ghost = other(), large = model.get("large_type");
    root.classList.toggle("large", large);
    const trained = shown.done > shown.setting.steps, words = shown.problem || shown.sentence;
    const told = trained ? words : `Training: step ${shown.done - 1} of ${shown.setting.steps}.`;
    if (verdict.dataset.told !== told) verdict.innerHTML = escape(told).replace(/^[\w ]+:/, "<strong>$&</strong>");
    verdict.dataset.told = told;
    verdict.classList.toggle("problem", Boolean(shown.problem));
    grey.textContent = ghost ? `Grey: ${ghost.title}.` : "";
    Object.assign(slider, { max: seen.length - 1, value: look });
    output.textContent = `step ${seen[look]} of ${shown.setting.steps}`;
    slider.setAttribute("aria-valuetext", output.textContent);
    const figures = [...root.querySelectorAll("figure")], widths = figures.map((figure) => figure.clientWidth);
    const em = parseFloat(getComputedStyle(root).fontSize);
    figures.forEach((figure, place) => {
      const scene = { run: shown, ghost, look, step: seen[look], width: widths[place], em, hatch: `${root.dataset.id}${place}` };
      const { title, body, height, says, note } = PANELS[figure.className](scene), [caption, svg, text] = figure.children;
      caption.textContent = title;
      svg.setAttribute("viewBox", `0 0 ${scene.width} ${height}`);
      svg.setAttribute("height", height);
      svg.setAttribute("aria-label", title);
      svg.innerHTML = tag("desc", { id: `${scene.hatch}d` }, escape(says)) + hatching(scene.hatch) + body;
      svg.setAttribute("aria-describedby", `${scene.hatch}d`);
      text.innerHTML = note;
    });
  }

  function other() {
    const choice = model.get("compare_with");
    if (choice !== "the setting shown now") kept = null;
    else kept ??= shown;
    const ghost = choice === "the last setting" ? before : kept;
    return ghost?.title === shown.title ? null : ghost;
  }

  const later = () => { waiting ||= Boolean(requestAnimationFrame(draw)); };
  function take() {
    const picture = unpacked(model.get("picture"));
    if (shown && shown.title !== picture.title) before = shown;
    shown = picture;
    later();
  }

  function write(input) {
    const value = model.get(input.name);
    if (input.type === "checkbox") input.checked = value;
    else if (input.value !== String(value)) input.value = value;
    const number = input.parentElement.querySelector("output");
    if (number) number.textContent = value;
  }

  function changed({ target, type }) {
    if ((target.type === "text") !== (type === "change")) return; // a text counts when it is complete
    const number = target.value.trim() === "" ? NaN : Number(target.value);
    const isText = target.type === "select-one" || Number.isNaN(number);
    model.set(target.name, target.type === "checkbox" ? target.checked : isText ? target.value : number);
    model.save_changes();
    write(target);
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  slider.addEventListener("input", () => {
    wish = Number(slider.value) === Number(slider.max) ? Infinity : shown.moments[slider.value];
    later();
  });
  function stop() {
    clearInterval(timer);
    [timer, play.textContent] = [null, "Play"];
  }
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (wish === Infinity) wish = 0;
    play.textContent = "Stop";
    timer = setInterval(() => {
      const next = shown.moments.find((step) => step > wish) ?? Infinity;
      wish = next >= shown.setting.steps ? Infinity : next;
      if (wish === Infinity) stop();
      later();
    }, 150);
    later();
  });
  root.dataset.id = `zerostart${(render.count = (render.count ?? 0) + 1)}-`;
  const handlers = [["change:picture", take], ["change:large_type", later], ["change:compare_with", () => { kept = null; later(); }],
    ...inputs.map((input) => [`change:${input.name}`, () => write(input)])];
  handlers.forEach(([name, handler]) => model.on(name, handler));
  const observer = new ResizeObserver(later);
  observer.observe(root);
  inputs.forEach(write);
  take();
  return () => {
    stop();
    observer.disconnect();
    handlers.forEach(([name, handler]) => model.off(name, handler));
  };
}

function page(offered) {
  const field = ([name, { label, choices, start, step, least, most }]) => {
    if (choices) return tag("label", {}, label + tag("select", { name }, choices.map((choice) => tag("option", {}, choice)).join("")));
    if (typeof start === "boolean") return tag("label", { class: "check" }, tag("input", { type: "checkbox", name }) + label);
    const range = { type: "range", name, min: least, max: most, step };
    return tag("label", {}, step ? `<span>${label} <output></output></span>${tag("input", range)}` : label + tag("input", { type: "text", inputmode: "decimal", name }));
  };
  const figure = (name) => `<figure class="${name}"><figcaption></figcaption><svg role="img"></svg><p class="note"></p></figure>`;
  return `<form aria-label="The network">${Object.entries(offered).map(field).join("")}</form>
    <p class="verdict" role="status"></p>
    <div class="moment"><button type="button">Play</button><label>moment of the training <output></output><input type="range" min="0"></label></div>
    <p class="grey"></p>
    <div class="panels">${Object.keys(PANELS).map(figure).join("")}</div>`;
}

/** Jupyter sends arrays as bytes. */
function unpacked(picture) {
  const numbers = (bytes, Kind) => (bytes instanceof Kind ? bytes : new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)));
  const arrays = ["loss", "gradients", "accuracy", "spread", "width"].map((name) => [name, numbers(picture[name], Float64Array)]);
  return { ...picture, ...Object.fromEntries(arrays), kernels: picture.kernels.map((kernel) => numbers(kernel, Float32Array)) };
}

// --- The panels. Each returns its title, the SVG, its height, what a screen reader says, and a note in HTML.

const PANELS = { net, gradients, spread, width, loss };

function net({ run, look, step, width, em, hatch }) {
  const { setting: { layers, units }, names, kernels } = run, top = 3.6 * em, height = top + 20 * em;
  const drawn = names.map((_, k) => (k < layers ? Math.min(units, UNITS) : 10)), stored = names.map((_, k) => (k < layers ? Math.min(units, 10) : 10));
  const first = Math.min(1.8 * em, width / (layers + 1) / 2), gap = (width - first - 2.4 * em) / layers, tile = Math.min(2.6 * em, gap * 0.7);
  const x = (k) => first + gap * k, y = (k, unit) => top + (20 * em * (unit + 0.5)) / drawn[k];
  run.largest ??= kernels.map((values) => values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0));
  const weight = (k, row, unit) => kernels[k][(look * (k ? stored[k - 1] : 64) + row) * stored[k] + unit];
  const edges = new Bundle(), pixels = new Bundle(), parts = [], said = [], cell = tile / 8;
  for (let unit = 0; unit < drawn[0]; unit++) {
    const left = x(0) - tile / 2, up = y(0, unit) - tile / 2;
    let zeros = 0;
    for (let pixel = 0; pixel < 64; pixel++) {
      const value = weight(0, pixel, unit);
      if (value === 0) zeros += 1;
      else pixels.add(share(value, run.largest[0]), `M${round(left + (pixel % 8) * cell)} ${round(up + Math.floor(pixel / 8) * cell)}h${round(cell)}v${round(cell)}h${-round(cell)}z`);
    }
    parts.push(tag("rect", { x: round(left), y: round(up), width: round(tile), height: round(tile), fill: zeros === 64 ? `url(#${hatch})` : "none", class: "frame" }));
  }
  for (let k = 1; k <= layers; k++) {
    for (let unit = 0; unit < drawn[k]; unit++) {
      for (let row = 0; row < drawn[k - 1]; row++) {
        const from = x(k - 1) + (k === 1 ? tile / 2 : 0.35 * em);
        edges.add(share(weight(k, row, unit), run.largest[k]), `M${round(from)} ${round(y(k - 1, row))}L${round(x(k) - 0.35 * em)} ${round(y(k, unit))}`);
      }
      parts.push(tag("circle", { cx: round(x(k)), cy: round(y(k, unit)), r: 0.35 * em, class: "unit" }));
      if (k === layers) parts.push(text(x(k) + 0.7 * em, y(k, unit) + 0.28 * em, unit));
    }
  }
  names.forEach((name, k) => {
    const count = k < layers ? units : 10, all = drawn[k] === count, narrow = gap < 5.2 * em;
    const now = Math.max(...kernels[k].subarray(...[look, look + 1].map((at) => at * kernels[k].length / run.moments.length)).map(Math.abs));
    const lines = [narrow && k < layers ? k + 1 : name, all ? (narrow ? count : `${count} unit${count > 1 ? "s" : ""}`) : `${drawn[k]}${narrow ? "/" : " of "}${count}`, narrow ? String(Number(run.largest[k].toPrecision(2))) : `≤ ${short(run.largest[k])}`];
    lines.forEach((line, row) => parts.push(text(x(k) - (k ? 0 : Math.min(first, tile) / 2), (1 + 1.05 * row) * em, line, { "text-anchor": k ? "middle" : "start", class: row ? "soft" : "", "font-size": round(Math.min(0.8 * em, 0.3 * gap)) })));
    said.push(`${name} has ${count} units; its largest weight here is ${short(now)}`);
  });
  return {
    title: `The net at step ${step}`, height, says: `${said.join(". ")}.`,
    body: pixels.paths("fill") + edges.paths("stroke") + parts.join(""),
    note: `Squares: the units of hidden_1, each with its weights from the 8x8 pixels. <i class="positive"></i> positive, <i class="negative"></i> negative,
      stronger is larger: up to the largest weight of that kernel in this run, below its name. ${swatch} or dotted: exactly 0.`,
  };
}

function gradients({ run, step, width, em, hatch }) {
  const count = run.loss.length, rows = 2 * run.names.length, row = Math.min(2.4 * em, Math.max(1.05 * em, (18 * em) / rows));
  const left = 7 * em, right = width - 4.2 * em, column = (right - left) / count, top = 0.3 * em;
  const y = (variable) => top + variable * row + Math.floor(variable / 2) * 0.25 * em, bottom = y(rows - 1) + row;
  const parts = [], said = [];
  for (let variable = 0; variable < rows; variable++) {
    const sizes = run.gradients.subarray(variable * count, (variable + 1) * count), kind = (at) => (sizes[at] === 0 ? "zero" : Number.isFinite(sizes[at]) ? bin(sizes[at]) : "bad");
    const name = `${run.names[variable >> 1]} ${variable % 2 ? "bias" : "kernel"}`;
    for (let from = 0, to; from < run.done; from = to) {
      for (to = from + 1; to < run.done && kind(to) === kind(from); to++);
      const fill = kind(from) === "zero" ? `url(#${hatch})` : kind(from) === "bad" ? "var(--ink)" : colour(kind(from));
      parts.push(tag("rect", { x: round(left + from * column), y: round(y(variable)), width: round((to - from) * column + 0.3), height: round(row - 1), fill }));
    }
    parts.push(text(left - 0.5 * em, y(variable) + row / 2 + 0.28 * em, name, { "text-anchor": "end" }));
    parts.push(text(right + 0.4 * em, y(variable) + row / 2 + 0.28 * em, short(sizes[step]), { class: "soft" }));
    said.push(`${name} ${sizes[step] === 0 ? "exactly 0" : short(sizes[step])}`);
  }
  const now = { x: round(left + step * column - 1), y: round(top - 2), width: round(Math.max(column, 1) + 2), height: round(bottom - top + 3), class: "now" };
  parts.push(tag("rect", now), ...ticks(run.setting.steps, (right - left) / em / 4).map((at) =>
    text(left + (at + 0.5) * column, bottom + 1.1 * em, at, { "text-anchor": "middle", class: "soft" })));
  const bar = (right - left) / BINS, base = bottom + 2 * em;
  for (let shade = 0; shade < BINS; shade++) parts.push(tag("rect", { x: round(left + shade * bar), y: base, width: round(bar + 0.5), height: 0.8 * em, fill: colour(shade) }));
  ["1e-8", "1e-6", "1e-4", "0.01", "1"].forEach((label, place) => {
    if (place % 2 && right - left < 14 * em) return;
    parts.push(text(left + place * 6 * bar, base + 1.8 * em, label, { "text-anchor": ["start", "middle", "middle", "middle", "end"][place], class: "soft" }));
  });
  parts.push(tag("rect", { x: round(left - 5.6 * em), y: base, width: round(1.6 * em), height: 0.8 * em, fill: `url(#${hatch})`, class: "frame" }), text(left - 5.6 * em, base + 1.8 * em, "exactly 0", { class: "soft" }));
  return {
    title: "Gradients", height: base + 2.2 * em, says: `At step ${step}: ${said.join(", ")}.`,
    body: parts.join(""), note: `Colour: root mean square of the gradient of each variable, at each step. On the right: its value at step ${step}.${run.gradients.some((size) => !Number.isFinite(size)) ? " Black or white: NaN or infinity." : ""}`,
  };
}

function spread(scene) {
  const y = (value) => (value === 0 ? 0 : 0.08 + (0.92 * (Math.log10(value) + 8)) / 9);
  return units(scene, "spread", y, [[0, "0"], [1e-6, "1e-6"], [1e-4, "1e-4"], [0.01, "0.01"], [1, "1"]], short,
    "Spread between units", "Largest difference between two units of a layer in one incoming weight.");
}

function width(scene) {
  const most = Math.max(scene.run.setting.units, scene.ghost?.setting.units ?? 0), levels = ticks(most, 4).filter((level) => level && Number.isInteger(level));
  return units(scene, "width", (value) => value / (1.05 * most), [[0, "0"], ...levels.map((level) => [level, level])],
    (value) => (value ? `${value} of ${scene.run.setting.units}` : "NaN"), "Effective width", "How many different units a layer has.");
}

/** A curve for each hidden layer. Deeper ones are thinner and lie above, so that equal curves do not hide each other. */
function units({ run, ghost, look, step, width, em }, name, y, levels, say, title, meaning) {
  const rows = ({ setting: { layers }, moments, [name]: values, done }) => Array.from({ length: layers }, (_, k) =>
    moments.filter((at) => at < done).map((at, place) => [at, values[place * layers + k]]));
  const lines = rows(run).map((points, k) => ({ points, stroke: LAYERS[k], "stroke-width": 2 + 1.1 * (run.setting.layers - 1 - k) }));
  const said = lines.map(({ points }, k) => [run.names[k], say(points[look][1])]);
  return {
    ...chart({ steps: run.setting.steps, ghosts: ghost ? rows(ghost) : [], ghost, lines, y, levels, step, width, em }), title,
    says: `At step ${step}: ${said.map((pair) => pair.join(" ")).join(", ")}.`,
    note: said.map(([layer, value], k) => `<span><i style="background:${LAYERS[k]}"></i> ${layer} ${value}</span>`).join(" ") + `<br>${meaning}`,
  };
}

function loss({ run, ghost, look, step, width, em }) {
  const finite = [...run.loss].filter(Number.isFinite), top = Math.min(20, Math.max(2.7, 1.05 * Math.max(...finite, 0))), rows = ({ loss }) => [...loss].map((value, at) => [at, value]);
  const levels = ticks(top, 4).map((level) => [level, level]), lines = [{ points: rows(run), stroke: "var(--ink)", "stroke-width": 2.2 }];
  const landmarks = [[Math.log(10), `ln 10 = ${Math.log(10).toFixed(3)}`, -0.4], [run.entropy, `entropy ${run.entropy.toFixed(3)}`, 1.05]];
  const right = Math.round(128 * run.accuracy[look]), now = `loss ${short(run.loss[step])}${Number.isFinite(run.loss[step]) ? `, ${right} of 128 digits named right` : ""}`;
  const at = { steps: run.setting.steps, ghosts: ghost ? [rows(ghost)] : [], ghost, lines, y: (value) => value / top, levels, step, width, em, landmarks };
  return {
    ...chart(at), title: `Loss${Math.max(...finite) > top ? `, cut off at ${top}` : ""}`, says: `At step ${step}: ${now}. ln 10 is 2.303, the entropy of the classes ${run.entropy.toFixed(3)}.`,
    note: `At step ${step}: ${now}. ln 10: every digit equally likely. Entropy of the classes: the lowest loss without looking at the image.`,
  };
}

function chart({ steps, ghosts, ghost, lines, y, levels, step, width, em, landmarks = [] }) {
  const left = 3.2 * em, right = width - 0.8 * em, top = 0.7 * em, bottom = 13 * em, last = Math.max(steps, ghost?.setting.steps ?? 0, 1);
  const x = (at) => round(left + ((right - left) * at) / last), height = (value) => round(bottom - (bottom - top) * Math.min(Math.max(y(value), 0), 1));
  const path = (points) => points.filter(([, value]) => !Number.isNaN(value)).map(([at, value], place) => `${place ? "L" : "M"}${x(at)} ${height(value)}`).join("");
  const parts = levels.map(([value, label]) => tag("path", { d: `M${left} ${height(value)}H${right}`, class: "grid" }) + text(left - 0.5 * em, height(value) + 0.28 * em, label, { "text-anchor": "end", class: "soft" }));
  ticks(last, (right - left) / em / 4).forEach((at) => parts.push(text(x(at), bottom + 1.3 * em, at, { "text-anchor": "middle", class: "soft" })));
  ghosts.forEach((points) => parts.push(tag("path", { d: path(points), class: "ghost" })));
  landmarks.forEach(([value]) => parts.push(tag("path", { d: `M${left} ${height(value)}H${right}`, class: "landmark" })));
  parts.push(tag("path", { d: `M${x(step)} ${top}V${bottom}`, class: "now" }));
  lines.forEach(({ points, ...look }) => parts.push(tag("path", { d: path(points), fill: "none", ...look })));
  lines.forEach(({ points, stroke }) => points.filter(([at, value]) => at === step && !Number.isNaN(value)).forEach(([at, value]) => parts.push(tag("circle", { cx: x(at), cy: height(value), r: 4, fill: stroke }))));
  landmarks.forEach(([value, label, drop]) => parts.push(text(right, height(value) + drop * em, label, { "text-anchor": "end", class: "halo" })));
  return { body: parts.join(""), height: bottom + 1.8 * em };
}

// --- Small things

/** Collects lines or squares of the same sign and shade, so that the browser draws a few paths and not hundreds. */
class Bundle {
  parts = new Map();

  add(value, path) {
    if (Number.isNaN(value)) return;
    const level = value === 0 ? 0 : Math.sign(value) * Math.max(1, Math.ceil(Math.abs(value) * LEVELS));
    this.parts.set(level, (this.parts.get(level) ?? "") + path);
  }

  paths(how) {
    return [...this.parts].sort(([a], [b]) => Math.abs(a) - Math.abs(b)).map(([level, d]) => {
      const share = Math.abs(level) / LEVELS, name = level ? (level > 0 ? "positive" : "negative") : "zero";
      const look = how === "fill" ? { "fill-opacity": share } : { "stroke-width": level ? round(0.4 + 2.6 * share) : 1, "stroke-opacity": level ? round(0.35 + 0.65 * share) : 1 };
      return tag("path", { d, class: `${how} ${name}`, ...look });
    }).join("");
  }
}

const share = (weight, largest) => (weight === 0 ? 0 : Number.isFinite(weight) ? weight / largest : NaN);
const swatch = `<i class="hatched"></i> hatched`;
const hatching = (id) => `<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5" class="hatch"></path></pattern>`;
const round = (number) => Math.round(10 * number) / 10;
const escape = (words) => String(words).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const tag = (name, attributes, content = "") => `<${name}${Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`).join("")}>${content}</${name}>`;
const text = (x, y, words, more = {}) => tag("text", { x: round(x), y: round(y), ...more }, words);
const bin = (size) => Math.min(BINS - 1, Math.max(0, Math.floor(((Math.log10(size) - LOWEST) / -LOWEST) * BINS)));

function colour(shade) {
  const place = (shade / (BINS - 1)) * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2), share = place - low;
  const mixed = [16, 8, 0].map((shift) => Math.round(((RAMP[low] >> shift) & 255) * (1 - share) + ((RAMP[low + 1] >> shift) & 255) * share));
  return `rgb(${mixed.join()})`;
}

/** Round numbers from 0 to `last`, about as many as fit. */
function ticks(last, most) {
  const sizes = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500], every = sizes.find((size) => (last > 5 ? size >= 1 : true) && last / size <= Math.max(most, 1)) ?? last;
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, place) => place * every);
}

function short(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Math.abs(value) < 0.001 || Math.abs(value) >= 1000 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
