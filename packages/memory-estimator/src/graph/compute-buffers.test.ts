import { corpusHeader, cpuCorpus } from '../../test/corpus.js';
import { indexModel } from '../architecture/model-index.js';
import { NO_SETTINGS } from '../estimate/estimate-footprint.js';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { resolveSettings } from '../settings/estimate-settings.js';
import { runtimeShape } from '../settings/runtime-shape.js';
import { computeBuffers } from './compute-buffers.js';

const MODELS = [...new Set(cpuCorpus().map(({ model }) => model))];
const CPU_ONLY = { gpuCount: 0, homes: { weight: () => 0, layer: () => 0 } };

describe('leaving out layers that repeat', () => {
  test.each(MODELS)('%s gives the same buffers as going through all of them', async (name) => {
    const index = indexModel(await corpusHeader(name));
    const model = index.model as Hyperparameters;
    for (const flashAttention of [true, false]) {
      for (const contextLengthTokens of [256, 1024, 3000, 8192, 20_000, 65_536]) {
        for (const parallelSequences of [1, 3]) {
          const settings = resolveSettings({
            ...NO_SETTINGS,
            contextLengthTokens,
            flashAttention,
            parallelSequences,
            kvUnified: false,
          });
          const shape = runtimeShape(model, settings);
          const shortened = computeBuffers(index, model, settings, shape, {
            ...CPU_ONLY,
            uniform: true,
          });
          const whole = computeBuffers(index, model, settings, shape, {
            ...CPU_ONLY,
            uniform: false,
          });
          expect(shortened).toEqual(whole);
          expect(shortened.liveBytes.cpu).toBeLessThanOrEqual(shortened.cpuBytes);
        }
      }
    }
  });
});
