import type { GpuList, MergedGpu } from '../gpu/merge-gpus.js';
import { mergeGpus, toSnapshot } from '../gpu/merge-gpus.js';
import type { HardwareSurveyFacts } from '../gpu/match-survey.js';
import { withinRam } from '../gpu/plausible.js';
import { mergeSurvey } from '../gpu/survey.js';
import type { Clock } from '../ports/clock.js';
import { startDeadline } from '../ports/race.js';
import type { CpuTimes, GpuReader, LoadAverages, PlatformReaders } from '../reading/figures.js';
import type { ReadFigure, Reader, SampleContext } from '../reading/reader.js';
import { ANSWER_WITHIN_MS, attempt, passedOverBy, readFirst } from '../reading/reader.js';
import { ResourceMonitorError } from '../resource-monitor-error.js';
import type {
  CpuSnapshot,
  FigureSource,
  PowerSnapshot,
  RamSnapshot,
  ResourceSnapshot,
} from '../snapshot.js';
import type { Rates } from './rates.js';
import { createRates } from './rates.js';

/** Facts from the caller and from the inventory. */
export interface SampleHints {
  readonly survey: HardwareSurveyFacts | null;
  /** Adds names from the inventory. */
  readonly nameGpus: (gpus: readonly MergedGpu[]) => readonly MergedGpu[];
}

/** Reads the machine. Rates in a sample cover the time since the previous sample. */
export interface Sampler {
  /** Reads all figures. */
  take(continuing: boolean, hints: SampleHints): Promise<ResourceSnapshot>;
  /** Reads RAM only. */
  readRam(): Promise<RamSnapshot>;
}

const NO_PRESSURE = { stall: null, level: null, commit: null };
const NO_POWER = { onBattery: null, chargeRatio: null };

/** Both calls of a sampler throw `PROBE_FAILED` if memory cannot be read. */
export function createSampler(options: {
  readonly readers: PlatformReaders;
  readonly gpuReaders: readonly GpuReader[];
  readonly clock: Clock;
  readonly cores: () => number;
}): Sampler {
  const { readers, gpuReaders, clock, cores } = options;
  const ratesOf = createRates();

  return {
    async take(continuing, hints) {
      const context: SampleContext = { startedMs: clock.monotonicMs(), continuing };
      using deadline = startDeadline(ANSWER_WITHIN_MS, clock);
      const first = <T>(figure: string, from: readonly Reader<T>[]) =>
        readFirst(figure, from, context, deadline);
      const gpuLists = Promise.all(
        gpuReaders.map(async (reader) => ({
          source: reader.source,
          reading: await attempt(reader, context, null),
        })),
      );
      const [ram, swap, swapCounters, pressure, cpu, loadAverages, engines, power] =
        await Promise.all([
          first('ram', readers.ram),
          first('swap', readers.swap),
          first('swap-rate', readers.swapCounters),
          first('pressure', readers.pressure),
          first('cpu', readers.cpu),
          first('load-average', readers.loadAverages),
          first('engines', readers.engines),
          first('power', readers.power),
        ]);
      // Computed before the GPUs are awaited, because a slow GPU reader would distort the time between the
      // counters.
      const rates = ratesOf({
        atMs: clock.monotonicMs(),
        cpu: cpu.value === null ? null : { times: cpu.value, source: cpu.source.source ?? '' },
        swap: swapCounters.value,
        engines: engines.value,
      });
      const lists = await gpuLists;
      const merged = mergeSurvey(hints.nameGpus(mergeGpus(lists)), hints.survey);
      const memory = requireRam(ram);
      const gpus = merged.flatMap(({ gpu }) =>
        gpu.closed === null ? withinRam(gpu, memory.machineTotalBytes) : [],
      );
      const timestampMs = clock.nowMs();
      const toEpochMs = (ms: number): number =>
        Math.round(timestampMs - (clock.monotonicMs() - ms));
      const processors = describeCpu(cpu, loadAverages, rates, cores);
      return {
        timestampMs,
        observable: true,
        ram: memory,
        swap: {
          totalBytes: swap.value?.totalBytes ?? null,
          freeBytes: swap.value?.freeBytes ?? null,
          inBytesPerSecond: rates.swapInBytesPerSecond,
          outBytesPerSecond: rates.swapOutBytesPerSecond,
        },
        pressure: pressure.value ?? NO_PRESSURE,
        unified: gpus.some(({ kind }) => kind === 'unified'),
        gpus: gpus.map((gpu) => toSnapshot(gpu, toEpochMs)),
        cpu: processors.cpu,
        engines: rates.engines,
        power: power.value === null ? NO_POWER : withinFull(power.value),
        sources: [
          ram.source,
          swap.source,
          swapCounters.source,
          pressure.source,
          processors.source,
          loadAverages.source,
          engines.source,
          power.source,
          ...describeGpus(lists, merged),
        ],
      };
    },
    async readRam() {
      const context = { startedMs: clock.monotonicMs(), continuing: true };
      using deadline = startDeadline(ANSWER_WITHIN_MS, clock);
      return requireRam(await readFirst('ram', readers.ram, context, deadline));
    },
  };
}

