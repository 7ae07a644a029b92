import type { Footprint, Resources } from '@mai/memory-ledger';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type {
  EngineProfile,
  EstimateReport,
  EstimateSettings,
  MlxEstimate,
  ModelRefusal,
} from '@mai/memory-estimator';
import {
  estimateMlx,
  estimateReport,
  estimateReportFromFileSize,
  mlxReport,
  refuseMlx,
  refuseModel,
} from '@mai/memory-estimator';
import type { EngineRefusal } from '@mai/selector';
import { mlxEnvironmentFor, type LoadEngine } from '../engine/load-engine.js';
import { UNFINISHED } from '../model-files/judge-file.js';
import { refuseProblems } from './estimate-settings.js';
import type { EstimatedSpeed } from './estimated-speed.js';
import type { FitHere } from './fit-here.js';
import type { KnownModel } from './open-model.js';

/** A model's memory, part by part, and whether it fits. */
export interface ModelEstimate {
  /** Null for a file. */
  readonly modelKey: string | null;
  /** The model key, or the file's name. */
  readonly title: string;
  /** The source of the estimate. */
  readonly basis:
    | {
        readonly kind: 'header';
        readonly file: string;
        /** False: the file cannot be loaded, because it is a header without weights or an unfinished download. */
        readonly complete: boolean;
      }
    /** The headers and the config.json of an MLX model. */
    | { readonly kind: 'mlx'; readonly folder: string }
    /** Only the size is known. `why` is a clause that follows 'because'. */
    | { readonly kind: 'size'; readonly why: string };
  readonly report: EstimateReport;
  /** The memory of an MLX model after it has grown in use; null for any other model. */
  readonly mlx: Pick<
    MlxEstimate,
    'peakBytes' | 'fittedContextTokens' | 'staysBelowWiredLimit' | 'notes'
  > | null;
  /** Why the engine refuses the model; null where it does not, or where no header was read. */
  readonly refusal: ModelRefusal | null;
  /** Why the model cannot be loaded: `refusal`, or an unfinished download or damaged files, whose memory is estimated. */
  readonly fault: EngineRefusal | null;
  /** The maximum context length of the model; null where it is not known. */
  readonly maxContextLengthTokens: number | null;
  /** The estimate at other context lengths, up to the maximum of the model; shortest first. */
  readonly byContextLength: readonly EstimateReport[];
  /**
   * Null where the caller did not ask for the fit, where llama.cpp refuses the file, or where the model or the settings belong to another
   * machine.
   */
  readonly fit: FitHere | null;
  /**
   * How fast the model runs on this machine, by the contexts of `byContextLength`. As asked, or with the trade-offs of `fit.cheaper` where
   * only those fit. Null where it is not known.
   */
  readonly speed: EstimatedSpeed | null;
  /** Why the speed is not known, as a clause that follows 'because'; null where it is known, and where no reason is known. */
  readonly speedGap: string | null;
  /**
   * The footprint, corrected by measured loads on this machine; null where no measured load applies to
   * this model.
   */
  readonly corrected: Footprint | null;
  /** LM Studio's own estimate; null for a file, and where LM Studio is off or gives no estimate. */
  readonly lmStudio: {
    readonly totalBytes: number;
    /**
     * LM Studio's estimate divided by the header's, both for the same parts. Null where they differ
     * by a quarter or less.
     */
    readonly disagreementRatio: number | null;
  } | null;
}

/**
 * The part of the answer that does not depend on the machine. @throws HostError `INVALID_REQUEST`
 * for settings that cannot be loaded
 */
export function describeModel(
  title: string,
  known: KnownModel,
  settings: EstimateSettings,
  engine: LoadEngine,
): ModelEstimate {
  const { profile } = engine;
  if (known.kind === 'header') refuseProblems(settings, known.header, profile);
  const report = reportOf(known, settings, engine);
  const refusal = refusalOf(known, profile);
  return {
    modelKey: null,
    title,
    basis: basisOf(known),
    report,
    mlx: mlxFacts(known, settings, engine, null),
    refusal,
    fault: refusal ?? faultOf(known),
    maxContextLengthTokens: trainedContext(known),
    byContextLength: byContextLength(known, settings, report, engine),
    fit: null,
    speed: null,
    speedGap: null,
    corrected: null,
    lmStudio: null,
  };
}

