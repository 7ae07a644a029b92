import {
  CAPABILITIES,
  isSameLoadConfig,
  withinGpus,
  withLockedWeights,
  type Capability,
  type Footprint,
  type FootprintGrowth,
  type LoadConfig,
  type LoadSpeed,
} from '@mai/memory-ledger';
import type { EstimateQuestion, EstimatorPort } from '@mai/autopilot';
import type {
  DownloadedModel,
  EngineReport,
  ResidentInstance,
  ResourceEstimate,
} from '@mai/lmstudio-adapter';
import type { HeaderCache } from '@mai/memory-estimator';
import { qualityUseOf, type JudgeQuality, type ModelProfile } from '@mai/model-config';
import { combineWithLMStudio, withKnownSettings } from '@mai/memory-estimator';
import { findReport } from '../engine/find-report.js';
import { engineOfInstance, environmentFor, type LoadEngine } from '../engine/load-engine.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { modelQuality } from '../catalog/model-quality.js';
import { guessSubject } from '../speeds/guess-subject.js';
import type { SpeedSubject } from '../speeds/speed-subject.js';
import type { Calibration } from './calibration.js';
import { fromHeader, type HeaderEstimate } from './header-footprint.js';
import { askLMStudio, verdictOf } from './lmstudio-estimate.js';
import type { GivenContexts } from '../runtime/given-contexts.js';
import { factsOf } from '../model-files/model-files.js';
import type { MlxModels } from '../model-files/read-mlx.js';
import { fromMlx } from './mlx-footprint.js';
import { fromPrintedBuffers } from './printed-buffers.js';
import { fromSize, growthOfSize } from './size-footprint.js';
import { createSubjectFinder, type SubjectFinder } from '../speeds/find-subject.js';
import type { Speeds } from '../speeds/speeds.js';

type CallOptions = Parameters<EstimatorPort['estimate']>[1];

/** The sources of footprints. */
export interface FootprintSources {
  /** The downloaded models, and the connection to LM Studio. */
  readonly downloads: Downloads;
  readonly headers: HeaderCache;
  /** Null: estimates are not corrected by measurements. */
  readonly calibration: Calibration | null;
  /**
   * Whether weights that the engine locks in memory are mapped bytes of the footprint. A measurement of the engine's
   * process does not see them. Default false: they are anonymous, because no system can drop their pages.
   */
  readonly lockedAsMapped?: boolean;
  /** The longer contexts that LM Studio has given. Default: a load gets the context that it asks for. */
  readonly contexts?: Pick<GivenContexts, 'longer'>;
  /** The reports of LM Studio's engines so far. Default: no report. */
  readonly engineReports?: () => readonly EngineReport[];
  /** Predicts speeds. Default, and null: speeds are not known. */
  readonly speeds?: Speeds | null;
  /** The profile of a model key; null for a key without one. Default: qualities are not known. */
  readonly profileOf?: (modelKey: string) => Promise<ModelProfile | null>;
  /** Gives the qualities. Default: they are derived for each question. */
  readonly judgeQuality?: JudgeQuality;
}

/** A footprint and its sources. */
export interface SourcedFootprint {
  /** The footprint from the most trusted source; null where no source knows the model. */
  readonly footprint: Footprint | null;
  /**
   * Where no source knows the model: the most that a model of this many bytes may grow by after the load. Null where there is
   * a footprint.
   */
  readonly growthBySize: ((totalBytes: number) => FootprintGrowth) | null;
  /** Whether measured loads on this machine changed the footprint. */
  readonly corrected: boolean;
  /** From the header of the model's file; null where the file cannot be read here. */
  readonly fromHeader: HeaderEstimate | null;
  /** LM Studio's own estimate; null where LM Studio is off or gives no estimate. */
  readonly lmStudio: ResourceEstimate | null;
  /** LM Studio's estimate divided by the header's. Null where they differ by a quarter or less. */
  readonly disagreementRatio: number | null;
  /** Whether the model has experts; null where its header cannot be read here. */
  readonly hasExperts: boolean | null;
  /** The speeds with all measurements so far; null where the machine or the model is not known well enough. */
  readonly speedNow: () => LoadSpeed | null;
  /** Quality of the answers for a model that is wanted for these capabilities, 0 to 1; null where it is not known. */
  readonly qualityFor: (capabilities: readonly Capability[]) => number | null;
}

