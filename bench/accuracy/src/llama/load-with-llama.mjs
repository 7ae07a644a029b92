// Loads a GGUF file with llama.cpp, and creates a context for each case. Prints as JSON llama.cpp's report (the
// memory breakdown in bytes, and the parts from the log), and node-llama-cpp's predictions.
//
// Each file has its own process, because llama.cpp keeps state in the process, and may end the process when it
// refuses a shape.
import { readFileSync } from 'node:fs';
import { askNodeLlamaCpp } from './ask-node-llama-cpp.mjs';
import { logArrived, newContext, newModel, startLlama } from './start-llama.mjs';

const { file, cases } = JSON.parse(readFileSync(0, 'utf8'));
const { llama, lines } = await startLlama();

const { model, log: modelLog } = await loadModel();
const results = [];
for (const one of cases) {
  // llama.cpp refuses some cases, such as a latent cache with two types. They are not compared.
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
      // KV cache, recurrent state and compute buffer.
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

/** The log of llama.cpp while `work` runs. An error contains its last lines. */
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
