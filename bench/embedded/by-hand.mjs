// Child process of throughput.mjs: loads a model with the binding alone, and answers each message with the tokens and
// the milliseconds of its completions. The options are those that the engine's own process gives to the binding.
import { createRequire } from 'node:module';

const require = createRequire(
  new URL('../../packages/llama-runtime/package.json', import.meta.url),
);
const { LlamaContext } = require(`@fugood/node-llama-${process.platform}-${process.arch}`);
const STEP_TOKENS = 32;

let context;
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (message) => {
  if (message.file !== undefined) {
    load(message);
    process.send({ ready: true });
    return;
  }
  const startMs = performance.now();
  const tokens = await Promise.all(message.requests.map(complete));
  process.send({ tokens, ms: performance.now() - startMs });
});

function load({ file, contextLengthTokens, parallelSequences, threads }) {
  context = new LlamaContext({
    model: file,
    n_ctx: contextLengthTokens * parallelSequences,
    n_batch: STEP_TOKENS,
    n_ubatch: STEP_TOKENS,
    n_parallel: parallelSequences,
    n_threads: threads,
    n_gpu_layers: 0,
    n_cpu_moe: 0,
    flash_attn_type: 'auto',
    cache_type_k: 'f16',
    cache_type_v: 'f16',
    ctx_shift: false,
    kv_unified: true,
    swa_full: false,
    use_mmap: true,
    use_mlock: false,
    embedding: false,
  });
  context.enableParallelMode({ n_parallel: parallelSequences, n_batch: STEP_TOKENS });
}

/** Resolves with the number of generated tokens. */
function complete({ content, maxTokens }) {
  const options = {
    messages: [{ role: 'user', content }],
    jinja: true,
    reasoning_format: 'auto',
    temperature: 0,
    n_predict: maxTokens,
    dry_multiplier: 0,
    xtc_probability: 0,
    xtc_threshold: 0.1,
  };
  return new Promise((resolve, reject) => {
    context.queueCompletion(options, (error, report) => {
      if (error) reject(new Error(String(error)));
      else if (report.token === undefined) resolve(report.tokens_predicted);
    });
  });
}
