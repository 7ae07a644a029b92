// Loads one GGUF with some layers on a Vulkan device, makes a context for each case, and prints as JSON what
// llama.cpp itself reports of each device. One process a file and number of layers; see load-with-llama.mjs.
import { readFileSync } from 'node:fs';
import { GGML_TYPES } from './ggml-types.mjs';
import { startLlama } from './start-llama.mjs';

const LOG_DELAY_MS = 60;

const { file, gpuLayers, cases } = JSON.parse(readFileSync(0, 'utf8'));
const { llama, lines } = await startLlama('vulkan');

const model = new llama._bindings.AddonModel(file, {
  gpuLayers,
  noAlloc: false,
  useMmap: true,
  useMlock: false,
});
const modelLog = await logOf(() => model.init());
const results = [];
for (const one of cases) results.push(await measure(one));
process.stdout.write(JSON.stringify(results), () => process.exit(0));

async function measure({ context, batch, parallel, flashAttention, kvK, kvV, swaFull }) {
  const native = new llama._bindings.AddonContext(model, {
    contextSize: context * parallel,
    batchSize: batch,
    sequences: parallel,
    flashAttention,
    kvCacheKeyType: GGML_TYPES[kvK],
    kvCacheValueType: GGML_TYPES[kvV],
    swaFullCache: swaFull,
  });
  let made = false;
  const log = await logOf(async () => (made = await native.init()));
  await native.dispose();
  if (!made) return { refused: log.trim().split('\n').at(-1) };
  return {
    gpu: partsOn((device) => /^Vulkan\d/.test(device), log),
    ram: partsOn((device) => !/^Vulkan\d/.test(device), log),
  };
}

/** What the log has for some devices, in MiB, rounded to two decimals buffer by buffer. */
function partsOn(isOne, log) {
  const sum = (text, part) =>
    [...text.matchAll(new RegExp(`(\\S+) +${part} buffer size = +([\\d.]+) MiB`, 'g'))]
      .filter(([, device]) => isOne(device))
      .reduce((total, [, , mib]) => total + Number(mib), 0);
  return {
    weights: sum(modelLog, 'model'),
    'KV cache': sum(log, 'KV'),
    state: sum(log, 'RS'),
    compute: sum(log, 'compute'),
  };
}

/** What llama.cpp logs while `work` runs; its log arrives a moment after its answer. */
async function logOf(work) {
  const start = lines.length;
  await work();
  await new Promise((resolve) => setTimeout(resolve, LOG_DELAY_MS));
  return lines.slice(start).join('\n');
}