/** A sample without RAM is useless, so a missing value becomes an error. */
function requireRam({ value, source: { passedOver } }: ReadFigure<RamSnapshot>): RamSnapshot {
  if (value !== null) return value;
  const reasons = passedOver.map(({ source, reason }) => `${source}: ${reason}`).join('; ');
  const next = passedOver.some(({ cause }) => cause === 'impossible')
    ? 'Check what supplies these figures, for example the file system that a container mounts over them.'
    : 'Check that this process may read these sources.';
  throw new ResourceMonitorError(
    'PROBE_FAILED',
    `This machine's memory cannot be read: ${reasons}. ${next}`,
    { passedOver },
  );
}

/**
 * Limits the charge to 100 %. Some drivers report more for a new battery, because its capacity is above the
 * design capacity.
 */
function withinFull({ onBattery, chargeRatio }: PowerSnapshot): PowerSnapshot {
  return { onBattery, chargeRatio: chargeRatio === null ? null : Math.min(1, chargeRatio) };
}

function describeCpu(
  cpu: ReadFigure<CpuTimes>,
  loadAverages: ReadFigure<LoadAverages>,
  rates: Rates,
  machineCores: () => number,
): { readonly cpu: CpuSnapshot; readonly source: FigureSource } {
  const { utilizationRatio, enginesRatio, othersRatio } = rates;
  const common = { cores: cpu.value?.cores ?? machineCores(), loadAverages: loadAverages.value };
  if (utilizationRatio !== null) {
    return { cpu: { ...common, utilizationRatio, enginesRatio, othersRatio }, source: cpu.source };
  }
  // CPU load is computed from two samples. The first sample has the load average of the last minute
  // instead.
  const loadAverage = loadAverages.value?.[0] ?? null;
  const first =
    cpu.value === null
      ? []
      : [{ source: cpu.source.source ?? '', reason: 'CPU load needs two samples', cause: null }];
  return {
    cpu: {
      ...common,
      utilizationRatio: loadAverage === null ? null : Math.min(1, loadAverage / machineCores()),
      enginesRatio: null,
      othersRatio: null,
    },
    source: {
      figure: 'cpu',
      source: loadAverage === null ? null : loadAverages.source.source,
      passedOver: [...cpu.source.passedOver, ...first],
    },
  };
}

function describeGpus(lists: readonly GpuList[], merged: readonly MergedGpu[]): FigureSource[] {
  const listing = lists.filter(({ reading }) => 'value' in reading && reading.value.length > 0);
  const passedOver = lists.flatMap(({ source, reading }) => passedOverBy(source, reading));
  return [
    {
      figure: 'gpus',
      source: listing.length === 0 ? null : listing.map(({ source }) => source).join(', '),
      passedOver,
    },
    ...merged.map((one) => ({ figure: `gpu:${one.gpu.deviceKey}`, ...sourceOf(one) })),
  ];
}

/** A GPU that programs of this user cannot open is named here with the reason, because the snapshot does not list it. */
function sourceOf({ gpu, source, passedOver }: MergedGpu): Omit<FigureSource, 'figure'> {
  if (gpu.closed !== null) {
    const reader = source ?? passedOver[0]?.source ?? 'the system';
    return { source: null, passedOver: [{ source: reader, reason: gpu.closed, cause: null }] };
  }
  return {
    source: source !== null && gpu.totalIsEstimate ? `${source}, estimated total` : source,
    passedOver,
  };
}
