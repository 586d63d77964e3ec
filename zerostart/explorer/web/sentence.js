// What the explorer says of a run, as sentence.py does. What was measured chooses the words in explorer.json.

const CLOSE = 0.01; // a loss this close to the entropy, relatively, is not below it

export function describe({ activation, kernel_initializer, head_initializer, scale, units, layers, ...rest }) {
  const head = head_initializer === "same" ? "" : `, head ${head_initializer}`;
  const times = scale === 1 ? "" : ` x ${scale}`;
  const kernels = `${layers} x ${units} ${activation}, ${kernel_initializer}${head}${times}`;
  return `${kernels}, ${rest.optimizer}${rest.dropout ? `, dropout ${rest.dropout}` : ""}, ${rest.steps} steps`;
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
  const stuck = asleep.every(Boolean) ? "frozen" : asleep.some(Boolean) ? "partly frozen" : "";
  const lags = [relation !== "below" && words["loss lags"], right <= majority && words["right lags"]].filter(Boolean);
  const verdict = stuck || (layers.length ? "symmetric" : lags.length ? "slow" : "learns");
  const short = (loss) => (loss < 1000 ? loss.toFixed(3) : "over 1000");
  const facts = {
    activation, steps: `${steps} step${steps > 1 ? "s" : ""}`, lags: lags.join(" and "),
    from: short(run.loss[0]), to: short(last), entropy: short(entropy),
    right: Math.round(y.length * right), rows: y.length, majority: Math.round(y.length * majority),
    different: layers.map(([name, , groups]) => `${new Set(groups).size} of ${groups.length} in ${name}`).join(", "),
    differ: words[units === 1 ? "one" : "differ"],
  };
  const same = layers.every(([, first, groups]) =>
    new Set(groups.map((group, unit) => `${group} ${first[unit]}`)).size === new Set(groups).size);
  const why = verdict === "symmetric" && same && !dropout ? ["started identical"] : [];
  if (stuck) why.push(...frozen(run, facts, sizes, asleep));
  return [verdict, [verdict, ...why, relation, "right"].map((piece) => fill(words[piece], facts)).join(" ")];
}

/** Choose what is said of kernels without a gradient, and write their names into `facts`. */
function frozen(run, facts, sizes, asleep) {
  const relu = facts.activation === "relu", { names } = run, pieces = [];
  const sleepers = (values, wanted) => asleep.map((sleeps, k) => sleeps && values[k] === wanted);
  const silent = sleepers(run.entered, false), deaf = sleepers(run.returned, false), zero = sleepers(run.zero, true);
  for (const [key, where] of Object.entries({ asleep, silent, deaf })) {
    const chosen = names.filter((_, k) => where[k]), inARow = names.join("").includes(chosen.join(""));
    const listed = inARow && chosen.length > 2 ? `${chosen[0]} to ${chosen.at(-1)}` : chosen.join(" and ");
    facts[key] = `the kernel${chosen.length > 1 ? "s" : ""} of ${listed}`;
    if (key === "silent" && chosen.length) {
      const source = names.indexOf(chosen[0]) - 1, cause = zero[source] ? ", zero" : relu ? ", dead" : "";
      facts.source = names[source];
      pieces.push(key + (inARow && !["sigmoid", "softplus"].includes(facts.activation) ? cause : ""));
    }
    if (key === "deaf" && chosen.length) {
      const sink = Math.min(names.indexOf(chosen.at(-1)) + 1, names.length - 1);
      Object.assign(facts, { sink: names[sink], last: chosen.at(-1) });
      pieces.push(key + (!inARow ? "" : zero[sink] ? ", zero" : relu && silent[sink] ? ", dead" : ""));
    }
  }
  return sizes.slice(0, -1).every((size) => size.every((value) => value === 0)) ? [...pieces, "only"] : pieces;
}

const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