/**
 * Finds the memory of a model with a load configuration. The sources in order of trust:
 *
 * 1. for a resident, the buffers that its engine printed; otherwise measured loads of the model on this machine;
 * 2. the header of its GGUF file, or the headers and the config.json of an MLX model;
 * 3. LM Studio's own estimate;
 * 4. the size of its file.
 *
 * Measured loads correct the footprint of the most trusted other source. Where LM Studio's estimate differs
 * from the header's, the interval is widened to contain both. Where no source knows the model, the
 * autopilot takes `min_memory_gb` and `min_vram_gb` from the configuration.
 */
async function findFootprint(
  question: EstimateQuestion,
  sources: FootprintSources,
  resident: ResidentInstance | null,
  {
    mlxModels,
    subjects,
  }: { readonly mlxModels: MlxModels; readonly subjects: SubjectFinder | null },
  options: CallOptions,
): Promise<SourcedFootprint> {
  const { downloads, calibration, lockedAsMapped = false, speeds } = sources;
  const { modelKey, loadConfig, deviceIdentifier, resources } = question;
  const isHere = deviceIdentifier === null;
  // Where a model has several variants, the resident names the variant that is in memory.
  const found = await downloads.find(resident?.variant ?? modelKey);
  const model = found?.model ?? null;
  // The resident of another Mai process can be a file that this process does not list.
  const loaded = resident === null ? null : await downloads.filesOfResident(resident);
  const files = isHere ? (loaded ?? found?.files ?? null) : null;
  const own = resident === null ? downloads.engine : engineOfInstance(downloads.engine, resident);
  const isLocked = own.profile.settings.locksWeights.value && !lockedAsMapped;
  // Measured loads replace everything but mapped weights. So estimate without locked weights, and lock them at
  // the end.
  const engine = withUnlockedWeights(own);
  const environment = environmentFor(resources, engine);
  const load = { loadConfig, environment, model, files, resident };
  const [byHeader, lmStudio, facts, read, profile] = await Promise.all([
    fromHeader(load, sources),
    askLMStudio(question, model, downloads, options),
    factsOf(loaded ?? found?.files ?? null),
    subjects?.find({ ...load, resources, engine: own }) ?? null,
    sources.profileOf?.(modelKey) ?? null,
  ]);
  const sizes = [
    model?.sizeBytes,
    resident?.sizeBytes,
    lmStudio?.weightsBytes,
    profile?.minMemoryBytes,
  ];
  const ramBandwidth = speeds?.ramBandwidth() ?? null;
  const subject =
    read === null && isHere
      ? guessSubject({ modelKey, model, sizes, loadConfig, resources, engine: own, ramBandwidth })
      : read;
  const hasExperts = facts?.hasExperts ?? null;
  const baseModels = facts?.baseModels ?? [];
  const judged = {
    speedNow: () => (subject === null ? null : (speeds?.speedOf(subject) ?? null)),
    qualityFor: qualityWith({ profile, model, loadConfig, baseModels }, read, sources.judgeQuality),
  };
  const alone =
    byHeader ??
    (await fromMlx(question, model, files, engine, mlxModels)) ??
    fromSize(load, lmStudio);
  if (alone === null) {
    return {
      footprint: null,
      growthBySize: (totalBytes) => growthOfSize(load, profile, totalBytes),
      corrected: false,
      fromHeader: null,
      lmStudio,
      disagreementRatio: null,
      hasExperts,
      ...judged,
    };
  }
  const { footprint: combined, disagreementRatio } =
    lmStudio === null
      ? { footprint: alone, disagreementRatio: null }
      : combineWithLMStudio(alone, lmStudio);
  const report = resident && findReport(resident, sources.engineReports?.() ?? []);
  const gpuKeys = environment.gpus.map(({ deviceKey }) => deviceKey);
  const printed = report && fromPrintedBuffers(report, combined, byHeader, gpuKeys);
  if (report !== null && printed !== null) {
    await calibration?.learn({ question, report, predicted: combined, printed });
  }
  const calibrated =
    printed ?? (await calibration?.correct(combined, modelKey, loadConfig)) ?? combined;
  const settled = isLocked ? withLockedWeights(calibrated) : calibrated;
  const footprint = resident === null ? settled : (withinGpus([settled], resources)[0] ?? settled);
  const corrected = calibrated !== combined;
  return {
    footprint,
    growthBySize: null,
    corrected,
    fromHeader: byHeader,
    lmStudio,
    disagreementRatio,
    hasExperts,
    ...judged,
  };
}

