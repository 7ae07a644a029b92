import type { Footprint } from '@mai/memory-ledger';
import type { EstimateReport, EstimateSettings } from '@mai/memory-estimator';
import { estimateReport, estimateReportFromFileSize } from '@mai/memory-estimator';
import { refuseProblems } from './estimate-settings.js';
import type { FitHere } from './fit-here.js';
import type { KnownModel } from './open-model.js';

/** What a model takes, part by part, and whether it fits. */
export interface ModelEstimate {
  /** Null for a file. */
  readonly modelKey: string | null;
  /** The model key, or the file's name. */
  readonly title: string;
  /** What the estimate is made from. */
  readonly basis:
    | {
        readonly kind: 'header';
        readonly file: string;
        /** False: a header alone, or an unfinished download, which can't be loaded. */
        readonly complete: boolean;
      }
    /** Only the size is known; `why` follows 'because'. */
    | { readonly kind: 'size'; readonly why: string };
  readonly report: EstimateReport;
  /** The same at other context lengths, up to what the model was trained for; shortest first. */
  readonly byContextLength: readonly EstimateReport[];
  /** Null where it was not asked for, or the model or the settings belong to another machine. */
  readonly fit: FitHere | null;
  /** The footprint as measurements on this machine correct it; null where there are none for it. */
  readonly corrected: Footprint | null;
  /** LM Studio's own figure; null for a file, and where LM Studio is off or tells none. */
  readonly lmStudio: {
    readonly totalBytes: number;
    /** As a share of what the header gives for the same parts, where they differ by over a quarter. */
    readonly disagreementRatio: number | null;
  } | null;
}

/** The part of the answer that needs no machine. @throws HostError for settings that can't be loaded */
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
/** The longest context that an estimate takes. A header may claim any. */
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
  // A list that is too long loses its short end, but not the length that was asked for.
  const shown = sorted.filter(
    (tokens, index) => tokens === asked || sorted.length - index <= MAX_CONTEXTS,
  );
  return shown.map((contextLengthTokens) => reportOf(known, { ...settings, contextLengthTokens }));
}

/** The context length that a model was trained for; null where nothing says so. */
function trainedContext(known: KnownModel): number | null {
  if (known.kind === 'size') return null;
  const { architecture, metadata } = known.header;
  const trained = metadata.get(`${architecture ?? ''}.context_length`);
  return typeof trained === 'number' && trained >= 1 ? trained : null;
}
