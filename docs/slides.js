// Starts reveal.js when all formulas are set and what is too much for one slide is divided.
MathJax = {
  options: {enableMenu: false, ignoreHtmlClass: "notes"},
  startup: {pageReady: () => MathJax.startup.defaultPageReady().then(start)},
};

// What stays whole: an item, a row, a line, or anything else that is no list, table or text of many lines.
const WHOLE = ["ul > li", "ol > li", "table > tbody > tr", "pre.long > span", ":not(h2, aside, ul, ol, table, pre.long)"]
  .map(selector => `:scope > ${selector}`).join();

async function start() {
  const reveal = document.querySelector(".reveal");
  await Promise.all([...document.images].map(image => image.decode()));
  reveal.classList.add("measured");
  document.querySelectorAll("section mjx-container[display]").forEach(fit);
  document.querySelectorAll("section").forEach(divide);
  reveal.classList.remove("measured");
  Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t", transition: "none",
    plugins: [RevealNotes],
  });
}

// Makes a formula that is wider than the slide as wide as the slide.
function fit(formula) {
  const share = formula.clientWidth / formula.querySelector("mjx-math").getBoundingClientRect().width;
  if (share < 1) formula.style.fontSize = `${100 * share}%`;
}

// Moves what ends below the slide to a further one with the same heading.
function divide(section) {
  const bottom = section.getBoundingClientRect().bottom - parseFloat(getComputedStyle(section).paddingBottom);
  const first = [...section.querySelectorAll(WHOLE)].findIndex(part => part.getBoundingClientRect().bottom > bottom);
  if (first < 1) return;
  const next = section.cloneNode(true);
  next.querySelector("aside")?.remove();
  keep(section, 0, first);
  keep(next, first);
  section.after(next);
  divide(next);
}

function keep(section, from, to) {
  const parts = [...section.querySelectorAll(WHOLE)];
  const kept = new Set(parts.slice(from, to));
  for (const part of parts) {
    if (!kept.has(part)) part.remove();
  }
  for (const list of section.querySelectorAll(":scope > :is(ul, ol, table, pre.long)")) {
    if (!list.querySelector("li, td, span")) list.remove();
  }
}