function refusalOf(known: KnownModel, { engine }: EngineProfile): ModelRefusal | null {
  if (known.kind === 'header') return refuseModel(known.header, engine);
  return known.kind === 'mlx' ? refuseMlx(known.model) : null;
}

function faultOf(known: KnownModel): EngineRefusal | null {
  if (known.kind === 'size') return known.fault;
  const { complete } = known.kind === 'mlx' ? known.model : known.header;
  return complete ? null : UNFINISHED;
}

const NO_GPUS = { unified: false, gpus: [] };

function basisOf(known: KnownModel): ModelEstimate['basis'] {
  switch (known.kind) {
    case 'header':
      return { kind: 'header', file: known.file, complete: known.header.complete };
    case 'mlx':
      return { kind: 'mlx', folder: known.model.folder };
    case 'size':
      return { kind: 'size', why: known.why };
  }
}

function reportOf(
  known: KnownModel,
  settings: EstimateSettings,
  engine: LoadEngine,
): EstimateReport {
  const { profile } = engine;
  if (known.kind === 'size') return estimateReportFromFileSize(known, settings, profile);
  if (known.kind === 'mlx')
    return mlxReport(known.model, settings, mlxEnvironmentFor(NO_GPUS, engine));
  const { header, visionProjector, isEmbedding } = known;
  return estimateReport(header, settings, visionProjector, { profile, isEmbedding });
}

/**
 * The facts about an MLX model that the report lacks. Null for any other model.
 * @param resources - the machine that loads the model; null where it does not matter
 */
export function mlxFacts(
  known: KnownModel,
  { contextLengthTokens, parallelSequences }: EstimateSettings,
  engine: LoadEngine,
  resources: Resources | null,
): ModelEstimate['mlx'] {
  if (known.kind !== 'mlx') return null;
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, parallelSequences };
  const environment = mlxEnvironmentFor(resources ?? NO_GPUS, engine);
  const estimate = estimateMlx(known.model, loadConfig, environment);
  const { peakBytes, fittedContextTokens, staysBelowWiredLimit, notes } = estimate;
  return { peakBytes, fittedContextTokens, staysBelowWiredLimit, notes };
}

const FIRST_CONTEXT_TOKENS = 4096;
/** The longest context that an estimate accepts. A header may state any number. */
const LONGEST_CONTEXT_TOKENS = 2 ** 30;
const MAX_CONTEXTS = 8;

function byContextLength(
  known: KnownModel,
  settings: EstimateSettings,
  { loadConfig: { contextLengthTokens: asked } }: EstimateReport,
  engine: LoadEngine,
): readonly EstimateReport[] {
  // Where the model's maximum is not known, assume that it does not exceed the requested context.
  const trained = trainedContext(known) ?? asked;
  const most = Math.min(trained, LONGEST_CONTEXT_TOKENS);
  const lengths = new Set([Math.min(asked, most), most]);
  for (let tokens = FIRST_CONTEXT_TOKENS; tokens < most; tokens *= 2) lengths.add(tokens);
  const sorted = [...lengths].sort((a, b) => a - b);
  // Drop the shortest context lengths of a long list, but keep the requested one.
  const shown = sorted.filter(
    (tokens, index) => tokens === asked || sorted.length - index <= MAX_CONTEXTS,
  );
  return shown.map((contextLengthTokens) =>
    reportOf(known, { ...settings, contextLengthTokens }, engine),
  );
}

/** The context length that a model was trained for; null where it is unknown. */
function trainedContext(known: KnownModel): number | null {
  if (known.kind === 'size') return null;
  if (known.kind === 'mlx') return known.model.maxContextTokens;
  const { architecture, metadata } = known.header;
  const trained = metadata.get(`${architecture ?? ''}.context_length`);
  return typeof trained === 'number' && trained >= 1 ? trained : null;
}
