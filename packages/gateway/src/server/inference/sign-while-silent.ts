import type { ClientAnswer } from './client-answer.js';
import { lastDecisionHeader, type ReportedChoice } from './decision-headers.js';
import type { InferenceParts } from './inference-parts.js';

/**
 * How long a resident may be silent before the client of its stream gets a sign, and the time between two signs, in
 * milliseconds. Until the first sign, a refusal of the runtime keeps its HTTP status, and refusals come sooner.
 */
const SIGN_EVERY_MS = 10_000;

/**
 * Sends the client of a stream signs until the runtime's first event. An agent's prompt may take minutes to read without a
 * GPU. Clients that receive nothing for so long (Claude Code: 300 s) give up and send the request again, from its start.
 *
 * @returns ends the signs
 */
export function signWhileSilent(
  { answer, reported }: { readonly answer: ClientAnswer; readonly reported: ReportedChoice },
  { clock, limits }: Pick<InferenceParts, 'clock' | 'limits'>,
): () => void {
  // The gateway of the asking host sends the signs.
  if (limits.waitSignAfterMs === Infinity) return () => undefined;
  const startedMs = clock.monotonicMs();
  const sign = (): void => {
    if (!answer.isWaiting) return;
    const waitedMs = clock.monotonicMs() - startedMs;
    answer.wait({ position: null, waitedMs, loading: null }, lastDecisionHeader(reported));
    cancel = clock.setTimer(SIGN_EVERY_MS, sign);
  };
  let cancel = clock.setTimer(SIGN_EVERY_MS, sign);
  return () => cancel();
}
