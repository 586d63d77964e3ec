// The explorer on a web page: draws into the element "zerostart-explorer" and trains in a worker. What is chosen stands
// in the address, so that a link leads to it.

import view from "./view.js";

const load = (name) => fetch(new URL(name, import.meta.url)).then((answer) => answer.json());
const [shared, digits] = await Promise.all([load("explorer.json"), load("digits.json")]);
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
worker.postMessage({ shared, digits });

const { controls } = shared, handlers = [], asked = new URLSearchParams(location.search);
const values = {};
for (const [name, control] of Object.entries(controls)) values[name] = read(control, asked.get(name));
const settingNames = Object.keys(controls).filter((name) => !["compare_with", "large_type"].includes(name));
let picture = null;

/** The value that stands in the address, or the one to begin with. */
function read({ start, choices }, text) {
  if (text === null || (choices && !choices.includes(text))) return start;
  return choices ? text : typeof start === "boolean" ? text === "true" : Number(text);
}

/** What is wrong with a value, or "". The other controls accept nothing bad. */
function problem() {
  const isBad = (value, { least, most = Number.MAX_VALUE, step }) => least !== undefined
    && !(typeof value === "number" && value >= least && value <= most && (step !== 1 || Number.isInteger(value)));
  const wrong = settingNames.find((name) => isBad(values[name], controls[name]));
  if (!wrong) return "";
  const { least, most, step } = controls[wrong], range = `at least ${least}${most ? ` and at most ${most}` : ""}`;
  return `${wrong}: expected ${step === 1 ? "an integer" : "a number"} of ${range}, got ${values[wrong] || "nothing"}`;
}

function wish() {
  const found = problem();
  if (found && picture) return show({ ...picture, problem: `${found}. The picture still shows: ${picture.title}` });
  worker.postMessage(Object.fromEntries(settingNames.map((name) => [name, values[name]])));
}

function show(found) {
  const isFirst = !picture;
  picture = found;
  if (isFirst) view.render({ model, el: container });
  else tell("picture");
}

const tell = (name) => handlers.filter(([event]) => event === `change:${name}`).forEach(([, handler]) => handler());
const model = {
  get: (name) => ({ ...values, offered: controls, picture })[name],
  set(name, value) {
    values[name] = value;
    tell(name);
  },
  on: (event, handler) => handlers.push([event, handler]),
  off() {}, // the view stays as long as the page
  save_changes() {
    const chosen = Object.keys(controls).filter((name) => values[name] !== controls[name].start);
    history.replaceState(null, "", `?${new URLSearchParams(chosen.map((name) => [name, values[name]]))}`);
    wish();
  },
};

const container = document.getElementById("zerostart-explorer");
worker.onmessage = ({ data }) => {
  if (!picture) container.replaceChildren();
  show(data);
};
for (const name of settingNames) if (problem().startsWith(`${name}:`)) values[name] = controls[name].start;
wish();
