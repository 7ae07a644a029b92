import { estimateFootprint, readGgufHeader } from '@mai/memory-estimator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { runtimeContract } from '../../lmstudio-adapter/test/runtime-contract.js';
import { type RealWorld, realWorld } from '../test/real-world.js';
import type { EstimateMemory } from './index.js';

let world: RealWorld;
beforeAll(async () => {
  world = await realWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** The estimate from the header, as the host supplies it. Every load fits. */
const estimate: EstimateMemory = async ({ files: [file = ''] }, loadConfig) => {
  const { parts, totalBytes } = estimateFootprint(await readGgufHeader(file), loadConfig);
  return {
    confidence: 'high',
    weightsBytes: parts.ram.weightsBytes,
    contextBytes: parts.ram.kvCacheBytes,
    totalBytes,
    weightsVramBytes: 0,
    contextVramBytes: 0,
    totalVramBytes: 0,
    passesGuardrails: true,
  };
};

runtimeContract('the embedded engine', () =>
  Promise.resolve({
    connect: () => world.open({ engine: 'cpu', estimate }),
    llmKey: 'noise',
    embeddingKey: 'noise-embedding',
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
);

test('an embedding model has as many layers on the GPU as there are GPUs: 0 without one', async () => {
  await using runtime = await world.open({ engine: 'cpu' });
  const { verified } = await runtime.load({
    modelKey: 'noise-embedding',
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 512, offloadRatio: 0.5 },
  });
  expect(verified).toEqual([{ field: 'offloadRatio', asked: 0.5, got: 0 }]);
});
