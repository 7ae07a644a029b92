// Reads one header with one reader in a separate process. Prints JSON: the time of each reading in
// milliseconds, and the bytes by which the process's memory rose during the first reading. Each reading after
// the first also has the ratio of its time to the time of the yardstick's fixed work. Prints null if the
// reader is not installed.
//
//   node read-header.mjs READER FILE READINGS
import { readFileSync, writeFileSync } from 'node:fs';
import { timeFixedWork, warmUpFixedWork } from '../../yardstick/fixed-work.mjs';

const VOCABULARY = [
  'tokenizer.ggml.tokens',
  'tokenizer.ggml.token_type',
  'tokenizer.ggml.scores',
  'tokenizer.ggml.merges',
];
/** Each entry imports a reader's package and returns a function that reads a file. */
const READERS = {
  async mai() {
    const { readGgufHeader } = await import('@mai/memory-estimator');
    return (file) => readGgufHeader(file);
  },
  async 'mai-with-vocabulary'() {
    const { readGgufHeader } = await import('@mai/memory-estimator');
    return (file) => readGgufHeader(file, { keepArrays: VOCABULARY });
  },
  async 'node-llama-cpp'() {
    const { readGgufFileInfo } = await import('node-llama-cpp');
    return (file) => readGgufFileInfo(file, { logWarnings: false });
  },
  async 'node-llama-cpp-without-vocabulary'() {
    const { readGgufFileInfo } = await import('node-llama-cpp');
    return (file) => readGgufFileInfo(file, { logWarnings: false, ignoreKeys: VOCABULARY });
  },
  async huggingface() {
    const { gguf } = await import('@huggingface/gguf');
    return (file) => gguf(file, { allowLocalFile: true });
  },
};

const [reader, file, readings] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure()), () => process.exit(0));

async function measure() {
  let read;
  try {
    read = await READERS[reader]();
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
  const peak = watchPeak();
  const firstMs = await timeOf(() => read(file));
  const extraBytes = peak();
  warmUpFixedWork();
  const later = [];
  let beforeMs = timeFixedWork();
  for (let reading = 1; reading < Number(readings); reading += 1) {
    const ms = await timeOf(() => read(file));
    const afterMs = timeFixedWork();
    later.push({ ms, ratio: (2 * ms) / (beforeMs + afterMs) });
    beforeMs = afterMs;
  }
  return { firstMs, later, extraBytes };
}

async function timeOf(work) {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Starts to watch resident memory. The returned function gives the growth up to the peak, in bytes. */
function watchPeak() {
  const status = (name) =>
    1024 *
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status'))[1]);
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    const before = status('VmRSS');
    return () => status('VmHWM') - before;
  } catch {
    const before = process.memoryUsage.rss();
    return () => Math.max(0, process.resourceUsage().maxRSS * 1024 - before);
  }
}
