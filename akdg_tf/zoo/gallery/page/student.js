// A student in the browser: LiteRT.js, a .tflite model, and latents.

import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";

const RUNTIME = "litert/litert_wasm_compat_internal";
const ROUNDS = 9;
const ROUND_MS = 20; // browsers round their clock to as much as 1 ms: one run is too short to be timed alone
const MOST_RUNS = 200;

let runtime;

// Fetches a file, reports (bytes so far, bytes in all or 0 where the server does not say), and throws what went wrong.
export async function download(url, report = () => {}) {
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new Error(`${url} could not be fetched (${error.message})`);
  }
  if (!response.ok) throw new Error(`${url} could not be fetched (${response.status} ${response.statusText})`);
  const total = Number(response.headers.get("Content-Length")) || 0;
  const chunks = [];
  let received = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    received += value.length;
    report(received, received <= total ? total : 0); // a compressed answer says its compressed length
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

// Loads LiteRT.js once; a failed try can be tried again.
export function loadRuntime(report) {
  runtime ??= load(report).catch((error) => {
    runtime = undefined;
    throw error;
  });
  return runtime;
}

async function load(report) {
  const wasmBinary = await download(`${RUNTIME}.wasm`, report);
  // The runtime's loader reads its settings here. It logs to stderr, all of it, which is no error.
  self.Module = { wasmBinary, printErr: (line) => console.debug(line) };
  await loadLiteRt(new URL(`${RUNTIME}.js`, document.baseURI).href);
}

export class Student {
  constructor(model) {
    this.model = model;
  }

  static async load(url, report) {
    return new Student(await loadAndCompile(await download(url, report), { accelerator: "wasm" }));
  }

  // One latent, Float32Array [latent_dim], to one image: its pixels in [0, 1], height, width and channels.
  async draw(latent) {
    const z = new Tensor(latent, [1, latent.length]);
    const [output] = await this.model.run([z]);
    const [, height, width, channels] = output.type.layout.dimensions;
    const pixels = output.toTypedArray().slice();
    output.delete();
    z.delete();
    return { pixels, height, width, channels };
  }

  // The median ms of one run at batch 1 over ROUNDS rounds, and the runs of a round.
  async measure(latent) {
    const z = new Tensor(latent, [1, latent.length]);
    await this.#time(z, 1);
    const runs = Math.min(MOST_RUNS, Math.ceil(ROUND_MS / Math.max(0.01, (await this.#time(z, 5)) / 5)));
    const times = [];
    for (let round = 0; round < ROUNDS; round++) times.push((await this.#time(z, runs)) / runs);
    z.delete();
    return { ms: times.sort((a, b) => a - b)[(ROUNDS - 1) / 2], runs, rounds: ROUNDS };
  }

  async #time(z, runs) {
    const outputs = [];
    const start = performance.now();
    for (let run = 0; run < runs; run++) outputs.push(...(await this.model.run([z])));
    const elapsed = performance.now() - start;
    for (const output of outputs) output.delete();
    return elapsed;
  }

  delete() {
    this.model.delete();
  }
}

// Standard normal numbers (Box and Muller).
export function normalLatent(dim) {
  return Float32Array.from({ length: dim }, () => {
    return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  });
}

// Spherical interpolation (Shoemake 1985): along the great circle, so that what lies between has a usual length too.
export function slerp(a, b, t) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  const [u, v] = sine > 1e-6 ? [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine] : [1 - t, t];
  return a.map((value, index) => u * value + v * b[index]);
}
