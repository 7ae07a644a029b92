// Loads a GGUF file with some layers on a Vulkan device, creates a context for each case, and prints
// llama.cpp's report of each device as JSON. Each file and number of layers has its own process, for the
// reason in load-with-llama.mjs.
import { readFileSync } from 'node:fs';
import { logArrived, newContext, newModel, startLlama } from './start-llama.mjs';

const { file, gpuLayers, cases } = JSON.parse(readFileSync(0, 'utf8'));
const { llama, lines } = await startLlama('vulkan');

const model = newModel(llama, file, gpuLayers);
const modelLog = await logOf(() => model.init());
const results = [];
for (const one of cases) results.push(await measure(one));
process.stdout.write(JSON.stringify(results), () => process.exit(0));

async function measure(one) {
  const native = newContext(llama, model, one);
  let made = false;
  const log = await logOf(async () => (made = await native.init()));
  await native.dispose();
  if (!made) return { refused: log.trim().split('\n').at(-1) };
  return {
    gpu: partsOn((device) => /^Vulkan\d/.test(device), log),
    ram: partsOn((device) => !/^Vulkan\d/.test(device), log),
  };
}

/**
 * The parts of a load on some devices, summed from the log, in MiB. The log rounds each buffer to two decimals.
 */
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

/** The log of llama.cpp while `work` runs. */
async function logOf(work) {
  const start = lines.length;
  await work();
  await logArrived();
  return lines.slice(start).join('\n');
}
