import { asSentence } from '../../as-sentence.js';
import { codeOf, messageOf } from '../../error-facts.js';
import { notListed, whyNotListed } from '../../models/not-listed.js';
import type { Selection } from '../../ports/selection.js';
import type { FailureCode } from '../../protocols/protocol.js';
import { ANY_MODEL, type ServingCatalog, type ServingRequest } from '../../ports/serving-port.js';
import { checkRuntime } from '../../upstream/runtime-words.js';
import { loadFailed } from './load-failed.js';
import { nothingFits } from './nothing-fits.js';
import { retryAfter } from './retry-after.js';
import { SchedulingFailure } from '../scheduler.js';

export function stopping(): SchedulingFailure {
  return failure(
    'stopping',
    503,
    'Mai is stopping. Start it again, then send the request again.',
    5,
  );
}

export function clientQueueFull(waiting: number): SchedulingFailure {
  return failure(
    'queue_full',
    429,
    `This client has ${waiting} waiting requests, which is the limit. Wait until one of them is answered, then send the request again.`,
    5,
  );
}

export function queueFull(waiting: number): SchedulingFailure {
  return failure(
    'queue_full',
    503,
    `${waiting} requests wait for a model, which is the limit. Send the request again later.`,
    10,
  );
}

/** The model will be loaded, but not within the request's deadline. */
export function modelLoading(modelKey: string | null, remainingMs: number): SchedulingFailure {
  const seconds = retryAfter(remainingMs);
  const model = modelKey ?? 'The model';
  return failure(
    'model_loading',
    503,
    `${model} is not ready within the deadline of this request. Send the request again in ${seconds} s, or ask for a stream, which may wait longer.`,
    seconds,
  );
}

/**
 * The failure that an error of the machine means.
 *
 * @param wanted - the request; null where it is not about a model
 * @param catalog - the models as they were last read; null before the first reading
 */
export function failureOfMachine(
  error: unknown,
  wanted: ServingRequest | null,
  catalog: ServingCatalog | null,
): SchedulingFailure {
  const decisionId = decisionIn(error);
  const cause = { cause: error, decisionId };
  const code = codeOf(error);
  const text = messageOf(error);
  if (code === 'NOTHING_FITS') {
    const selection = selectionIn(error);
    const reason =
      loadFailed(selection, loadFailuresIn(error)) ??
      nothingFits(selection.rejected, wanted ?? ANY_MODEL, catalog, decisionId);
    return new SchedulingFailure(reason, cause);
  }
  if (code === 'MODEL_NOT_FOUND') {
    // Residents are listed apart from the models on disk.
    const isResident = (wanted?.instanceIdentifier ?? null) !== null;
    const why = catalog === null || isResident ? null : whyNotListed(catalog);
    if (why !== null) return new SchedulingFailure(notListed(`${asSentence(text)} ${why}`), cause);
    return failure(
      'model_not_found',
      404,
      `${asSentence(text)} Use one of the models that GET /v1/models lists, or "auto".`,
      null,
      cause,
    );
  }
  if (code === 'NO_HOST_SERVES') {
    const message = `${asSentence(text)} Send the request again later, or ask for another model.`;
    return failure('nothing_fits', 503, message, 10, cause);
  }
  if (code === 'JOURNAL_UNUSABLE') {
    const message = `Mai keeps no model loaded, because its files cannot be written. ${asSentence(text)}`;
    return failure('upstream_unreachable', 503, message, 30, cause);
  }
  return failure(
    'upstream_unreachable',
    503,
    `Mai has no connection to a model: ${asSentence(text)} ${checkRuntime(catalog?.runtime ?? null)}, then send the request again.`,
    5,
    cause,
  );
}

/** The identifier of the logged decision that an error carries. */
function decisionIn(error: unknown): string | null {
  const has = typeof error === 'object' && error !== null && 'decisionId' in error;
  return has && typeof error.decisionId === 'string' ? error.decisionId : null;
}

/** The messages of failed loads that an error carries, by model key. */
function loadFailuresIn(error: unknown): ReadonlyMap<string, string> {
  const has = typeof error === 'object' && error !== null && 'loadFailures' in error;
  const given: unknown = has ? error.loadFailures : null;
  if (typeof given !== 'object' || given === null) return new Map();
  const entries: [string, unknown][] = Object.entries(given);
  return new Map(entries.flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])));
}

type Reasons = Pick<Selection, 'decision' | 'rejected'>;

function selectionIn(error: unknown): Reasons {
  const has = typeof error === 'object' && error !== null && 'selection' in error;
  return has && isSelection(error.selection) ? error.selection : { decision: 'none', rejected: [] };
}

function isSelection(value: unknown): value is Reasons {
  return (
    typeof value === 'object' &&
    value !== null &&
    'decision' in value &&
    'rejected' in value &&
    Array.isArray(value.rejected)
  );
}

function failure(
  code: FailureCode,
  status: number,
  message: string,
  retryAfterSeconds: number | null,
  options?: ConstructorParameters<typeof SchedulingFailure>[1],
): SchedulingFailure {
  return new SchedulingFailure({ code, status, message, retryAfterSeconds }, options);
}
