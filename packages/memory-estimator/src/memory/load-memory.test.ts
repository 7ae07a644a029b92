import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { corpusHeader } from '../../test/corpus.js';
import { CPU_ENVIRONMENT } from '../load/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { resolveEngineProfile, type EngineQuestion } from '../profile/resolve-profile.js';

const LOAD = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 };

async function estimateFor(engine: EngineQuestion, tokens: number, merges: number) {
  const header = await corpusHeader('qwen3-8b-q4km');
  const list = (length: number) => ({ length, values: null });
  const metadata = new Map(header.metadata)
    .set('tokenizer.ggml.tokens', list(tokens))
    .set('tokenizer.ggml.merges', list(merges));
  const environment = { ...CPU_ENVIRONMENT, profile: resolveEngineProfile(engine) };
  return estimateFootprint({ ...header, metadata }, LOAD, environment);
}

test('the embedded engine takes memory for itself, for each token and for each merge', async () => {
  const { parts, ram, totalBytes, interval } = await estimateFor({ engine: 'embedded' }, 1000, 10);
  expect(parts.ram.engineBytes).toBe(3_670_016 + 1000 * 163 + 10 * 112);
  const { weightsBytes, ...others } = parts.ram;
  expect(ram.anonymousBytes).toBe(Object.values(others).reduce((sum, bytes) => sum + bytes, 0));
  expect(totalBytes).toBe(ram.anonymousBytes + weightsBytes);
  expect(interval?.lowBytes).toBeLessThan(totalBytes - parts.ram.engineBytes);
  expect(interval?.highBytes).toBeGreaterThan(totalBytes);
});

test('the memory of other engines is not known, so the total has only the parts that llama.cpp prints', async () => {
  const { parts } = await estimateFor({ engine: 'llama.cpp' }, 1000, 10);
  expect(parts.ram.engineBytes).toBe(0);
});
