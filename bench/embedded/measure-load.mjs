// Loads a model in a child process of the embedded engine, and measures this process.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { readPrivateMemory } from '@mai/resource-monitor';

const ENGINE = fileURLToPath(
  new URL('../../packages/llama-runtime/dist/engine-child.js', import.meta.url),
);
const KEY = 'bench';
/** Node has started when none of its threads has used the processor for this time. The memory before the load is read then. */
const IDLE_MS = 400;

/**
 * Returns the lines of llama.cpp's log that name buffers, and the anonymous memory of the process less the memory
 * that it had before the load: after the load (`loadedBytes`), and after prompts that fill the whole cache
 * (`usedBytes`).
 *
 * @param load A load of loads.mjs.
 */
export async function measureLoad(file, load) {
  const token = randomBytes(16).toString('hex');
  // The binding writes to standard output and to standard error. The last lines explain a crash.
  const child = fork(ENGINE, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = `${errors}${chunk}`.slice(-1000)));
  try {
    const beforeBytes = await memoryWhenIdle(child.pid);
    child.send({ type: 'load', spec: specOf(file, load, token) });
    const { port, facts } = await isReady(child, () => errors);
    const loadedBytes = await readPrivateMemory([child.pid]);
    const prompts = Array.from({ length: load.embedding ? 1 : load.parallel }, () =>
      ask(port, token, load),
    );
    await Promise.all(prompts);
    const usedBytes = await readPrivateMemory([child.pid]);
    return {
      bufferLines: facts.bufferLines,
      loadedBytes: loadedBytes - beforeBytes,
      usedBytes: usedBytes - beforeBytes,
      /** With the process itself. */
      wholeBytes: usedBytes,
    };
  } finally {
    child.kill('SIGKILL');
  }
}

/**
 * The memory of a process that waits for its first message. On a busy machine a process can stand still in the middle of its
 * start: a thread is then runnable (R) or waits for the disk (D), and not asleep (S).
 */
async function memoryWhenIdle(processId) {
  let before = null;
  for (;;) {
    await delay(IDLE_MS);
    const now = readThreads(processId);
    if (now.every(({ state }) => state === 'S') && isDeepStrictEqual(now, before))
      return readPrivateMemory([processId]);
    before = now;
  }
}

/** The state and the processor time of each thread. */
function readThreads(processId) {
  const folder = `/proc/${processId}/task`;
  return readdirSync(folder).map((thread) => {
    const stat = readFileSync(`${folder}/${thread}/stat`, 'utf8');
    // The name of the thread comes before the last closing parenthesis. It can contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { thread, state: fields[0], ticks: Number(fields[11]) + Number(fields[12]) };
  });
}

function specOf(file, load, token) {
  return {
    file,
    projectorFile: null,
    kind: load.embedding ? 'embedding' : 'llm',
    modelKey: KEY,
    instanceIdentifier: KEY,
    contextLengthTokens: load.context,
    parallelSequences: load.parallel,
    kvCacheTypeK: load.kvK,
    kvCacheTypeV: load.kvV,
    flashAttention: load.flashAttention,
    gpuLayers: 0,
    cpuExpertLayers: 0,
    locksWeights: false,
    threads: 1,
    token,
  };
}

function isReady(child, errors) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`The engine ended with ${signal ?? code}\n${errors()}`)),
    );
    child.on('message', (message) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'failed') reject(new Error(message.message));
    });
  });
}

/** Sends a text of as many tokens as the context has, less one token for the answer. Each letter is a token. */
async function ask(port, token, { embedding, context }) {
  const text = 'a'.repeat(context - 1);
  const [path, body] = embedding
    ? ['embeddings', { model: KEY, input: text }]
    : ['completions', { model: KEY, prompt: text, max_tokens: 1 }];
  const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  if (answer.usage.prompt_tokens !== text.length)
    throw new Error(`The prompt has ${answer.usage.prompt_tokens} tokens, not ${text.length}.`);
}
