// Loads one GGUF with llama.cpp, makes a context for each case, and prints as JSON what llama.cpp itself
// reports: the memory breakdown in bytes, and the log lines that tell the parts apart; and what
// node-llama-cpp predicted for the same.
//
// One process a file: llama.cpp keeps state per process, and a shape that it refuses may end the process.
import { readFileSync } from 'node:fs';
import { askNodeLlamaCpp } from './ask-node-llama-cpp.mjs';
import { logArrived, newContext, newModel, startLlama } from './start-llama.mjs';

const { file, cases } = JSON.parse(readFileSync(0, 'utf8'));
const { llama, lines } = await startLlama();

const { model, log: modelLog } = await loadModel();
const results = [];
for (const one of cases) {
  // What llama.cpp does not load at all (a latent cache with two types) is no case to compare.
  results.push(await measure(one).catch((error) => ({ refused: error.message })));
}
const peers = await askNodeLlamaCpp(llama, file, cases);
process.stdout.write(JSON.stringify({ loads: results, peers }), () => process.exit(0));

async function loadModel() {
  const native = newModel(llama, file);
  const log = await logOf(async () => {
    if (!(await native.init())) throw new Error('refused');
  });
  return { model: native, log };
}

async function measure(one) {
  const native = newContext(llama, model, one);
  try {
    const log = await logOf(async () => {
      if (!(await native.init())) throw new Error('refused');
    });
    const contextBytes = native.getMemoryBreakdown().cpuRam;
    const ubatch = Number(/n_ubatch\s*=\s*(\d+)/.exec(log)[1]);
    return {
      // What llama.cpp calls a context: KV cache, recurrent state and compute buffer.
      contextBytes,
      mappedMib: sum(modelLog, /CPU_Mapped model buffer size =\s*([\d.]+) MiB/g),
      repackMib: sum(modelLog, /CPU_REPACK model buffer size =\s*([\d.]+) MiB/g),
      kvMib: sum(log, /llama_kv_cache\S*: size =\s*([\d.]+) MiB/g),
      recurrentMib: sum(log, /llama_memory_recurrent: size =\s*([\d.]+) MiB/g),
      outputMib: sum(log, /output buffer size =\s*([\d.]+) MiB/g),
      computeMib: sum(log, /compute buffer size =\s*([\d.]+) MiB/g),
      ubatch,
    };
  } finally {
    await native.dispose();
  }
}

/** What llama.cpp logs while `work` runs; an error carries the last lines of it. */
async function logOf(work) {
  const start = lines.length;
  try {
    await work();
  } catch (error) {
    await logArrived();
    throw new Error(`llama.cpp: ${error.message}\n${lines.slice(-4).join('\n')}`, { cause: error });
  }
  await logArrived();
  return lines.slice(start).join('\n');
}

function sum(log, pattern) {
  return [...log.matchAll(pattern)].reduce((total, [, mib]) => total + Number(mib), 0);
}
