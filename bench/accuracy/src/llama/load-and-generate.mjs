// Loads a GGUF file with llama.cpp, decodes a prompt that fills a micro-batch, and prints the anonymous memory
// of this process (Linux). Each load has its own process, as with LM Studio's engines.
import { readFileSync } from 'node:fs';
import { newModel, startLlama } from './start-llama.mjs';

const { file, context, batch, flashAttention } = JSON.parse(readFileSync(0, 'utf8'));
const { llama } = await startLlama();
const model = newModel(llama, file);
if (!(await model.init())) throw new Error('The model was refused.');
const running = new llama._bindings.AddonContext(model, {
  contextSize: context,
  batchSize: batch,
  sequences: 1,
  flashAttention,
});
if (!(await running.init())) throw new Error('The context was refused.');
const tokens = Uint32Array.from({ length: batch }, (_, index) => 5 + (index % 200));
running.initBatch(batch);
running.addToBatch(0, 0, tokens, Uint32Array.of(batch - 1));
await running.decodeBatch();
const anonymousKib = /^Anonymous:\s+(\d+) kB$/m.exec(
  readFileSync('/proc/self/smaps_rollup', 'utf8'),
)[1];
process.stdout.write(JSON.stringify({ anonymousBytes: Number(anonymousKib) * 1024 }), () =>
  process.exit(0),
);
