import type { ModelIndex } from '../architecture/model-index.js';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import {
  computeBuffers,
  type ComputeBuffers,
  type ComputePlacement,
} from '../graph/compute-buffers.js';
import { hasExactGraph } from '../graph/build-graph.js';
import { GraphUnavailableError } from '../graph/layers/graph-context.js';
import {
  kvCacheBytesByLayer,
  outputBytes,
  recurrentBytesByLayer,
} from '../parts/context-buffers.js';
import { repackOf } from '../parts/repack.js';
import { runtimeShape, type RuntimeShape } from '../parts/runtime-shape.js';
import { CPU, placeWeights, type DeviceOfLayer } from '../parts/weights.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import { NO_PARTS, type MemoryParts, type PartName } from './memory-parts.js';
import { deviceOfLayer } from '../parts/offload.js';
import { sharedBuffers } from '../graph/shared-buffers.js';
import { roughCompute } from '../graph/rough-compute.js';

/** The settings of a load, and how its layers are spread over devices. */
export interface Load {
  readonly settings: EngineSettings;
  /** Share of the layers for each GPU, relative to the other GPUs; empty without a GPU. */
  readonly gpuWeights: readonly number[];
  /** The experts of layers with a lower index stay on the CPU. */
  readonly cpuExpertLayers: number;
}

/** The memory of a load by device, and how exact it is. */
export interface ModelMemory {
  readonly ram: MemoryParts;
  readonly gpus: readonly MemoryParts[];
  readonly exactParts: readonly PartName[];
  /**
   * Where the compute buffers come from. `simulated`: the exact graph. `guessed`: the graph of a usual
   * decoder. `rough`: a formula.
   */
  readonly compute: 'simulated' | 'guessed' | 'rough';
  /** Size of the compute buffers minus the bytes that are in use at once; see `ComputeBuffers`. */
  readonly slack: { readonly ramBytes: number; readonly gpuBytes: readonly number[] };
}

/** Computes the memory of a load. */
export function modelMemory(index: ModelIndex, load: Load): ModelMemory {
  const { model } = index;
  const { settings, gpuWeights } = load;
  const gpuCount = gpuWeights.length;
  const layers = model?.layersInFile ?? 0;
  const placeLayer = deviceOfLayer(layers, settings.gpuLayers, gpuWeights, settings.outputLayer);
  const kernels = repackOf(settings.cpu, settings.cpuKernels);
  const weights = placeWeights(index.weights, {
    deviceOfLayer: placeLayer,
    gpuCount,
    cpuExpertLayers: load.cpuExpertLayers,
    // With a GPU, the CPU's weights are not repacked, so that the GPU can copy them. Metal does not copy
    // weights.
    repack: gpuCount > 0 && settings.gpuBackend !== 'metal' ? 'none' : kernels,
  });
  const byDevice = (part: Partial<MemoryParts>): MemoryParts => ({ ...NO_PARTS, ...part });
  if (model === null) {
    return {
      ram: byDevice({ weightsBytes: weights.cpuBytes, repackBytes: weights.repackBytes }),
      gpus: weights.gpuBytes.map((weightsBytes) => byDevice({ weightsBytes })),
      exactParts: index.allWeights ? ['weights'] : [],
      compute: 'rough',
      slack: { ramBytes: 0, gpuBytes: weights.gpuBytes.map(() => 0) },
    };
  }
  const shape = runtimeShape(model, settings);
  const placeCache = settings.offloadsKvCache ? placeLayer : () => CPU;
  const kv = byPlace(kvCacheBytesByLayer(model, settings, shape), placeCache, gpuCount);
  const states = byPlace(recurrentBytesByLayer(model, shape), placeCache, gpuCount);
  const { buffers, kind } = compute(index, model, load, shape, placeLayer);
  return {
    ram: byDevice({
      weightsBytes: weights.cpuBytes,
      repackBytes: weights.repackBytes,
      kvCacheBytes: kv.cpuBytes,
      recurrentStateBytes: states.cpuBytes,
      computeBytes: buffers.cpuBytes,
      outputBytes: outputBytes(model, settings, shape),
    }),
    gpus: weights.gpuBytes.map((weightsBytes, i) =>
      byDevice({
        weightsBytes,
        kvCacheBytes: kv.gpuBytes[i] ?? 0,
        recurrentStateBytes: states.gpuBytes[i] ?? 0,
        computeBytes: buffers.gpuBytes[i] ?? 0,
      }),
    ),
    exactParts: exactParts(index, model, settings, kind, gpuCount),
    compute: kind,
    slack: {
      ramBytes: buffers.cpuBytes - buffers.liveBytes.cpu,
      gpuBytes: buffers.gpuBytes.map((bytes, i) => bytes - (buffers.liveBytes.gpus[i] ?? bytes)),
    },
  };
}

