// The live panel: a student draws 16 images, and an image between the first and the last of them.

import { Student, download, loadRuntime, normalLatent, slerp, withLabel } from "./student.js";

const COLUMNS = 8; // as in the pictures that Python drew, so that they can be compared
const PAUSE_MS = 30; // time between pauses in drawing, which keep the page responsive
const EXACT = ["float32", "float16"]; // weights whose images are those of the SavedModel

const get = (id) => document.getElementById(id);
const context = (canvas) => canvas.getContext("2d", { willReadFrequently: true });
const latest = {};
let queue = Promise.resolve();
let shown = null; // the student on show: {generator, student, first, latents}

// Runs one task at a time. A newer task of the same kind replaces those that have not started.
function schedule(kind, work) {
  const ticket = (latest[kind] = Symbol(kind));
  queue = queue.then(() => (latest[kind] === ticket ? work() : undefined)).catch(fail);
}

function fail(error) {
  get("loading").hidden = true;
  Object.assign(get("problem"), { textContent: `Drawing failed: ${error.message ?? error}`, hidden: false });
}

function enable(on) {
  for (const id of ["draw", "again", "label", "position", "component"]) get(id).disabled = !on;
  get("value").disabled = !on || get("component").value === "";
}

function progress(what) {
  get("loading").hidden = false;
  get("loading-text").textContent = `Loading ${what}`;
  get("progress").removeAttribute("value");
  return (received, total) => {
    const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
    get("loading-text").textContent = `Loading ${what}: ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ""} MB`;
    if (total) get("progress").value = received / total;
  };
}

async function show(generator) {
  shown?.student.delete();
  shown = null;
  for (const id of ["images", "start", "middle", "end"]) get(id).width += 0; // clears the previous student's images
  await loadRuntime(progress("the runtime, once"));
  const latents = JSON.parse(new TextDecoder().decode(await download(generator.latents)));
  const first = latents.map((latent) => Float32Array.from(latent));
  const student = await Student.load(generator.model, progress(generator.name));
  get("loading").hidden = true;
  shown = { generator, student, first, latents: first };
  components(first[0].length);
  classes(generator.classes);
  await drawAll(first);
  await agree();
  if (get("student").value !== generator.name) return; // another student was chosen meanwhile
  enable(true);
  const { ms, runs, rounds } = await student.measure(first[0]);
  if (get("student").value !== generator.name) return;
  get("speed").textContent =
    `${ms.toPrecision(2)} ms per image: the median of ${rounds} rounds of ${runs} ${runs > 1 ? "runs" : "run"} of the model, batch 1, ` +
    "on one thread of this device's CPU, in WebAssembly (wasm).";
}

async function drawAll(latents) {
  shown.latents = latents;
  get("agreement").textContent = "";
  let paused = performance.now();
  for (const [index, latent] of latents.entries()) {
    const image = await shown.student.draw(latent);
    const canvas = get("images");
    if (!index) resize(canvas, image.width * COLUMNS, image.height * Math.ceil(latents.length / COLUMNS));
    paint(canvas, image, (index % COLUMNS) * image.width, Math.floor(index / COLUMNS) * image.height);
    if (!index) paintAlone(get("start"), image);
    if (index === latents.length - 1) paintAlone(get("end"), image);
    if (performance.now() - paused > PAUSE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      paused = performance.now();
    }
  }
  await drawBetween();
}

async function drawBetween() {
  if (!shown) return;
  const { latents, student } = shown;
  const latent = slerp(latents[0], latents.at(-1), get("position").valueAsNumber);
  if (get("component").value !== "") latent[get("component").value] = get("value").valueAsNumber;
  paintAlone(get("middle"), await student.draw(latent));
}

// Compares the images with those that Python drew from the same latents: the first rows of the student's picture.
async function agree() {
  const picture = new Image();
  picture.src = shown.generator.picture;
  await picture.decode();
  const canvas = get("images");
  if (picture.naturalWidth !== canvas.width) return;
  const other = document.createElement("canvas");
  resize(other, canvas.width, canvas.height);
  context(other).drawImage(picture, 0, 0);
  const [ours, python] = [canvas, other].map((c) => context(c).getImageData(0, 0, c.width, c.height).data);
  const difference = ours.reduce((most, value, index) => Math.max(most, Math.abs(value - python[index])), 0);
  const { weights } = shown.generator;
  get("agreement").textContent =
    "These are the latents of the first two rows of the student's picture, which Python drew. " +
    `Largest difference of a pixel: ${difference} of 255.` +
    (EXACT.includes(weights) ? "" : ` Most of it is due to the weights, which the model stores in ${weights}.`);
}

function resize(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

function paint(canvas, { pixels, height, width, channels }, x, y) {
  const data = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      data.data[4 * pixel + channel] = Math.round(255 * pixels[channels * pixel + (channel % channels)]);
    }
    data.data[4 * pixel + 3] = 255;
  }
  context(canvas).putImageData(data, x, y);
}

function paintAlone(canvas, image) {
  resize(canvas, image.width, image.height);
  paint(canvas, image, 0, 0);
}

function components(count) {
  const options = Array.from({ length: count }, (_, index) => new Option(`z[${index}]`, index));
  get("component").replaceChildren(new Option("none", ""), ...options);
  moved();
}

// The choice of a class, which only a class-conditional student has.
function classes(count) {
  const options = Array.from({ length: count }, (_, index) => new Option(index, index));
  get("label").replaceChildren(new Option("any", ""), ...options);
  get("label-choice").hidden = !count;
}

// A latent for a new image, of the chosen class if the student has classes.
function newLatent({ generator, first }) {
  const latent = normalLatent(first[0].length);
  if (!generator.classes) return latent;
  const chosen = get("label").value;
  return withLabel(latent, generator.classes, chosen === "" ? Math.floor(Math.random() * generator.classes) : Number(chosen));
}

function moved() {
  const chosen = get("component").value !== "";
  get("position-value").textContent = get("position").valueAsNumber.toFixed(2);
  get("value").disabled = !chosen;
  get("value-value").textContent = chosen ? get("value").valueAsNumber.toFixed(2) : "";
  schedule("between", drawBetween);
}

export function start(generators) {
  const students = generators.filter((generator) => generator.model);
  const choose = () => {
    enable(false);
    for (const id of ["problem", "agreement", "speed"]) get(id).textContent = "";
    get("problem").hidden = true;
    schedule("student", () => show(students[get("student").selectedIndex]));
  };
  get("student").replaceChildren(...students.map(({ name }) => new Option(name)));
  get("student").addEventListener("change", choose);
  const drawNew = () => schedule("images", () => shown && drawAll(shown.first.map(() => newLatent(shown))));
  get("draw").addEventListener("click", drawNew);
  get("label").addEventListener("change", drawNew);
  get("again").addEventListener("click", () => schedule("images", () => shown && drawAll(shown.first).then(agree)));
  for (const id of ["position", "value"]) get(id).addEventListener("input", moved);
  get("component").addEventListener("change", moved);
  choose();
}
