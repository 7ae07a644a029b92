import { SPEED_DEPTH_TOKENS, type LoadSpeed, type SpeedRange } from '@mai/memory-ledger';
import {
  createSpeedModel,
  predictLoadTime,
  type SpeedInterval,
  type SpeedModel,
  type SpeedObservation,
  type SpeedQuestion,
} from '@mai/performance-model';
import type { HostContext } from '../host-options.js';
import type { LoadMeasurement, SpeedMeasurement, TokenMeasurement } from './speed-measurement.js';
import { openSpeedStore, type SpeedStore } from './speed-store.js';
import type { SpeedSubject } from './speed-subject.js';

/** Predicts the speeds of models on this machine, and learns from what was measured. */
export interface Speeds {
  /** Bytes per second of RAM; null where it was not measured. */
  readonly ramBandwidth: () => number | null;
  /** The speeds of a load; null where the GPU is not known and nothing was measured with it. Reads no file. */
  readonly speedOf: (subject: SpeedSubject) => LoadSpeed | null;
  /** Generated tokens per second behind a context; null as for `speedOf`. */
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
   * A number that changes with each measurement, also with those of other processes: their file is looked at in each call.
   * The autopilot calls it once in a round or so.
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
}

/**
 * A benchmark that only reads reaches about this share of the peak bandwidth, which is what the physics asks for. Source: STREAM
 * results of desktop CPUs (McCalpin, www.cs.virginia.edu/stream) lie between 0.75 and 0.9 of the peak.
 */
const READ_SHARE_OF_PEAK = 0.85;
/** RAM of a machine that was not measured may be this many times faster or slower than the usual one. */
const UNKNOWN_RAM_FACTOR = 2;
/**
 * A build of llama.cpp for x64 without vector instructions may be this many times slower. `npm run bench:speed-embedded` measured a
 * tenth of the predicted speed with such a build; the physics was fitted to builds with AVX2.
 */
const SCALAR_BUILD_FACTOR = 10;

