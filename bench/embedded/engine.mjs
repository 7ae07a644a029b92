// A process that loads one model as the embedded engine does, with the engine's binding. It waits for a message
// before each step, so that the parent can read its memory between the steps.
//
// { options, parallel, stepTokens } loads the model, and answers with the lines of llama.cpp's log that name buffers.
// { prompts, tokens } processes prompts of so many tokens at the same time, one for each sequence.
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

/** llama.cpp's log arrives through the event loop after the call that wrote it. */
const LOG_DELAY_MS = 20;

let context;
let isEmbedding = false;

process.on('message', (message) => {
  const step = 'options' in message ? load(message) : run(message);
  step.then(
    (answer) => process.send(answer),
    (error) => process.send({ error: error.message }),
  );
});

async function load({ options, stepTokens }) {
  const from = new URL('../../packages/llama-runtime/package.json', import.meta.url);
  const binding = `@fugood/node-llama-${process.platform}-${process.arch}`;
  const { LlamaContext } = createRequire(from)(binding);
  const log = [];
  LlamaContext.toggleNativeLog(true, (_level, text) => log.push(text));
  context = new LlamaContext(options);
  isEmbedding = options.embedding;
  if (!context.enableParallelMode({ n_parallel: options.n_parallel, n_batch: stepTokens }))
    throw new Error('llama.cpp refused the parallel mode.');
  await delay(LOG_DELAY_MS);
  return { bufferLines: log.join('').split('\n').filter(isBufferLine) };
}

function isBufferLine(line) {
  return line.includes(' buffer size =');
}

async function run({ prompts, tokens }) {
  const prompt = 'a'.repeat(tokens);
  const counts = await Promise.all(Array.from({ length: prompts }, () => process1(prompt)));
  return { promptTokens: counts };
}

function process1(prompt) {
  return new Promise((resolve, reject) => {
    const end = (error, answer) => {
      if (error) reject(new Error(String(error)));
      else resolve(answer?.timings?.prompt_n ?? null);
    };
    if (isEmbedding) context.queueEmbedding(prompt, {}, end);
    else
      context.queueCompletion({ prompt, n_predict: 1, ignore_eos: true }, (error, answer) => {
        if (error || answer.token === undefined) end(error, answer);
      });
  });
}
