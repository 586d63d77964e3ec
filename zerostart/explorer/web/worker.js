// Trains in the background. The newest wish wins: a run that has taken long already is given up for it.

import { read, train } from "./engine.js";

const PATIENCE = 300, BETWEEN = 120; // milliseconds
const channel = new MessageChannel();
const pause = () => new Promise((resolve) => {
  channel.port1.onmessage = resolve;
  channel.port2.postMessage(null); // sooner than any timer, and a new wish can come in
});
let wish = null, shared, images, busy = false;

onmessage = ({ data }) => {
  if (data.shared) [shared, images] = [data.shared, read(data.digits)];
  else wish = data;
  if (wish && !busy) work();
};

async function work() {
  busy = true;
  while (wish) {
    const steps = train(wish, shared, images), began = performance.now();
    let told = began, state;
    wish = null;
    while (!(state = steps.next()).done) {
      await pause();
      const now = performance.now();
      if (wish && now - began > PATIENCE) break;
      if (now - told > BETWEEN) postMessage(state.value);
      if (now - told > BETWEEN) told = now;
    }
    if (state.done) postMessage(state.value);
  }
  busy = false;
}
