// What the explorer says of a run, as sentence.py does. The words stand in explorer.json; what was measured chooses them.

const NEAR = 0.01; // a loss this close to the entropy, relatively, is not below it

export function verdict(run, y) {
  if (firstBad(run) >= 0) return "diverged";
  const asleep = layers(run).map((_, place) => everyStep(run, 2 * place, (size) => size === 0));
  if (asleep.some(Boolean)) return asleep.every(Boolean) ? "frozen" : "partly frozen";
  if (run.groups[1].some((last) => new Set(last).size < last.length)) return "symmetric";
  return run.loss.at(-1) >= (1 - NEAR) * entropyAndMajority(y)[0] ? "slow" : "learns";
}

export function sentence(run, y, words) {
  const found = verdict(run, y), { steps } = run.setting, facts = FACTS[found](run, words);
  const text = `${found[0].toUpperCase()}${found.slice(1)}: ${fill(words[found], { steps: `${steps} step${steps > 1 ? "s" : ""}`, ...facts })}`;
  return found === "diverged" ? text : text + outcome(run, y, words);
}

export function describe({ activation, kernel_initializer, head_initializer, scale, units, layers, optimizer, steps, dropout }) {
  const head = head_initializer === "same" ? "" : `, head ${head_initializer}`, times = scale === 1 ? "" : ` x ${scale}`;
  return `${layers} x ${units} ${activation}, ${kernel_initializer}${head}${times}, ${optimizer}${dropout ? `, dropout ${dropout}` : ""}, ${steps} steps`;
}

export function entropyAndMajority(y) {
  const counts = Array(10).fill(0);
  y.forEach((label) => (counts[label] += 1));
  const shares = counts.map((count) => count / y.length).filter(Boolean);
  return [-shares.reduce((sum, share) => sum + share * Math.log(share), 0), Math.max(...shares)];
}

const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const layers = (run) => run.names.filter((name) => name.endsWith("/kernel")).map((name) => name.replace("/kernel", ""));
const everyStep = (run, variable, test) =>
  run.gradients.subarray(variable * run.loss.length, (variable + 1) * run.loss.length).every(test);

function firstBad(run) {
  const bad = (step) => !Number.isFinite(run.loss[step])
    || run.names.some((_, variable) => !Number.isFinite(run.gradients[variable * run.loss.length + step]));
  return run.loss.findIndex((_, step) => bad(step));
}

function frozen(run, words) {
  const moved = run.names.filter((_, variable) => !everyStep(run, variable, (size) => size === 0));
  const only = moved.join() === "head/bias" ? words["only the head's bias"] : "";
  if (run.entered.every(Boolean)) return { forward: "", only };
  const names = layers(run), { activation, units } = run.setting;
  const silent = run.entered.indexOf(false) - 1, deaf = run.returned.lastIndexOf(false);
  let cause = "", backward = "";
  if (run.zero[silent]) cause = fill(words["its kernel is zero"], { activation });
  else if (activation === "relu") cause = fill(words[units === 1 ? "its only unit is dead" : "all its units are dead"], { units });
  if (deaf >= 0 && run.zero[deaf + 1]) backward = fill(words["a kernel is zero"], { name: names[deaf + 1] });
  else if (deaf >= 0 && activation === "relu" && !run.entered[deaf + 1]) backward = fill(words["the slope is zero"], { name: names[deaf] });
  return { forward: fill(words.forward, { name: names[silent], cause, backward }), only };
}

function partly(run, words) {
  const cause = (place) => {
    if (run.entered[place]) return run.returned[place] ? "" : words["nothing came back"];
    return words[run.returned[place] ? "nothing entered" : "neither"];
  };
  const kernels = layers(run).map((name, place) => everyStep(run, 2 * place, (size) => size === 0)
    && fill(words.asleep, { name, cause: cause(place) }));
  return { kernels: kernels.filter(Boolean).join(", ") };
}

function symmetric(run, words) {
  const found = new Map();
  let same = !run.setting.dropout;
  layers(run).slice(0, -1).forEach((name, place) => {
    const [first, last] = run.groups.map((groups) => groups[place]), different = new Set(last).size;
    if (different === last.length) return;
    found.set(different, [...(found.get(different) ?? []), name]);
    same &&= new Set(last.map((group, unit) => `${group} ${first[unit]}`)).size === different;
  });
  const text = [...found].map(([different, names]) => fill(words[different === 1 ? "all identical" : "some identical"],
    { units: run.setting.units, different, name: names.join(" and ") }));
  return { layers: text.join("; "), why: same ? words["started identical"] : "" };
}

function differ(run, words) {
  const woke = layers(run).map((_, place) =>
    run.loss.findIndex((_, step) => run.gradients[2 * place * run.loss.length + step] !== 0));
  const step = Math.max(...woke), parted = run.groups[0].some((first) => new Set(first).size < first.length);
  return {
    differ: words[run.setting.units === 1 ? "one unit a layer" : "units differ"],
    woke: step ? fill(words.woke, { name: layers(run)[woke.indexOf(step)], step }) : "",
    parted: parted ? words.parted : "",
  };
}

function outcome(run, y, words) {
  const [entropy, majority] = entropyAndMajority(y), last = run.loss.at(-1);
  const relation = last < (1 - NEAR) * entropy ? "below" : last <= (1 + NEAR) * entropy ? "close" : "above";
  const short = (loss) => (loss < 1000 ? loss.toFixed(3) : "over 1000");
  return fill(words.outcome, {
    first: short(run.loss[0]), last: short(last), relation: words[relation], entropy: short(entropy),
    right: Math.round(y.length * run.accuracy.at(-1)), rows: y.length, majority: Math.round(y.length * majority),
  });
}

const FACTS = {
  diverged: (run) => ({ step: firstBad(run) }), frozen, "partly frozen": partly, symmetric, slow: differ, learns: differ,
};
