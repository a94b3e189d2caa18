// Pictures, table and notes, from data.js. This is a classic script, so that they also show when the page is opened as
// a file. The live panel is a module, which browsers load only over HTTP. Names are inserted as text, never as HTML.
"use strict";

const { groups, generators, definitions, classifiers, comparisons } = window.GALLERY;
const byName = new Map(generators.map((generator) => [generator.name, generator]));
const metrics = [...new Set(generators.flatMap((generator) => Object.keys(generator.metrics)))];

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const UNKNOWN = "unknown"; // a count that could not be determined
const whole = (value) => value.toLocaleString("en");
const short = (value) => value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
const bytes = (value) => (value < 1e6 ? `${Math.round(value / 1e3)} kB` : `${(value / 1e6).toFixed(2)} MB`);
const digits = (value, count) => Number(value.toPrecision(count)).toLocaleString("en", { maximumFractionDigits: 6 });
const score = ({ value, spread }) => digits(value, 4) + (spread === null ? "" : ` ± ${digits(spread, 2)}`);

// A column: its head, the text over the head, the value that it is sorted by, how the value is written, and the text
// for a missing value.
const columns = [
  { head: "generator", value: (g) => g.name },
  { head: "method", value: (g) => (g.teaches ? `teacher (${g.method})` : g.method) + (g.unscored ? ", unscored" : "") },
  { head: "layers", value: (g) => g.layers, write: whole, missing: UNKNOWN },
  { head: "params", value: (g) => g.params, write: whole, missing: UNKNOWN },
  { head: "mult-adds", value: (g) => g.mult_adds, write: short, missing: UNKNOWN },
  { head: "file size", over: "SavedModel", value: (g) => g.file_size, write: bytes, missing: UNKNOWN },
  { head: "file size", over: ".tflite", value: (g) => g.tflite_size, write: bytes },
  { head: "images/s", value: (g) => g.images_per_second, write: whole, missing: UNKNOWN },
  ...metrics.map((metric) => {
    const [, head, over] = metric.match(/^(.*?)(?:\[(.*)\])?$/s);
    return { head, over, value: (g) => g.metrics[metric]?.value ?? null, write: (_, g) => score(g.metrics[metric]) };
  }),
];

function figure(generator, role) {
  const { name, picture } = generator;
  const fid = Object.keys(generator.metrics).find((metric) => metric.startsWith("fid"));
  const [params, multAdds] = [generator.params, generator.mult_adds].map((count) => (count === null ? UNKNOWN : short(count)));
  const lines = [role, `params: ${params} · mult-adds: ${multAdds}`];
  if (fid) lines.push(`fid ${score(generator.metrics[fid])}`);
  if (generator.unscored) lines.push("unscored");
  const image = element("img", { src: picture, alt: `64 samples of ${name}`, className: "pixels", width: 256, height: 256 });
  const caption = element("figcaption", {}, element("strong", {}, ...breakable(name)), ...lines.map((line) => element("div", {}, line)));
  return element("figure", {}, image, caption);
}

// A long name may break after an underscore.
function breakable(name) {
  return name.split("_").flatMap((word, index) => (index ? ["_", element("wbr"), word] : [word]));
}

function group({ teacher, students }) {
  const known = byName.get(teacher);
  const left = known ? figure(known, "teacher") : element("p", { className: "quiet" }, teacher ?? "Their teacher has no name.");
  const right = students.map((name) => figure(byName.get(name), byName.get(name).method));
  return element("div", { className: "group" }, left, element("div", { className: "students" }, ...right));
}

function row(generator, columns) {
  const cells = columns.map(({ value, write, missing = "" }, index) => {
    const content = value(generator);
    const text = content === null ? missing : write ? write(content, generator) : content;
    const cell = element(index ? "td" : "th", { className: write ? "" : "word" }, ...(index ? [text] : breakable(text)));
    if (!index) cell.scope = "row";
    return cell;
  });
  return element("tr", {}, ...cells);
}

