// What the explorer says of a run, as sentence.py does. The words stand in explorer.json; what was measured chooses them.

const CLOSE = 0.01; // a loss this close to the entropy, relatively, is not below it

export function describe({ activation, kernel_initializer, head_initializer, scale, units, layers, optimizer, steps, dropout }) {
  const head = head_initializer === "same" ? "" : `, head ${head_initializer}`, times = scale === 1 ? "" : ` x ${scale}`;
  const kernels = `${layers} x ${units} ${activation}, ${kernel_initializer}${head}${times}`;
  return `${kernels}, ${optimizer}${dropout ? `, dropout ${dropout}` : ""}, ${steps} steps`;
}

export function entropyAndMajority(y) {
  const counts = Array(10).fill(0);
  y.forEach((label) => (counts[label] += 1));
  const shares = counts.map((count) => count / y.length).filter(Boolean);
  return [-shares.reduce((sum, share) => sum + share * Math.log(share), 0), Math.max(...shares)];
}

/** The verdict about a run, and a text that says why and what came of it. */
export function say(run, y, words) {
  const [entropy, majority] = entropyAndMajority(y), { steps, activation, units, dropout } = run.setting;
  const sizes = Array.from({ length: 2 * run.names.length }, (_, variable) =>
    run.gradients.subarray(variable * (steps + 1), (variable + 1) * (steps + 1)));
  const bad = run.loss.findIndex((loss, step) => ![loss, ...sizes.map((size) => size[step])].every(Number.isFinite));
  if (bad >= 0) return ["diverged", fill(words.diverged, { bad })];
  const last = run.loss.at(-1), right = run.accuracy.at(-1);
  const relation = last < (1 - CLOSE) * entropy ? "below" : last <= (1 + CLOSE) * entropy ? "close" : "above";
  const layers = run.names.slice(0, -1).map((name, place) => [name, run.groups[0][place], run.groups[1][place]])
    .filter(([, , groups]) => new Set(groups).size < groups.length);
  const asleep = run.names.map((_, place) => sizes[2 * place].every((size) => size === 0));
  const verdict = asleep.every(Boolean) ? "frozen" : asleep.some(Boolean) ? "partly frozen" : layers.length ? "symmetric"
    : relation !== "below" || right <= majority ? "slow" : "learns";
  const short = (loss) => (loss < 1000 ? loss.toFixed(3) : "over 1000");
  const facts = {
    activation, steps: `${steps} step${steps > 1 ? "s" : ""}`, from: short(run.loss[0]), to: short(last), entropy: short(entropy),
    right: Math.round(y.length * right), rows: y.length, majority: Math.round(y.length * majority),
    different: layers.map(([name, , groups]) => `${new Set(groups).size} of ${groups.length} in ${name}`).join(", "),
    differ: words[units === 1 ? "one" : "differ"],
  };
  const same = layers.every(([, first, groups]) =>
    new Set(groups.map((group, unit) => `${group} ${first[unit]}`)).size === new Set(groups).size);
  const why = verdict === "symmetric" && same && !dropout ? ["started identical"] : [];
  if (verdict.endsWith("frozen")) why.push(...frozen(run, facts, sizes, asleep));
  return [verdict, [verdict, ...why, relation, "right"].map((piece) => fill(words[piece], facts)).join(" ")];
}

/** Choose what is said of kernels without a gradient, and write their names into `facts`. */
function frozen(run, facts, sizes, asleep) {
  const atZero = !["sigmoid", "softplus"].includes(facts.activation);
  const silent = asleep.map((asleep, k) => asleep && !run.entered[k]), zero = run.zero.map((zero) => zero && atZero);
  const found = {
    asleep, silent, deaf: asleep.map((asleep, k) => asleep && !run.returned[k]), zero,
    dead: zero.map((zero, k) => facts.activation === "relu" && silent[k + 1] && !zero),
  };
  for (const [key, where] of Object.entries(found)) {
    const chosen = run.names.filter((_, k) => where[k]), inARow = run.names.join("").includes(chosen.join(""));
    facts[key] = chosen.length > 2 && inARow ? `${chosen[0]} to ${chosen.at(-1)}` : chosen.join(" and ");
  }
  const only = sizes.slice(0, -1).every((size) => size.every((value) => value === 0));
  return ["silent", "deaf", "zero", "dead"].filter((key) => facts[key]).concat(only ? ["only"] : []);
}

const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
