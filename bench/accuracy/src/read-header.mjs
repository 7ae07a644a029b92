// Reads a header with one reader, in a process of its own. Prints as JSON how long the first and the later
// readings took, and how much memory the first one needed; `null` where the reader is not installed.
//
//   node read-header.mjs READER FILE READINGS
import { readFileSync, writeFileSync } from 'node:fs';

const VOCABULARY = [
  'tokenizer.ggml.tokens',
  'tokenizer.ggml.token_type',
  'tokenizer.ggml.scores',
  'tokenizer.ggml.merges',
];
/** Each imports its package and returns a function that reads a file. */
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
  const timesMs = [];
  let extraBytes = 0;
  for (let i = 0; i < Number(readings); i += 1) {
    const startedMs = performance.now();
    await read(file);
    timesMs.push(performance.now() - startedMs);
    if (i === 0) extraBytes = peak();
  }
  const [firstMs, ...laterMs] = timesMs;
  return { firstMs, laterMs, extraBytes };
}

/** Returns a function for the growth of resident memory since now, from the kernel's high-water mark. */
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
