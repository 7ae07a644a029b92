import { asSentence } from '../../as-sentence.js';
import type { Selection } from '../../ports/selection.js';
import type { Failure } from '../../protocols/protocol.js';
import { shorten } from '../../shorten.js';
import { listed } from './listed.js';
import { RETRY_MAX_SECONDS, retryAfter } from './retry-after.js';

type Rejected = Selection['rejected'];

/** Longest part of a load's own message that is passed on. The messages of both runtimes are shorter. */
const QUOTED_MAX = 600;
const COOLING_DOWN = 'COOLING_DOWN_AFTER_FAILURE';

/**
 * The failure of a request whose models are not tried, because their last load has failed: what failed, and when Mai
 * tries again. Null where no model was rejected for this reason.
 *
 * @param messages - the messages of the failed loads, by model key, as far as they are known
 */
export function loadFailed(
  { decision, rejected }: Pick<Selection, 'decision' | 'rejected'>,
  messages: ReadonlyMap<string, string>,
): Failure | null {
  const [failed] = rejected
    .filter(({ rejection }) => rejection.code === COOLING_DOWN)
    .sort((one, other) => remainingMsOf(one) - remainingMsOf(other));
  if (failed !== undefined) {
    const { modelKey } = failed;
    const others = rejected.filter((one) => one !== failed);
    const also = others.length === 0 ? '' : ` No other model fits now: ${listed(others)}.`;
    const remainingMs = remainingMsOf(failed);
    const text = asSentence(
      shorten(messages.get(modelKey) ?? `${modelKey} failed to load`, QUOTED_MAX),
    );
    return failure(
      `${text} Mai tries to load it again ${whenOf(remainingMs)}.${also}`,
      remainingMs,
    );
  }
  // The decision is to load a model, but the load was not tried.
  return decision === 'load' || decision === 'switch'
    ? failure(
        'Mai loads no model for some minutes, because several loads in succession have failed. "mai explain" and "mai status" show the reasons.',
        Infinity,
      )
    : null;
}

function remainingMsOf({ rejection }: Rejected[number]): number {
  return rejection.remainingMs ?? Infinity;
}

/** Clients ignore a `Retry-After` above 59 seconds, so a longer wait has none. */
function failure(message: string, remainingMs: number): Failure {
  const isShort = remainingMs <= RETRY_MAX_SECONDS * 1000;
  return {
    code: 'load_failed',
    status: 503,
    message,
    retryAfterSeconds: isShort ? retryAfter(remainingMs) : null,
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function whenOf(ms: number): string {
  if (ms === Infinity) return 'later';
  if (ms < 2 * MINUTE_MS) return `in ${Math.max(1, Math.ceil(ms / 1000))} s`;
  if (ms < 2 * HOUR_MS) return `in ${Math.ceil(ms / MINUTE_MS)} min`;
  return `in ${Math.ceil(ms / HOUR_MS)} h, or earlier if memory is freed`;
}
