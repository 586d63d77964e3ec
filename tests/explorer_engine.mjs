// Runs the explorer's JavaScript engine: settings as JSON on standard input, runs as JSON on standard output.

import { readFileSync } from "node:fs";
import { read, train } from "../zerostart/explorer/web/engine.js";

const json = (name) => JSON.parse(readFileSync(new URL(`../zerostart/explorer/web/${name}`, import.meta.url)));
const shared = json("explorer.json"), data = read(json("digits.json"));

function run(setting) {
  const steps = train(setting, shared, data);
  let state;
  do state = steps.next(); while (!state.done);
  return state.value;
}

// JSON has no NaN, and no arrays with a type.
const plain = (_, value) => (ArrayBuffer.isView(value) ? [...value] : Number.isFinite(value) || typeof value !== "number" ? value : null);
for (const setting of JSON.parse(readFileSync(0))) console.log(JSON.stringify(run(setting), plain));
