import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { GpuBackend, EngineSettings } from '../settings/estimate-settings.js';
import { itemAt } from '../item-at.js';
import type { RuntimeShape } from '../parts/runtime-shape.js';
import { buildGraph } from './build-graph.js';
import { GraphContext, GraphUnavailableError, type Homes } from './layers/graph-context.js';
import { reserve, type Reservation } from './packing/allocate.js';
import { reorderForVulkan } from './packing/reorder-for-vulkan.js';
import { schedule, type OffloadRules, type Reorder } from './packing/schedule.js';
import { runShortened, type LayoutOfLayer, type Shortening } from './layers/shortening.js';

/** Alignment of tensors in ggml's CPU buffers (TENSOR_ALIGNMENT), in bytes. */
const CPU_ALIGNMENT = 32;

/** Rules of a GPU back end: the allocation of tensors, and the operations that it takes over from the CPU. */
interface BackendRules {
  /** Bytes that a tensor's size is rounded up to. */
  readonly alignment: number;
  readonly offload: OffloadRules;
  readonly reorder: Reorder | null;
}

const TAKES_OVER: OffloadRules = { minBatch: 32, onlyProducts: false };

const BACKENDS: Readonly<Record<Exclude<GpuBackend, 'none'>, BackendRules>> = {
  cuda: { alignment: 128, offload: TAKES_OVER, reorder: null },
  vulkan: { alignment: 64, offload: TAKES_OVER, reorder: reorderForVulkan },
  metal: { alignment: 32, offload: { minBatch: 32, onlyProducts: true }, reorder: null },
};

/** The devices of weights and layers. The GPUs have the first indices, and the CPU has the last index. */
export interface ComputePlacement {
  readonly gpuCount: number;
  readonly homes: Homes;
  /** The placement of each layer. Used to leave out repeating layers; `null` builds every layer. */
  readonly layout: LayoutOfLayer | null;
}

/** Bytes of the compute buffers by device. */
export interface ComputeBuffers {
  readonly cpuBytes: number;
  readonly gpuBytes: readonly number[];
  /**
   * The most bytes in use at once, which are at most the buffer's size. Larger tensors never lower this value, but
   * may shrink the buffer.
   */
  readonly liveBytes: { readonly cpu: number; readonly gpus: readonly number[] };
}

/**
 * Computes the compute buffers as llama.cpp reserves them: builds the graph of a full micro-batch, and
 * packs its tensors by their lifetimes.
 *
 * @throws GraphUnavailableError where the model lacks a tensor or a figure that its graph needs.
 */
export function computeBuffers(
  index: ModelIndex,
  model: Hyperparameters,
  settings: EngineSettings,
  shape: RuntimeShape,
  placement: ComputePlacement,
): ComputeBuffers {
  const { gpuCount, homes } = placement;
  const backend = settings.gpuBackend === 'none' ? null : BACKENDS[settings.gpuBackend];
  const run = (shortenings: readonly Shortening[]): Reservation => {
    const context = new GraphContext(index, model, settings, shape, homes, gpuCount, shortenings);
    buildGraph(context);
    if (gpuCount === 0 || backend === null) return reserveOnCpu(context);
    const { nodes, leaves } = schedule(context.graph, gpuCount, backend.offload, backend.reorder);
    const alignments = [...new Array<number>(gpuCount).fill(backend.alignment), CPU_ALIGNMENT];
    return reserve(nodes, leaves, alignments, context.layers.marks);
  };
  const { bytes, liveBytes } = runShortened(index.patterns, model.layers, placement.layout, run);
  if (!bytes.every(Number.isSafeInteger))
    throw new GraphUnavailableError('the sizes in the header contradict each other');
  return {
    cpuBytes: itemAt(bytes, gpuCount),
    gpuBytes: bytes.slice(0, gpuCount),
    liveBytes: { cpu: itemAt(liveBytes, gpuCount), gpus: liveBytes.slice(0, gpuCount) },
  };
}

function reserveOnCpu(context: GraphContext): Reservation {
  const { nodes, leaves } = context.graph;
  for (const tensor of nodes) tensor.device = 0;
  for (const tensor of leaves) tensor.device = 0;
  return reserve(nodes, leaves, [CPU_ALIGNMENT], context.layers.marks);
}
