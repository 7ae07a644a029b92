import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { LayerPattern, LayerPatterns } from '../architecture/layer-pattern.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { GpuBackend, EngineSettings } from '../settings/estimate-settings.js';
import { itemAt } from '../item-at.js';
import type { RuntimeShape } from '../parts/runtime-shape.js';
import { buildGraph } from './build-graph.js';
import {
  GraphContext,
  GraphUnavailableError,
  type Homes,
  type Shortening,
} from './layers/graph-context.js';
import { reserve, type Reservation } from './packing/allocate.js';
import { reorderForVulkan } from './packing/reorder-for-vulkan.js';
import { schedule, type OffloadRules, type Reorder } from './packing/schedule.js';

/** Alignment of tensors in ggml's CPU buffers (TENSOR_ALIGNMENT), in bytes. */
const CPU_ALIGNMENT = 32;

/** How a GPU back end allocates tensors, and which operations it takes over from the CPU. */
interface BackendRules {
  /** Bytes that a tensor's size is rounded up to. */
  readonly alignment: number;
  readonly offload: OffloadRules;
  readonly reorder: Reorder | null;
}

/**
 * Layers are left out only if their share is at least this. For fewer layers, the attempt may cost more than it
 * saves.
 */
const WORTHWHILE_SHARE = 0.3;

const TAKES_OVER: OffloadRules = { minBatch: 32, onlyProducts: false };

const BACKENDS: Readonly<Record<Exclude<GpuBackend, 'none'>, BackendRules>> = {
  cuda: { alignment: 128, offload: TAKES_OVER, reorder: null },
  vulkan: { alignment: 64, offload: TAKES_OVER, reorder: reorderForVulkan },
  metal: { alignment: 32, offload: { minBatch: 32, onlyProducts: true }, reorder: null },
};

/** The devices of weights and layers. The GPUs have the first indices, the CPU the last one. */
export interface ComputePlacement {
  readonly gpuCount: number;
  readonly homes: Homes;
  /** The placement of each layer. Used to leave out repeating layers; `null` builds every layer. */
  readonly layout: ((il: number) => LayerLayout) | null;
}

export interface LayerLayout {
  readonly device: number;
  /** Whether weights of the layer are copied to a GPU that takes over operations. */
  readonly copiesWeights: boolean;
}

/** Bytes of the compute buffers by device. */
export interface ComputeBuffers {
  readonly cpuBytes: number;
  readonly gpuBytes: readonly number[];
  /**
   * The most bytes in use at once, which are at most the buffer's size. With larger tensors, this value never
   * falls, but the buffer may shrink.
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
    const context = new GraphContext(index, model, settings, shape, homes, shortenings);
    buildGraph(context);
    if (gpuCount === 0 || backend === null) return reserveOnCpu(context);
    const { nodes, leaves } = schedule(context.graph, gpuCount, backend.offload, backend.reorder);
    const alignments = [...new Array<number>(gpuCount).fill(backend.alignment), CPU_ALIGNMENT];
    return reserve(nodes, leaves, alignments, context.marks);
  };
  const { bytes, liveBytes } = runShortened(
    stretches(index.patterns, model.layers, placement.layout),
    model.layers * WORTHWHILE_SHARE,
    run,
  );
  if (!bytes.every(Number.isSafeInteger))
    throw new GraphUnavailableError('the sizes in the header contradict each other');
  return {
    cpuBytes: itemAt(bytes, gpuCount),
    gpuBytes: bytes.slice(0, gpuCount),
    liveBytes: { cpu: itemAt(liveBytes, gpuCount), gpus: liveBytes.slice(0, gpuCount) },
  };
}

/** The repeating stretches of layers, cut where the placement of layers changes. */
function stretches(
  patterns: LayerPatterns | null,
  layers: number,
  layout: ComputePlacement['layout'],
): readonly LayerPattern[] {
  if (patterns === null || layout === null) return [];
  const result: LayerPattern[] = [];
  for (let first = 0, next: number; first < layers; first = next) {
    const { copiesWeights } = layout(first);
    next = first + 1;
    while (next < layers && isSameLayout(layout(first), layout(next))) next += 1;
    const pattern = copiesWeights ? patterns.byType : patterns.byShape;
    if (pattern === null) continue;
    const [start, end] = [Math.max(first, pattern.start), Math.min(next, pattern.end)];
    if (start < end) result.push({ ...pattern, start, end });
  }
  return result;
}

function isSameLayout(one: LayerLayout, other: LayerLayout): boolean {
  return one.device === other.device && one.copiesWeights === other.copiesWeights;
}

/**
 * Packs the graph without most of the layers that repeat. When one round of a stretch leaves memory in the same
 * state as the round before, all further rounds do so too, and can be left out. If the state of memory never
 * repeats, packs the graph again with all layers.
 */
function runShortened(
  patterns: readonly LayerPattern[],
  worthwhileLayers: number,
  run: (shortenings: readonly Shortening[]) => Reservation,
): Reservation {
  const shortenings = patterns.map(shorten).filter((shortening) => shortening !== null);
  const left = shortenings.reduce((sum, { skipFrom, skipTo }) => sum + skipTo - skipFrom, 0);
  if (left > 0 && left >= worthwhileLayers) {
    const reservation = run(shortenings);
    if (reservation.settled) return reservation;
  }
  return run([]);
}

function reserveOnCpu(context: GraphContext): Reservation {
  const { nodes, leaves } = context.graph;
  for (const tensor of nodes) tensor.device = 0;
  for (const tensor of leaves) tensor.device = 0;
  return reserve(nodes, leaves, [CPU_ALIGNMENT], context.marks);
}

/**
 * The layers to leave out of a stretch. A stretch with a period of one layer settles within three rounds, or never.
 * Its hidden state may alternate between two places, so an even number of rounds is left out. Longer periods settle
 * within two rounds. The last round stays, so that every input is last used in the same place.
 */
function shorten({ start, period, end }: LayerPattern): Shortening | null {
  const [rounds, step] = period === 1 ? [3, 2] : [2, 1];
  const skipFrom = start + rounds * period;
  const left = Math.floor((end - period - skipFrom) / (step * period));
  return left < 1 ? null : { skipFrom, skipTo: skipFrom + left * step * period, period, step };
}
