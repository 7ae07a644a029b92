import { corpusHeader, cpuCorpus } from '../../test/corpus.js';
import { indexModel } from '../architecture/model-index.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { resolveSettings } from '../load/choose-settings.js';
import { runtimeShape } from '../parts/runtime-shape.js';
import { computeBuffers, type ComputePlacement } from './compute-buffers.js';

const MODELS = [...new Set(cpuCorpus().map(({ model }) => model))];
const CPU_ONLY = { gpuCount: 0, homes: { weight: () => 0, layer: () => 0 } };

async function modelOf(name: string) {
  const index = indexModel(await corpusHeader(name));
  const { model } = index;
  if (model === null) throw new Error(`The header of ${name} lacks figures.`);
  return { index, model };
}

/**
 * Layers from `splits[0]` on are on the first GPU, layers from `splits[1]` on are on the second GPU, and all other
 * layers are on the CPU.
 */
function onGpus(splits: readonly number[], cpuExpertLayers: number): ComputePlacement {
  const cpu = splits.length;
  const layer = (il: number) => {
    const last = splits.findLastIndex((from) => il >= from);
    return last === -1 ? cpu : last;
  };
  const keepsExperts = (il: number) => il < cpuExpertLayers;
  return {
    gpuCount: splits.length,
    layout: (il) => ({
      device: layer(il),
      copiesWeights: keepsExperts(il) || layer(il) === cpu,
    }),
    homes: {
      layer,
      weight: ({ name }, il) => {
        if (il !== null) return keepsExperts(il) && name.includes('exps.') ? cpu : layer(il);
        return name.startsWith('token_embd') ? cpu : layer(Infinity);
      },
    },
  };
}

describe('leaving out layers that repeat gives the same buffers', () => {
  test.each(MODELS)('for %s on the CPU', async (name) => {
    const { index, model } = await modelOf(name);
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
            layout: () => ({ device: 0, copiesWeights: false }),
          });
          const whole = computeBuffers(index, model, settings, shape, {
            ...CPU_ONLY,
            layout: null,
          });
          expect(shortened).toEqual(whole);
          expect(shortened.liveBytes.cpu).toBeLessThanOrEqual(shortened.cpuBytes);
        }
      }
    }
  });

  test.each(MODELS)('for %s on CPU and GPUs', async (name) => {
    const { index, model } = await modelOf(name);
    const share = (ratio: number) => Math.round(ratio * model.layers);
    const placements = [
      ...[0.2, 0.5, 0.8].map((ratio) => onGpus([share(ratio)], 0)),
      onGpus([1], 0),
      onGpus([0], share(0.5)),
      onGpus([share(0.3)], share(0.6)),
      onGpus([share(0.3), share(0.7)], 0),
      onGpus([0, share(0.4)], 0),
    ];
    for (const [i, placement] of placements.entries()) {
      for (const flashAttention of [true, false]) {
        for (const contextLengthTokens of [512, 8192, 30_000]) {
          const settings = resolveSettings({
            ...NO_SETTINGS,
            contextLengthTokens,
            flashAttention,
            gpuBackend: (['cuda', 'vulkan', 'metal'] as const)[i % 3] ?? 'cuda',
          });
          const shape = runtimeShape(model, settings);
          const buffers = (layout: ComputePlacement['layout']) =>
            computeBuffers(index, model, settings, shape, { ...placement, layout });
          expect(buffers(placement.layout)).toEqual(buffers(null));
        }
      }
    }
  });
});