// Generators without a value come last in both directions.
function compare({ value }, direction) {
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return direction * (typeof x === "string" ? x.localeCompare(y) : x - y);
  };
}

const order = { column: columns[0], direction: 1 };

// The table of the generators that are selected above it, without columns that are empty for all of them.
function table() {
  const group = groups[document.querySelector("#shown").selectedIndex - 1];
  const rows = group ? [group.teacher, ...group.students].filter((name) => byName.has(name)).map((name) => byName.get(name)) : [...generators];
  const shown = columns.filter(({ value }) => rows.some((generator) => value(generator) !== null));
  const heads = shown.map((column) => {
    const button = element("button", { type: "button" }, ...(column.over ? [element("small", {}, column.over)] : []), column.head);
    button.addEventListener("click", () => {
      order.direction = order.column === column ? -order.direction : 1;
      order.column = column;
      table();
      document.querySelector("#table [aria-sort] button").focus();
    });
    const head = element("th", { scope: "col", className: column.write ? "" : "word" }, button);
    if (column === order.column) head.setAttribute("aria-sort", order.direction > 0 ? "ascending" : "descending");
    return head;
  });
  rows.sort(compare(order.column, order.direction));
  document.querySelector("#table thead").replaceChildren(element("tr", {}, ...heads));
  document.querySelector("#table tbody").replaceChildren(...rows.map((generator) => row(generator, shown)));
}

function choices() {
  const names = groups.map(({ teacher }) => (teacher ? `${teacher} and its students` : "students without a teacher here"));
  const select = document.querySelector("#shown");
  select.replaceChildren(new Option("all generators"), ...names.map((name) => new Option(name)));
  select.addEventListener("change", table);
}

function notes() {
  const several = "A score with ± is the mean ± the sample standard deviation over several seeds. Pictures and models are of the first seed.";
  const speed = "Images/s: the SavedModel at batch 64, on the machine that its card names.";
  const scores = definitions.map(({ metrics, generators: names, text }) => {
    const all = generators.every(({ name, metrics: has }) => names.includes(name) || !metrics.some((metric) => metric in has));
    return `${metrics.join(", ")}${all ? "" : ` of ${names.join(", ")}`}: ${text}.`;
  });
  const sources = classifiers.map((line) => `Classifier for scores: ${line}.`);
  const lines = [several, speed, ...scores, ...sources];
  document.querySelector("#notes").replaceChildren(...lines.map((line) => element("li", {}, line)));
}

// The static pictures of quality against cost: one for each group of students whose scores can be compared.
function costs() {
  const figures = comparisons.map(({ definition, picture }) => {
    const image = element("img", { src: picture, alt: `FID against file size and mult-adds: ${definition}` });
    return element("figure", {}, image, element("figcaption", {}, `${definition}.`));
  });
  document.querySelector("#costs").replaceChildren(...figures);
  document.querySelector("#costs-section").hidden = !figures.length;
}

function live() {
  const problem = (text) => Object.assign(document.querySelector("#problem"), { textContent: text, hidden: false });
  document.querySelector("#controls").hidden = true;
  if (location.protocol === "file:") {
    problem("Drawing needs HTTP: run `python -m http.server` in this page's folder and open the address that it prints.");
  } else if (typeof WebAssembly === "undefined") {
    problem("Drawing needs WebAssembly, which this browser does not have or has turned off.");
  } else if (generators.some((generator) => generator.model)) {
    document.querySelector("#controls").hidden = false;
    import("./live.js").then(({ start }) => start(generators)).catch((error) => problem(`Drawing failed: ${error.message}`));
  } else {
    problem("No student of this zoo has a .tflite model to draw with.");
  }
}

for (const { teacher } of groups) if (byName.has(teacher)) byName.get(teacher).teaches = true;
document.querySelector("#groups").replaceChildren(...groups.map(group));
choices();
table();
notes();
costs();
live();