function compute(
  index: ModelIndex,
  model: Hyperparameters,
  load: Load,
  shape: RuntimeShape,
  placeLayer: DeviceOfLayer,
): { readonly buffers: ComputeBuffers; readonly kind: ModelMemory['compute'] } {
  const { settings, gpuWeights } = load;
  const gpuCount = gpuWeights.length;
  const layers = model.layersInFile;
  const device = (il: number) => {
    const place = placeLayer(il);
    return place === CPU ? gpuCount : place;
  };
  if (!model.cached || model.indexer !== null)
    return { buffers: roughCompute(model, settings, shape, gpuCount), kind: 'rough' };
  try {
    const placement: ComputePlacement = {
      gpuCount,
      layout: (il) => ({
        device: device(il),
        copiesWeights: gpuCount > 0 && (device(il) === gpuCount || il < load.cpuExpertLayers),
      }),
      homes: {
        layer: device,
        weight: (tensor, il) => {
          if (il !== null)
            return il < load.cpuExpertLayers && tensor.name.includes('exps.')
              ? gpuCount
              : device(il);
          if (/^(token_embd|position_embd|per_layer_token_embd)\./.test(tensor.name))
            return gpuCount;
          return device(/^(output|altup_)/.test(tensor.name) ? layers : 0);
        },
      },
    };
    const buffers = sharedBuffers(index, JSON.stringify(load), () =>
      computeBuffers(index, model, settings, shape, placement),
    );
    return { buffers, kind: hasExactGraph(model.architecture.name) ? 'simulated' : 'guessed' };
  } catch (error) {
    if (!(error instanceof GraphUnavailableError)) throw error;
    return { buffers: roughCompute(model, settings, shape, gpuCount), kind: 'rough' };
  }
}

function exactParts(
  index: ModelIndex,
  model: Hyperparameters,
  settings: EngineSettings,
  kind: ModelMemory['compute'],
  gpuCount: number,
): PartName[] {
  const parts: PartName[] = index.allWeights ? ['weights', 'repack'] : [];
  if (!index.consistent) return parts;
  if (model.architecture.known) parts.push('kvCache', 'recurrentState', 'output');
  const isCompared = isComparedLoad(settings, gpuCount);
  if (kind === 'simulated' && isCompared && index.allWeights) parts.push('compute');
  return parts;
}

/**
 * Whether such a load was compared with llama.cpp's report. The corpus has no load with a unified cache, and GPU
 * compute buffers only on Vulkan.
 */
export function isComparedLoad({ kvUnified }: EngineSettings, gpuCount: number): boolean {
  return gpuCount === 0 && !kvUnified;
}

function byPlace(
  layers: readonly number[],
  placeLayer: DeviceOfLayer,
  gpuCount: number,
): { readonly cpuBytes: number; readonly gpuBytes: readonly number[] } {
  const gpuBytes = new Array<number>(gpuCount).fill(0);
  let cpuBytes = 0;
  for (const [il, bytes] of layers.entries()) {
    const device = placeLayer(il);
    if (device === CPU) cpuBytes += bytes;
    else gpuBytes[device] = (gpuBytes[device] ?? 0) + bytes;
  }
  return { cpuBytes, gpuBytes };
}
