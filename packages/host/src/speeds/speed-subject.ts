import {
  hasOwnMemory,
  type GpuResources,
  type LoadConfig,
  type ModelShape,
  type Resources,
} from '@mai/memory-ledger';
import {
  gpuSpeedOf,
  usualRamBandwidth,
  type GpuSpeed,
  type LoadQuestion,
  type MachineSpeed,
  type Placement,
  type SpeedIdentity,
} from '@mai/performance-model';
import { environmentFor, type LoadEngine } from '../engine/load-engine.js';

/** The properties of a model, its load configuration and this machine that decide speed. */
export interface SpeedSubject {
  readonly shape: ModelShape;
  readonly machine: MachineSpeed;
  readonly placement: Placement;
  readonly identity: SpeedIdentity;
  /** Whether the bandwidth of the GPU is not known. Predictions then need a measurement, or the bandwidth of RAM. */
  readonly isGpuGuessed: boolean;
  /** Whether each GPU of unknown bandwidth is a part of the processor, so that it reads RAM. */
  readonly gpuReadsRam?: boolean | undefined;
  /** Threads of an engine where it is not known whether its build uses vector instructions; null: `machine` states it. */
  readonly mayBeScalar: number | null;
  /** Where the shape is a guess. Default: it is from the model's files. */
  readonly shapeDoubt?: ShapeDoubt | undefined;
  readonly contextLengthTokens: number | null;
  readonly load: Pick<LoadQuestion, 'fileBytes' | 'gpuBytes'>;
}

/** How far a guessed shape may be wrong. After a measurement of the model, this no longer counts. */
export interface ShapeDoubt {
  readonly modelKey: string;
  /** The model may be this many times slower. */
  readonly low: number;
  /** The model may be this many times faster. */
  readonly high: number;
}

/** The memory of a machine that tells its speed. */
export type SpeedResources = Pick<Resources, 'gpus' | 'unified'> & {
  readonly ram: Pick<Resources['ram'], 'totalBytes'>;
};

/** The facts that a subject is made from. */
export interface SpeedFacts {
  readonly shape: ModelShape;
  /** As in `SpeedSubject`. */
  readonly shapeDoubt?: ShapeDoubt | undefined;
  readonly loadConfig: LoadConfig;
  readonly resources: SpeedResources;
  readonly engine: LoadEngine;
  /** `gguf` or `mlx`. */
  readonly format: string;
  readonly quantization: string | null;
  /** Bytes of the files; null where they are not known. */
  readonly fileBytes: number | null;
  /** Bytes per second of RAM; null where it was not measured. */
  readonly ramBandwidth: number | null;
}

/** Bandwidth of a usual GPU. Stands in for a GPU that the table of devices lacks. */
const USUAL_GPU_BANDWIDTH = 400e9;

/** Joins the facts. Settings that the load configuration leaves to the engine have the engine's defaults. */
export function speedSubjectOf(facts: SpeedFacts): SpeedSubject {
  const { shape, shapeDoubt, loadConfig, resources, engine, quantization } = facts;
  const { settings } = engine.profile;
  const used = usedGpus(facts);
  const backend = backendOf(facts);
  const known = used.map((one) => publishedSpeedOf(one, resources, backend));
  const gpu = used.length === 0 ? null : joined(used, known, backend);
  const [first] = resources.gpus;
  const ofRam =
    resources.unified && first !== undefined ? publishedSpeedOf(first, resources) : null;
  const placement: Placement = {
    offloadRatio: gpu === null ? 0 : (loadConfig.offloadRatio ?? 1),
    cpuExpertRatio: gpu === null ? 0 : (loadConfig.cpuExpertRatio ?? 0),
    kvCacheType: loadConfig.kvCacheTypeK ?? settings.kvCacheTypeK.value,
    // mlx-engine does not have this setting.
    kvCacheInRam: gpu !== null && facts.format !== 'mlx' && !settings.offloadsKvCache.value,
    microBatchTokens: settings.ubatchTokens.value,
  };
  const onGpu =
    placement.offloadRatio * (shape.weightBytes - placement.cpuExpertRatio * shape.expertBytes);
  return {
    shape,
    placement,
    shapeDoubt,
    load: {
      fileBytes: facts.fileBytes ?? shape.weightBytes,
      gpuBytes: resources.unified ? 0 : onGpu,
    },
    machine: {
      gpu,
      ramBandwidth:
        ofRam?.memoryBandwidth ??
        facts.ramBandwidth ??
        (first?.name == null ? null : usualRamBandwidth(first.name)),
      scalarThreads: engine.vectorInstructions === false ? engine.threads : null,
    },
    identity: {
      // Every quantization of a model has the same layers and parameters. Two models of one size may have the same guessed shape.
      model: shapeDoubt?.modelKey ?? `${shape.layers}/${shape.parameters}`,
      quantization: quantization ?? '',
      engine: engineNameOf(facts),
    },
    isGpuGuessed: known.includes(null),
    gpuReadsRam: used.every((one, index) => known[index] !== null || !hasOwnMemory(one, resources)),
    mayBeScalar: engine.vectorInstructions === null ? engine.threads : null,
    contextLengthTokens: loadConfig.contextLengthTokens,
  };
}

