import { SPEED_DEPTH_TOKENS, type LoadSpeed, type SpeedRange } from '@mai/memory-ledger';
import {
  createSpeedModel,
  isScalar,
  nameOfEngine,
  predictLoadTime,
  readsRam,
  usualRamBandwidth,
  type SpeedInterval,
  type SpeedModel,
  type SpeedObservation,
  type SpeedQuestion,
  currentObservations,
} from '@mai/performance-model';
import type { HostContext } from '../host-options.js';
import type { LoadMeasurement, SpeedMeasurement, TokenMeasurement } from './speed-measurement.js';
import { openSpeedStore, type SpeedStore } from './speed-store.js';
import type { SpeedSubject } from './speed-subject.js';
import {
  coreSpeedFrom,
  gpuBandwidthFrom,
  withCoreSpeed,
  withGpuBandwidth,
  withRam,
} from './fit-machine.js';

/** Predicts the speeds of models on this machine, and learns from what was measured. */
export interface Speeds {
  /** Bytes per second of RAM; null where it was not measured. */
  readonly ramBandwidth: () => number | null;
  /** The speeds of a load; null where the GPU is not known and nothing was measured with it. Reads no file. */
  readonly speedOf: (subject: SpeedSubject) => LoadSpeed | null;
  /** Generated tokens per second after a context of this many tokens; null as for `speedOf`. */
  readonly decodeAt: (subject: SpeedSubject, depthTokens: number) => SpeedRange | null;
  /** Tokens per second of a prompt at the start of a context; null as for `speedOf`. */
  readonly promptOf: (subject: SpeedSubject, promptTokens: number) => SpeedRange | null;
  /** The last measured load of a model; null without one. */
  readonly lastLoad: (
    modelKey: string,
  ) => { readonly timestampMs: number; readonly loadMs: number } | null;
  /** Learns from a part of an answer. */
  readonly learn: (modelKey: string, subject: SpeedSubject, seen: SeenSpeed) => Promise<void>;
  /** Learns from a load. */
  readonly learnLoad: (modelKey: string, subject: SpeedSubject, tookMs: number) => Promise<void>;
  /** Stores a measured bandwidth of RAM. */
  readonly learnRam: (bytesPerSecond: number) => Promise<void>;
  /**
   * A number that changes with each measurement, also with those of other processes: each call checks whether their file has
   * changed. The autopilot calls this about once in each round.
   */
  readonly revision: () => number;
}

/** A measured speed: generated tokens, or the tokens of a prompt. */
export interface SeenSpeed {
  readonly test: 'decode' | 'prompt';
  /** Tokens that were generated or read in the measured time. */
  readonly tokens: number;
  /** Tokens in the context before them. */
  readonly depthTokens: number;
  readonly tokensPerSecond: number;
  /** Share of the CPU that other programs used meanwhile, 0 to 1; null where it is not known. */
  readonly othersCpuRatio: number | null;
}

/**
 * A benchmark that only reads reaches about this share of the peak bandwidth, which is what the physics asks for. Source: STREAM
 * results of desktop CPUs (McCalpin, www.cs.virginia.edu/stream) lie between 0.75 and 0.9 of the peak.
 */
const READ_SHARE_OF_PEAK = 0.85;
/** A GPU in a processor that the table of devices lacks may be this many times faster or slower. */
const UNKNOWN_GPU_FACTOR = 1.5;
/** RAM of a machine that was not measured may be this many times faster or slower than the usual one. */
const UNKNOWN_RAM_FACTOR = 2;
/**
 * A build without vector instructions may be this many times faster or slower than the physics says. The constants of the physics are
 * from one CPU, but cores of different years differ, the types of weights differ by a factor of 2, and threads of llama.cpp wait for
 * each other while other programs use the cores.
 */
const UNKNOWN_CORE_FACTOR = 3;

/** Opens the measured speeds of this user on a machine. Default: this machine. */
export function openSpeeds(context: HostContext, machine?: string): Speeds {
  return createSpeeds(openSpeedStore(context, machine));
}

