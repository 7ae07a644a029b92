/** The facts about the choice that are known so far, for the headers of the answer. */
export interface ReportedChoice {
  modelKey: string | null;
  instanceIdentifier: string | null;
  /** Host of the resident; null where this machine serves it. */
  host: string | null;
  /** Identifies the choice among the hosts of a fleet; null without a fleet. */
  placementId: string | null;
  decisionId: string | null;
  queueMs: number;
  fallbacks: number;
  /** The request has tools, and the model's chat template has none: the embedded engine describes them in the prompt. */
  toolsDescribed: boolean;
}

/** A choice that has not been made. */
export function nothingReported(): ReportedChoice {
  return {
    modelKey: null,
    instanceIdentifier: null,
    host: null,
    placementId: null,
    decisionId: null,
    queueMs: 0,
    fallbacks: 0,
    toolsDescribed: false,
  };
}

/**
 * The headers that say what serves a request and why. `x-mai-decision` is `none` before the first decision was logged. The
 * others are absent where the response head is sent before a model is chosen.
 */
export function decisionHeaders(reported: ReportedChoice): Record<string, string> {
  if (reported.modelKey === null) return lastDecisionHeader(reported);
  // One literal, because spreads cost a tenth of a small request's CPU time here.
  const headers: Record<string, string> = {
    'x-mai-decision': reported.decisionId ?? 'none',
    'x-mai-model': visibleAscii(reported.modelKey),
    'x-mai-queue-ms': String(Math.round(reported.queueMs)),
    'x-mai-fallbacks': String(reported.fallbacks),
  };
  if (reported.host !== null) headers['x-mai-host'] = reported.host;
  if (reported.toolsDescribed) headers['x-mai-tools'] = 'described';
  if (reported.placementId !== null) headers['x-mai-placement'] = reported.placementId;
  return headers;
}

/**
 * The header of an answer for which no model was chosen. Null where no decision was logged, and for a client that is not
 * admitted, which learns nothing about the machine.
 */
export function lastDecisionHeader(
  known: Pick<ReportedChoice, 'decisionId'> | null,
): Record<string, string> {
  return { 'x-mai-decision': known?.decisionId ?? 'none' };
}

const VISIBLE = /^[\x21-\x7e]*$/;

/** Percent-encodes what a header may not hold. */
function visibleAscii(text: string): string {
  if (VISIBLE.test(text)) return text;
  return text.replace(/[^\x21-\x7e]+/gu, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