/** The speed of a GPU from the table of devices; null where the table does not have it. */
export function publishedSpeedOf(
  gpu: GpuResources,
  { ram, unified }: SpeedResources,
  backend?: GpuSpeed['backend'],
): GpuSpeed | null {
  if (gpu.name === null) return null;
  // Apple's GPUs report the part of RAM that they may take, but Macs of one chip differ in the size of RAM.
  return gpuSpeedOf(gpu.name, backend, unified ? ram.totalBytes : gpu.totalBytes);
}

/** The engine of a model's format and its version. */
function engineNameOf({ engine, format }: Pick<SpeedFacts, 'engine' | 'format'>): string {
  const selected = engine.selected.find((one) => one.format === format);
  const { runtimeVersion, factsVersion } = engine.profile;
  return selected === undefined
    ? `${engine.profile.engine}@${runtimeVersion ?? factsVersion}`
    : `${selected.name}@${selected.version}`;
}

function usedGpus({ resources, engine, loadConfig, format }: SpeedFacts): readonly GpuResources[] {
  if (format === 'mlx') return resources.gpus.slice(0, 1);
  if (loadConfig.offloadRatio === 0) return [];
  const keys = environmentFor(resources, engine).gpus.map(({ deviceKey }) => deviceKey);
  return resources.gpus.filter(({ deviceKey }) => keys.includes(deviceKey));
}

function backendOf({ resources, engine, format }: SpeedFacts): GpuSpeed['backend'] {
  if (format === 'mlx') return 'mlx';
  const { name = '' } = engine.selected.find((one) => one.format === format) ?? {};
  if (/rocm|hip/i.test(name)) return 'rocm';
  const { gpuBackend } = environmentFor(resources, engine);
  return gpuBackend === 'none' ? 'vulkan' : gpuBackend;
}

/**
 * Several GPUs as one. Each holds layers in proportion to its memory, and the layers run one after another, so the times of
 * the parts add up.
 */
function joined(
  used: readonly GpuResources[],
  known: readonly (GpuSpeed | null)[],
  backend: GpuSpeed['backend'],
): GpuSpeed {
  const speeds = known.map(
    (one): GpuSpeed =>
      one ?? {
        backend,
        generation: null,
        memoryBandwidth: USUAL_GPU_BANDWIDTH,
        operationsPerSecond: null,
        linkBandwidth: null,
      },
  );
  const sizes = used.map(({ totalBytes }) => totalBytes ?? 1);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const mean = (values: readonly number[]): number =>
    1 / values.reduce((sum, value, index) => sum + (sizes[index] ?? 0) / all / value, 0);
  const knownMean = (values: readonly (number | null)[]): number | null =>
    values.every((value) => value !== null) ? mean(values) : null;
  const [first] = speeds;
  return {
    backend,
    generation: first?.generation ?? null,
    memoryBandwidth: mean(speeds.map(({ memoryBandwidth }) => memoryBandwidth)),
    operationsPerSecond: knownMean(speeds.map(({ operationsPerSecond }) => operationsPerSecond)),
    linkBandwidth: knownMean(speeds.map(({ linkBandwidth }) => linkBandwidth)),
  };
}
