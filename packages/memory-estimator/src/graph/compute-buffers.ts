import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { LayerPattern, LayerPatterns } from '../architecture/layer-pattern.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { GpuBackend, ResolvedSettings } from '../settings/estimate-settings.js';
import type { RuntimeShape } from '../settings/runtime-shape.js';
import { reserve, type Reservation } from './allocate.js';
import { buildGraph } from './build-graph.js';
import {
  GraphContext,
  GraphUnavailableError,
  type Homes,
  type Shortening,
} from './graph-context.js';
import { reorderForVulkan } from './reorder-for-vulkan.js';
import { schedule, type OffloadRules, type Reorder } from './schedule.js';

/** TENSOR_ALIGNMENT of ggml's CPU buffers. */
const CPU_ALIGNMENT = 32;

/** A back end's compute buffers, and what it takes over from the CPU. */
interface BackendRules {
  /** Bytes that tensors are rounded up to. */
  readonly alignment: number;
  readonly offload: OffloadRules;
  readonly reorder: Reorder | null;
}

/** Leaving out fewer layers gains less than is lost where memory does not settle. */
const WORTHWHILE_SHARE = 0.3;

const TAKES_OVER: OffloadRules = { minBatch: 32, onlyProducts: false };

const BACKENDS: Readonly<Record<Exclude<GpuBackend, 'none'>, BackendRules>> = {
  cuda: { alignment: 128, offload: TAKES_OVER, reorder: null },
  vulkan: { alignment: 64, offload: TAKES_OVER, reorder: reorderForVulkan },
  metal: { alignment: 32, offload: { minBatch: 32, onlyProducts: true }, reorder: null },
};

/** Where weights and layers are, by device: the GPUs in order, then the CPU. */
export interface ComputePlacement {
  readonly gpuCount: number;
  readonly homes: Homes;
  /** How a layer lies: neighbours that lie alike repeat as they do in the model. Null goes through every layer. */
  readonly layout: ((il: number) => LayerLayout) | null;
}

export interface LayerLayout {
  readonly device: number;
  /** A GPU takes operations over from the CPU, and copies weights for that. */
  readonly copiesWeights: boolean;
}

/** Bytes of the compute buffers, the CPU's and each GPU's. */
export interface ComputeBuffers {
  readonly cpuBytes: number;
  readonly gpuBytes: readonly number[];
  /** Bytes in use at once at most, on all devices: below the buffers' sizes, and never falling as tensors grow. */
  readonly liveBytes: { readonly cpu: number; readonly gpus: readonly number[] };
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
    cpuBytes: bytes[gpuCount] as number,
    gpuBytes: bytes.slice(0, gpuCount),
    liveBytes: { cpu: liveBytes[gpuCount] as number, gpus: liveBytes.slice(0, gpuCount) },
  };
}

/** What of the patterns is in each row of layers that lie alike. */
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
    while (next < layers && liesAlike(layout(first), layout(next))) next += 1;
    const pattern = copiesWeights ? patterns.byType : patterns.byShape;
    if (pattern === null) continue;
    const [start, end] = [Math.max(first, pattern.start), Math.min(next, pattern.end)];
    if (start < end) result.push({ ...pattern, start, end });
  }
  return result;
}

function liesAlike(one: LayerLayout, other: LayerLayout): boolean {
  return one.device === other.device && one.copiesWeights === other.copiesWeights;
}

/**
 * Layers repeat. Once a stretch of them leaves memory exactly as the stretch before did, all further ones
 * do the same, and need not be gone through; where they do not settle, the whole graph is.
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
 * Stretches of one layer settle within three rounds, longer ones within two, if at all. Where the stretch is
 * one layer, the hidden state may change places from round to round, so that rounds are left out in pairs.
 * A whole round stays at the end, so that every input is still last used where it was.
 */
function shorten({ start, period, end }: LayerPattern): Shortening | null {
  const [rounds, step] = period === 1 ? [3, 2] : [2, 1];
  const skipFrom = start + rounds * period;
  const left = Math.floor((end - period - skipFrom) / (step * period));
  return left < 1 ? null : { skipFrom, skipTo: skipFrom + left * step * period, period, step };
}
