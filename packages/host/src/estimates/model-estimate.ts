import type { Footprint } from '@mai/memory-ledger';
import type { EstimateReport, EstimateSettings } from '@mai/memory-estimator';
import { estimateReport, estimateReportFromFileSize } from '@mai/memory-estimator';
import { refuseProblems } from './refuse-problems.js';
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
        /** False: a header without weights, or an unfinished download; neither can be loaded. */
        readonly complete: boolean;
      }
    /** Only the size is known; `why` follows 'because'. */
    | { readonly kind: 'size'; readonly why: string };
  readonly report: EstimateReport;
  /** The estimate at other context lengths, up to the trained one; shortest first. */
  readonly byContextLength: readonly EstimateReport[];
  /**
   * Null where the fit was not requested, or the model or the settings belong to another machine.
   */
  readonly fit: FitHere | null;
  /**
   * The footprint corrected by measurements on this machine; null where there are none for this
   * model.
   */
  readonly corrected: Footprint | null;
  /** LM Studio's own figure; null for a file, and where LM Studio is off or gives no figure. */
  readonly lmStudio: {
    readonly totalBytes: number;
    /**
     * LM Studio's figure as a share of the header's for the same parts, where they differ by more
     * than a quarter.
     */
    readonly disagreementRatio: number | null;
  } | null;
}

/**
 * The part of the answer that does not depend on the machine. @throws HostError for settings that
 * can't be loaded
 */
export function describeModel(
  title: string,
  known: KnownModel,
  settings: EstimateSettings,
): ModelEstimate {
  if (known.kind === 'header') refuseProblems(settings, known.header);
  const report = reportOf(known, settings);
  return {
    modelKey: null,
    title,
    basis:
      known.kind === 'header'
        ? { kind: 'header', file: known.file, complete: known.header.complete }
        : { kind: 'size', why: known.why },
    report,
    byContextLength: byContextLength(known, settings, report),
    fit: null,
    corrected: null,
    lmStudio: null,
  };
}

function reportOf(known: KnownModel, settings: EstimateSettings): EstimateReport {
  return known.kind === 'size'
    ? estimateReportFromFileSize(known, settings)
    : estimateReport(known.header, settings, known.visionProjector);
}

const FIRST_CONTEXT_TOKENS = 4096;
/** The longest context that an estimate accepts. A header may state any number. */
const LONGEST_CONTEXT_TOKENS = 2 ** 30;
const MAX_CONTEXTS = 8;

function byContextLength(
  known: KnownModel,
  settings: EstimateSettings,
  { loadConfig: { contextLengthTokens: asked } }: EstimateReport,
): readonly EstimateReport[] {
  const trained = trainedContext(known) ?? 8 * asked;
  const most = Math.max(asked, Math.min(trained, LONGEST_CONTEXT_TOKENS));
  const lengths = new Set([asked, most]);
  for (let tokens = FIRST_CONTEXT_TOKENS; tokens < most; tokens *= 2) lengths.add(tokens);
  const sorted = [...lengths].sort((a, b) => a - b);
  // A list that is too long loses its shortest lengths, but keeps the requested one.
  const shown = sorted.filter(
    (tokens, index) => tokens === asked || sorted.length - index <= MAX_CONTEXTS,
  );
  return shown.map((contextLengthTokens) => reportOf(known, { ...settings, contextLengthTokens }));
}

/** The context length that a model was trained for; null where it is unknown. */
function trainedContext(known: KnownModel): number | null {
  if (known.kind === 'size') return null;
  const { architecture, metadata } = known.header;
  const trained = metadata.get(`${architecture ?? ''}.context_length`);
  return typeof trained === 'number' && trained >= 1 ? trained : null;
}