/** Opens the measured speeds of this user on this machine. */
export function openSpeeds(context: HostContext): Speeds {
  return createSpeeds(openSpeedStore(context));
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
      return rangeOf(now.model.prompt(questionOf(subject, 0, now), promptTokens), subject, now);
    },
    lastLoad: (modelKey) => {
      const last = current().loads.findLast((one) => one.modelKey === modelKey);
      return last === undefined
        ? null
        : { timestampMs: last.timestampMs, loadMs: last.load.loadMs };
    },
    learn: (modelKey, subject, seen) =>
      record({
        ...{ kind: 'tokens', modelKey, isGpuGuessed: subject.isGpuGuessed },
        vectorInstructions: subject.vectorInstructions,
        observation: observationOf(subject, seen),
      }),
    learnLoad: (modelKey, subject, tookMs) =>
      record({
        ...{ kind: 'load', modelKey, engine: subject.identity.engine },
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
  /** Engines whose build for the CPU uses no vector instructions. */
  readonly scalarEngines: ReadonlySet<string>;
  readonly cache: Map<string, LoadSpeed | null>;
}

function learnFrom(measurements: readonly SpeedMeasurement[]): Learned {
  const ram = measurements.findLast(({ kind }) => kind === 'ram');
  const ramBandwidth = ram?.kind === 'ram' ? ram.bytesPerSecond / READ_SHARE_OF_PEAK : null;
  const tokens = measurements.filter((one): one is TokenMeasurement => one.kind === 'tokens');
  const guessed = tokens.filter(({ isGpuGuessed }) => isGpuGuessed);
  const gpuBandwidth = gpuBandwidthFrom(guessed.map(({ observation }) => observation));
  const scalarEngines = new Set(
    tokens
      .filter(({ vectorInstructions }) => vectorInstructions === false)
      .map(({ observation }) => observation.identity.engine),
  );
  const observations = tokens.map(({ observation, isGpuGuessed }) =>
    asVectorBuild(
      withRam(
        isGpuGuessed ? withGpuBandwidth(observation, gpuBandwidth) : observation,
        ramBandwidth,
      ),
      scalarEngines,
    ),
  );
  return {
    ...{ model: createSpeedModel(observations), observations, ramBandwidth, gpuBandwidth },
    scalarEngines,
    loads: measurements.flatMap((one) => (one.kind === 'load' ? [one] : [])),
    cache: new Map(),
  };
}

/** Steps of the search for a bandwidth. Each step leaves a small part of the error. */
const BANDWIDTH_STEPS = 6;

/** The bandwidth at which the physics gives the median of measured speeds; null without a measurement on the GPU. */
function gpuBandwidthFrom(observations: readonly SpeedObservation[]): number | null {
  const physics = createSpeedModel();
  const decoded = observations.filter(({ test, machine }) => test === 'decode' && machine.gpu);
  let bandwidth = decoded[0]?.machine.gpu?.memoryBandwidth ?? null;
  for (let step = 0; step < BANDWIDTH_STEPS && bandwidth !== null; step += 1) {
    const at: number = bandwidth;
    const ratios = decoded.map(
      (one) => one.tokensPerSecond / physics.decode(withGpuBandwidth(one, at)).tokensPerSecond,
    );
    bandwidth = at * (ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1);
  }
  return bandwidth;
}

function withGpuBandwidth<Question extends SpeedQuestion>(
  question: Question,
  memoryBandwidth: number | null,
): Question {
  const { machine } = question;
  return machine.gpu === null || memoryBandwidth === null
    ? question
    : { ...question, machine: { ...machine, gpu: { ...machine.gpu, memoryBandwidth } } };
}

function observationOf(
  { shape, machine, placement, identity }: SpeedSubject,
  { test, tokens, depthTokens, tokensPerSecond }: SeenSpeed,
): SpeedObservation {
  const all = { shape, machine, placement, identity, depthTokens, tokensPerSecond };
  return test === 'decode'
    ? { ...all, test, generatedTokens: tokens }
    : { ...all, test, promptTokens: tokens };
}

/** Older measurements count with the bandwidth that is known now, so that their errors can be compared. */
function withRam<Question extends SpeedQuestion>(
  question: Question,
  ramBandwidth: number | null,
): Question {
  const { machine } = question;
  return {
    ...question,
    machine: { ...machine, ramBandwidth: machine.ramBandwidth ?? ramBandwidth },
  };
}

function loadSpeedOf(subject: SpeedSubject, now: Learned): LoadSpeed | null {
  if (!isKnown(subject, now)) return null;
  const depth = Math.min(SPEED_DEPTH_TOKENS, subject.contextLengthTokens ?? SPEED_DEPTH_TOKENS);
  const prompt = now.model.prompt(questionOf(subject, 0, now), depth);
  // Node can't tell whether a file is in the page cache.
  const load = { ...subject.load, diskBytesPerSecond: null, isCached: null };
  const { expected, low, high } = predictLoadTime(
    load,
    now.loads
      .filter(({ engine }) => nameOf(engine) === nameOf(subject.identity.engine))
      .map((one) => one.load),
  );
  return {
    decodeTokensPerSecond: decodeAt(subject, depth, now),
    promptTokensPerSecond: rangeOf(prompt, subject, now),
    loadMs: { expected, low, high },
    measured: now.model.hasMeasured(subject.identity.model),
  };
}

/** The engine's version is left out, because an update changes the time of a load little. */
function nameOf(engine: string): string {
  return engine.replace(/@.*$/, '');
}

function decodeAt(subject: SpeedSubject, depthTokens: number, now: Learned): SpeedRange {
  return rangeOf(now.model.decode(questionOf(subject, depthTokens, now)), subject, now);
}

function questionOf(
  { shape, machine, placement, identity, isGpuGuessed }: SpeedSubject,
  depthTokens: number,
  { ramBandwidth, gpuBandwidth }: Learned,
): SpeedQuestion {
  const question = { shape, machine, placement, identity, depthTokens };
  return withRam(isGpuGuessed ? withGpuBandwidth(question, gpuBandwidth) : question, ramBandwidth);
}

/** Without the bandwidth of the GPU, only a measurement with this GPU says how fast it is. */
function isKnown({ isGpuGuessed }: SpeedSubject, { gpuBandwidth }: Learned): boolean {
  return !isGpuGuessed || gpuBandwidth !== null;
}

function rangeOf(
  { tokensPerSecond, low, high }: SpeedInterval,
  subject: SpeedSubject,
  now: Learned,
): SpeedRange {
  const { observations, ramBandwidth } = now;
  const usesRam = readsRam(subject);
  const isRamKnown = (subject.machine.ramBandwidth ?? ramBandwidth) !== null;
  const isDoubtful = usesRam && !isRamKnown && !observations.some(readsRam);
  const factor = isDoubtful ? UNKNOWN_RAM_FACTOR : 1;
  const isShapeKnown = now.model.hasMeasured(subject.identity.model);
  const shape = (isShapeKnown ? null : subject.shapeDoubt) ?? { low: 1, high: 1 };
  const { engine } = subject.identity;
  const isMeasured = observations.some((one) => one.identity.engine === engine && readsRam(one));
  const { vectorInstructions } = subject;
  const scalarFactor =
    usesRam && (vectorInstructions === false || now.scalarEngines.has(engine))
      ? SCALAR_BUILD_FACTOR
      : 1;
  const doubtFactor =
    usesRam && vectorInstructions !== true && !isMeasured ? SCALAR_BUILD_FACTOR : 1;
  return {
    expected: tokensPerSecond / scalarFactor,
    low: low / factor / shape.low / Math.max(scalarFactor, doubtFactor),
    // The factor is rough, so before a measurement the high end stays without it.
    high: (high * factor * shape.high) / (isMeasured ? scalarFactor : 1),
  };
}

/** Speeds of a build without vector instructions as those of a build with them, for which the physics was fitted. */
function asVectorBuild(
  observation: SpeedObservation,
  scalarEngines: ReadonlySet<string>,
): SpeedObservation {
  return readsRam(observation) && scalarEngines.has(observation.identity.engine)
    ? { ...observation, tokensPerSecond: observation.tokensPerSecond * SCALAR_BUILD_FACTOR }
    : observation;
}

/** Whether a token reads weights in RAM. */
function readsRam({ placement }: Pick<SpeedSubject, 'placement'>): boolean {
  return placement.offloadRatio < 1 || placement.cpuExpertRatio > 0;
}