/** Creates predictions over a store of measurements. */
export function createSpeeds(store: SpeedStore): Speeds {
  let learned: Learned | null = null;
  let revision = 0;
  const current = (): Learned => (learned ??= learnFrom(store.measurements()));
  const record = async (measurement: Parameters<SpeedStore['record']>[0]): Promise<void> => {
    await store.record(measurement);
    learned = null;
    revision += 1;
  };
  return {
    ramBandwidth: () => current().ramBandwidth,
    speedOf: (subject) => {
      const now = current();
      const key = JSON.stringify(subject);
      const known = now.cache.get(key);
      if (known !== undefined) return known;
      const speed = loadSpeedOf(subject, now);
      now.cache.set(key, speed);
      return speed;
    },
    decodeAt: (subject, depthTokens) => {
      const now = current();
      return isKnown(subject, now) ? decodeAt(subject, depthTokens, now) : null;
    },
    promptOf: (subject, promptTokens) => {
      const now = current();
      if (!isKnown(subject, now)) return null;
      return promptOf(subject, promptTokens, now);
    },
    lastLoad: (modelKey) => {
      const last = current().loads.findLast((one) => one.modelKey === modelKey);
      return last === undefined
        ? null
        : { timestampMs: last.timestampMs, loadMs: last.load.loadMs };
    },
    learn: (modelKey, subject, seen) =>
      record({
        kind: 'tokens',
        modelKey,
        isGpuGuessed: subject.isGpuGuessed,
        observation: observationOf(subject, seen),
      }),
    learnLoad: (modelKey, subject, tookMs) =>
      record({
        kind: 'load',
        modelKey,
        engine: subject.identity.engine,
        load: { ...subject.load, diskBytesPerSecond: null, isCached: null, loadMs: tookMs },
      }),
    learnRam: (bytesPerSecond) => record({ kind: 'ram', bytesPerSecond }),
    revision: () => {
      if (store.refresh()) {
        learned = null;
        revision += 1;
      }
      return revision;
    },
  };
}

/** Everything that follows from the measurements. */
interface Learned {
  readonly model: SpeedModel;
  readonly observations: readonly SpeedObservation[];
  readonly loads: readonly LoadMeasurement[];
  readonly ramBandwidth: number | null;
  /** Bandwidth of a GPU that the table of devices lacks; null where nothing was measured with it. */
  readonly gpuBandwidth: number | null;
  /** Speed of a core without vector instructions, relative to the one that the physics knows; 1 without a measurement. */
  readonly coreSpeed: number;
  readonly cache: Map<string, LoadSpeed | null>;
}

function learnFrom(measurements: readonly SpeedMeasurement[]): Learned {
  const ram = measurements.findLast(({ kind }) => kind === 'ram');
  const ramBandwidth = ram?.kind === 'ram' ? ram.bytesPerSecond / READ_SHARE_OF_PEAK : null;
  const tokens = measurements.filter((one): one is TokenMeasurement => one.kind === 'tokens');
  const guessed = tokens.filter(({ isGpuGuessed }) => isGpuGuessed);
  const gpuBandwidth = gpuBandwidthFrom(
    currentObservations(guessed.map(({ observation }) => observation)),
  );
  const here = currentObservations(
    tokens.map(({ observation, isGpuGuessed }) =>
      withRam(
        isGpuGuessed ? withGpuBandwidth(observation, gpuBandwidth) : observation,
        ramBandwidth,
      ),
    ),
  );
  const coreSpeed = coreSpeedFrom(here);
  const observations = here.map((one) => withCoreSpeed(one, coreSpeed));
  return {
    model: createSpeedModel(observations),
    observations,
    ramBandwidth,
    gpuBandwidth,
    coreSpeed,
    loads: measurements.flatMap((one) => (one.kind === 'load' ? [one] : [])),
    cache: new Map(),
  };
}

function observationOf(
  { shape, machine, placement, identity }: SpeedSubject,
  { test, tokens, ...seen }: SeenSpeed,
): SpeedObservation {
  const all = { shape, machine, placement, identity, ...seen };
  return test === 'decode'
    ? { ...all, test, generatedTokens: tokens }
    : { ...all, test, promptTokens: tokens };
}