function qualityWith(
  {
    profile,
    model,
    loadConfig,
    baseModels,
  }: {
    readonly profile: ModelProfile | null;
    readonly model: DownloadedModel | null;
    readonly loadConfig: LoadConfig;
    readonly baseModels: readonly string[];
  },
  subject: SpeedSubject | null,
  judge: JudgeQuality | undefined,
): SourcedFootprint['qualityFor'] {
  if (profile === null) return () => null;
  const shape = subject?.shape ?? null;
  const known = subject?.identity.quantization ?? '';
  const quantization = known === '' ? null : known;
  const judged = { profile, model, shape, quantization, baseModels };
  return (capabilities) =>
    modelQuality(judged, loadConfig, qualityUseOf(capabilities), judge)?.quality ?? null;
}

/** Kept, because every question without a resident is about the same engine. */
const unlocked = new WeakMap<LoadEngine, LoadEngine>();

function withUnlockedWeights(engine: LoadEngine): LoadEngine {
  const { locksWeights } = engine.profile.settings;
  const known = unlocked.get(engine) ?? {
    ...engine,
    profile: withKnownSettings(engine.profile, { locksWeights: false }, locksWeights.source),
  };
  unlocked.set(engine, known);
  return known;
}

/** The resident that a question is about: a copy of the model with this load configuration. */
function residentOf(
  { modelKey, loadConfig, deviceIdentifier }: EstimateQuestion,
  residents: readonly ResidentInstance[],
): ResidentInstance | null {
  const isAsked = ({ loadConfig: own, contextLengthTokens }: ResidentInstance): boolean =>
    isSameLoadConfig(
      { ...own, contextLengthTokens: contextLengthTokens ?? own.contextLengthTokens },
      loadConfig,
    );
  return (
    residents.find(
      (one) =>
        one.modelKey === modelKey && one.deviceIdentifier === deviceIdentifier && isAsked(one),
    ) ?? null
  );
}

/** The question about a new load, with the longer context that LM Studio is expected to give. */
async function asGiven(
  question: EstimateQuestion,
  { contexts }: FootprintSources,
): Promise<EstimateQuestion> {
  const { modelKey, loadConfig, deviceIdentifier } = question;
  const { contextLengthTokens: asked } = loadConfig;
  const longer =
    asked === null || deviceIdentifier !== null ? null : await contexts?.longer(modelKey);
  return longer == null || asked === null || longer <= asked
    ? question
    : { ...question, loadConfig: { ...loadConfig, contextLengthTokens: longer } };
}

/** Called with each question and its answer. */
export type OnFootprint = (question: EstimateQuestion, found: SourcedFootprint) => void;

/**
 * Answers the autopilot's questions about footprints. The guardrails' verdict comes from LM Studio.
 *
 * @param residents - the last list of residents: a resident is estimated with the settings that it was loaded with
 * @param onFootprint - for a caller that also needs the sources, which the autopilot's port does
 *   not return
 */
export function createFootprints(
  sources: FootprintSources,
  residents: () => readonly ResidentInstance[],
  onFootprint: OnFootprint = () => undefined,
): EstimatorPort {
  const mlxModels: MlxModels = new Map();
  const { headers, speeds } = sources;
  const subjects = speeds == null ? null : createSubjectFinder(headers, speeds, mlxModels);
  return {
    revision: () => speeds?.revision() ?? 0,
    estimate: async (question, options) => {
      const loaded = residents();
      const resident = residentOf(question, loaded);
      const load = resident === null ? await asGiven(question, sources) : question;
      const found = await findFootprint(load, sources, resident, { mlxModels, subjects }, options);
      onFootprint(question, found);
      const { footprint, growthBySize, lmStudio, hasExperts, speedNow, qualityFor } = found;
      return {
        footprint,
        growthBySize,
        guardrails: verdictOf(lmStudio, loaded.length > 0),
        refused: found.fromHeader !== null && found.fromHeader.refusal !== null,
        hasExperts,
        speedNow,
        qualityFor: (capabilities) =>
          qualityFor(CAPABILITIES.filter((one) => capabilities.includes(one))),
      };
    },
  };
}
