// A student in the browser: LiteRT.js, a .tflite model, and latents.

import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";

const RUNTIME = "litert/litert_wasm_compat_internal";
const ROUNDS = 9;
const ROUND_MS = 20; // browsers round their clock, some to 1 ms, so several runs are timed together
const MOST_RUNS = 200;

let runtime;

// Fetches a file as Uint8Array. Calls report(bytes so far, total bytes, or 0 if unknown). Throws an error if it fails.
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
    report(received, received <= total ? total : 0); // Content-Length of a compressed response is the compressed length
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

// Loads LiteRT.js once. After an error the next call tries again.
export function loadRuntime(report) {
  runtime ??= load(report).catch((error) => {
    runtime = undefined;
    throw error;
  });
  return runtime;
}

async function load(report) {
  const wasmBinary = await download(`${RUNTIME}.wasm`, report);
  // The runtime's loader reads its settings here. It writes all its log lines to stderr, also those that are no errors.
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

  // Maps one latent, Float32Array [latent_dim], to one image: its pixels in [0, 1], height, width and channels.
  async draw(latent) {
    const z = new Tensor(latent, [1, latent.length]);
    const [output] = await this.model.run([z]);
    const [, height, width, channels] = output.type.layout.dimensions;
    const pixels = output.toTypedArray().slice();
    output.delete();
    z.delete();
    return { pixels, height, width, channels };
  }

  // The median time of one run at batch 1 in ms, the runs per round, and the rounds.
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

// Standard normal numbers, Float32Array [dim] (Box and Muller 1958).
export function normalLatent(dim) {
  return Float32Array.from({ length: dim }, () => {
    return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  });
}

// The latent with this label, one-hot, in its last `classes` entries.
export function withLabel(latent, classes, label) {
  return latent.map((value, index) => (index < latent.length - classes ? value : Number(index - (latent.length - classes) === label)));
}

// Spherical interpolation (Shoemake 1985): along the great circle, so that latents in between have a typical length.
export function slerp(a, b, t) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  const [u, v] = sine > 1e-6 ? [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine] : [1 - t, t];
  return a.map((value, index) => u * value + v * b[index]);
}
