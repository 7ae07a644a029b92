// Loads a model in an engine's process, and measures this process.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readPrivateMemory } from '@mai/resource-monitor';

const ENGINE = fileURLToPath(new URL('engine.mjs', import.meta.url));

/**
 * Returns the lines of llama.cpp's log that name buffers, and the anonymous memory of the process less the memory
 * that it had before the load: after the load, and after prompts that fill the whole cache.
 */
export async function measureLoad({ options, stepTokens, promptTokens }) {
  // The binding writes to standard output and standard error.
  const child = fork(ENGINE, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = new Promise((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`The engine ended: ${signal ?? code}`)));
  });
  ended.catch(() => undefined);
  const ask = (message) =>
    Promise.race([
      ended,
      new Promise((resolve, reject) => {
        child.once('message', (answer) =>
          answer.error === undefined ? resolve(answer) : reject(new Error(answer.error)),
        );
        child.send(message);
      }),
    ]);
  try {
    await ask({ prompts: 0, tokens: 0 });
    const beforeBytes = await readPrivateMemory([child.pid]);
    const { bufferLines } = await ask({ options, stepTokens });
    const loadedBytes = await readPrivateMemory([child.pid]);
    const answers = await ask({ prompts: options.n_parallel, tokens: promptTokens });
    const usedBytes = await readPrivateMemory([child.pid]);
    return {
      bufferLines,
      promptTokens: answers.promptTokens,
      loadedBytes: loadedBytes - beforeBytes,
      usedBytes: usedBytes - beforeBytes,
    };
  } finally {
    child.kill('SIGKILL');
  }
}
