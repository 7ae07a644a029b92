import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { ModelIndex } from '../architecture/model-index.js';
import { indexWeights } from '../architecture/weight-index.js';
import type { GgufTensor } from '../gguf/gguf-header.js';
import { ALL_LAYERS } from '../settings/estimate-settings.js';
import { sumParts } from './memory-parts.js';
import { modelMemory, type Load, type ModelMemory } from './model-memory.js';

/** The memory for drafting tokens, by device. */
export interface DraftMemory {
  readonly ramBytes: number;
  readonly gpuBytes: readonly number[];
  /** Bytes of compute buffers in RAM and on GPUs. They are included in the bytes above. */
  readonly computeBytes: number;
  readonly slack: ModelMemory['slack'];
}

/**
 * The memory for drafting tokens: the weights of the draft model, or of the file's own draft layers (MTP), and a
 * separate context with an F16 cache, compute buffers and an output. All bytes are 0 where no tokens are drafted.
 */
export function draftMemory(
  index: ModelIndex,
  load: Load,
  draftModel: ModelIndex | null,
): DraftMemory {
  const nothing = { ramBytes: 0, gpuBytes: load.gpuWeights.map(() => 0) };
  const drafter = draftModel ?? draftLayers(index);
  if (load.settings.draftTokens === 0 || drafter === null)
    return { ...nothing, computeBytes: 0, slack: nothing };
  const { ram, gpus, slack } = modelMemory(drafter, {
    ...load,
    settings: {
      ...load.settings,
      draftTokens: 0,
      kvCacheTypeK: 'f16',
      kvCacheTypeV: 'f16',
      gpuLayers: load.settings.gpuLayers > 0 ? ALL_LAYERS : 0,
    },
    cpuExpertLayers: 0,
  });
  return {
    ramBytes: sumParts(ram),
    gpuBytes: gpus.map(sumParts),
    computeBytes: [ram, ...gpus].reduce((sum, { computeBytes }) => sum + computeBytes, 0),
    slack,
  };
}

const drafters = new WeakMap<ModelIndex, ModelIndex | null>();

/** The draft layers at the end of a file as a separate model; `null` where the file has no draft layers. */
function draftLayers(index: ModelIndex): ModelIndex | null {
  const cached = drafters.get(index);
  if (cached !== undefined) return cached;
  const drafter = index.model === null ? null : extractDraftLayers(index, index.model);
  drafters.set(index, drafter);
  return drafter;
}

function extractDraftLayers(index: ModelIndex, model: Hyperparameters): ModelIndex | null {
  const first = model.layers;
  const count = model.layersInFile - first;
  if (count === 0) return null;
  const drafter: Hyperparameters = {
    ...model,
    layers: count,
    layersInFile: count,
    heads: model.heads.slice(first),
    kvHeads: model.kvHeads.slice(first),
    expertsUsed: model.expertsUsed.slice(first),
    window: null,
    recurrent: new Array<boolean>(count).fill(false),
    attention: new Array<boolean>(count).fill(true),
  };
  const header = { ...index.header, tensors: index.header.tensors.flatMap(renamed(first)) };
  return {
    ...index,
    header,
    model: drafter,
    layers: index.layers.slice(first),
    patterns: null,
    weights: indexWeights(header, drafter),
  };
}

/** Keeps the tensors of the layers from `first` on, and numbers these layers from 0. */
function renamed(first: number): (tensor: GgufTensor) => readonly GgufTensor[] {
  return (tensor) => {
    const [, number, name = ''] = /^blk\.(\d+)\.(.*)$/.exec(tensor.name) ?? [];
    const layer = Number(number) - first;
    return layer >= 0 ? [{ ...tensor, name: `blk.${layer}.${name}` }] : [];
  };
}