function loadSpeedOf(subject: SpeedSubject, now: Learned): LoadSpeed | null {
  if (!isKnown(subject, now)) return null;
  const depth = Math.min(SPEED_DEPTH_TOKENS, subject.contextLengthTokens ?? SPEED_DEPTH_TOKENS);
  // Node cannot tell whether a file is in the page cache.
  const load = { ...subject.load, diskBytesPerSecond: null, isCached: null };
  const { expected, low, high } = predictLoadTime(
    load,
    now.loads
      // An update of an engine changes the time of a load little.
      .filter(({ engine }) => nameOfEngine(engine) === nameOfEngine(subject.identity.engine))
      .map((one) => one.load),
  );
  return {
    decodeTokensPerSecond: decodeAt(subject, depth, now),
    promptTokensPerSecond: promptOf(subject, depth, now),
    loadMs: { expected, low, high },
    measured: now.model.hasMeasured(questionOf(subject, depth, now)),
  };
}

function decodeAt(subject: SpeedSubject, depthTokens: number, now: Learned): SpeedRange {
  return rangeOf(subject, now, (one) => now.model.decode(questionOf(one, depthTokens, now)));
}

function promptOf(subject: SpeedSubject, promptTokens: number, now: Learned): SpeedRange {
  return rangeOf(subject, now, (one) => now.model.prompt(questionOf(one, 0, now), promptTokens));
}

function questionOf(
  { shape, machine, placement, identity, isGpuGuessed, gpuReadsRam }: SpeedSubject,
  depthTokens: number,
  { ramBandwidth, gpuBandwidth, coreSpeed }: Learned,
): SpeedQuestion {
  const question = withRam({ shape, machine, placement, identity, depthTokens }, ramBandwidth);
  const ofRam =
    gpuReadsRam === true
      ? (ramBandwidth ?? question.machine.ramBandwidth ?? usualRamBandwidth(''))
      : null;
  return withCoreSpeed(
    isGpuGuessed ? withGpuBandwidth(question, gpuBandwidth ?? ofRam) : question,
    coreSpeed,
  );
}

/** Without the bandwidth of a GPU that has memory of its own, only a measurement with this GPU says how fast it is. */
function isKnown({ isGpuGuessed, gpuReadsRam }: SpeedSubject, { gpuBandwidth }: Learned): boolean {
  return !isGpuGuessed || gpuBandwidth !== null || gpuReadsRam === true;
}

/** The interval of a prediction. It is wider for a machine that was not measured. */
function rangeOf(
  subject: SpeedSubject,
  now: Learned,
  predict: (subject: SpeedSubject) => SpeedInterval,
): SpeedRange {
  const { tokensPerSecond, low, high } = predict(subject);
  const isShapeKnown = now.model.hasMeasured(questionOf(subject, 0, now));
  const shape = (isShapeKnown ? null : subject.shapeDoubt) ?? { low: 1, high: 1 };
  const found = { expected: tokensPerSecond, low: low / shape.low, high: high * shape.high };
  const isGpuOnRam = subject.isGpuGuessed && subject.gpuReadsRam === true;
  if (isGpuOnRam && now.gpuBandwidth === null) {
    // The bandwidth of the GPU is the one of RAM, and what the GPU makes of it was not measured.
    const factor = UNKNOWN_GPU_FACTOR * (now.ramBandwidth === null ? UNKNOWN_RAM_FACTOR : 1);
    return { expected: found.expected, low: found.low / factor, high: found.high * factor };
  }
  if (!readsRam(subject)) return found;
  const { machine, identity, mayBeScalar } = subject;
  // How fast RAM is read does not show where computing takes longer, and the other way round.
  const alike = now.observations.filter(
    (one) => readsRam(one) && isScalar(one) === isScalar(subject),
  );
  const isMeasured = alike.some((one) => one.identity.engine === identity.engine);
  const isRamKnown = (machine.ramBandwidth ?? now.ramBandwidth) !== null || alike.length > 0;
  const factor =
    (isRamKnown ? 1 : UNKNOWN_RAM_FACTOR) *
    (isScalar(subject) && alike.length === 0 ? UNKNOWN_CORE_FACTOR : 1);
  const range = { expected: found.expected, low: found.low / factor, high: found.high * factor };
  if (mayBeScalar === null || isMeasured) return range;
  const scalar = { ...machine, scalarThreads: mayBeScalar };
  const slow = rangeOf({ ...subject, machine: scalar, mayBeScalar: null }, now, predict);
  return { ...range, low: Math.min(range.low, slow.low) };
}
