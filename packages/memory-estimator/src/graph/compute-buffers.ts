import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { GpuBackend, ResolvedSettings } from '../settings/estimate-settings.js';
import type { RuntimeShape } from '../settings/runtime-shape.js';
import { reserve, type BufferRules } from './allocate.js';
import { buildGraph } from './build-graph.js';
import { GraphContext, type Homes } from './graph-context.js';
import { schedule, type OffloadRules } from './schedule.js';

/** TENSOR_ALIGNMENT of ggml's CPU buffers. */
const CPU_ALIGNMENT = 32;

const CPU_BUFFER: BufferRules = {
  alignment: CPU_ALIGNMENT,
  allocBytes: (tensor) => tensor.bytes,
};

/** A back end's compute buffers, and what it takes over from the CPU. */
interface BackendRules {
  readonly buffer: BufferRules;
  readonly offload: OffloadRules;
}

const TAKES_OVER: OffloadRules = { minBatch: 32, onlyProducts: false };

const BACKENDS: Readonly<Record<Exclude<GpuBackend, 'none'>, BackendRules>> = {
  cuda: { buffer: packed(128), offload: TAKES_OVER },
  vulkan: { buffer: packed(64), offload: TAKES_OVER },
  metal: { buffer: packed(32), offload: { minBatch: 32, onlyProducts: true } },
};

function packed(alignment: number): BufferRules {
  return { alignment, allocBytes: (tensor) => tensor.bytes };
}

/** Where weights and layers are, by device: the GPUs in order, then the CPU. */
export interface ComputePlacement {
  readonly gpuCount: number;
  readonly homes: Homes;
}

/** Bytes of the compute buffers, the CPU's and each GPU's. */
export interface ComputeBuffers {
  readonly cpuBytes: number;
  readonly gpuBytes: readonly number[];
}

/**
 * The compute buffers that llama.cpp reserves: it builds the graph of a full micro-batch and packs its
 * tensors by lifetime; so does this.
 */
export function computeBuffers(
  index: ModelIndex,
  model: Hyperparameters,
  settings: ResolvedSettings,
  shape: RuntimeShape,
  placement: ComputePlacement,
): ComputeBuffers {
  const context = new GraphContext(index, model, settings, shape, placement.homes);
  buildGraph(context);
  const { graph } = context;
  const { gpuCount } = placement;
  if (gpuCount === 0 || settings.gpuBackend === 'none') {
    for (const tensor of graph.nodes) tensor.device = 0;
    for (const tensor of graph.leaves) tensor.device = 0;
    const [cpuBytes] = reserve(graph.nodes, graph.leaves, [CPU_BUFFER]);
    return { cpuBytes: cpuBytes as number, gpuBytes: [] };
  }
  const backend = BACKENDS[settings.gpuBackend];
  const { nodes, leaves } = schedule(graph, gpuCount, backend.offload);
  const buffers = [...new Array<BufferRules>(gpuCount).fill(backend.buffer), CPU_BUFFER];
  const sizes = reserve(nodes, leaves, buffers);
  return { cpuBytes: sizes[gpuCount] as number, gpuBytes: sizes.slice(0, gpuCount) };
}
