import type { ServerAddress } from './base-url.js';
import { getJson, type HttpOutcome } from './http-json.js';
import { record } from '../json-fields.js';

/** How one address answered the request for LM Studio's greeting. */
export type ProbeOutcome =
  'lmstudio' | 'refused' | 'timed-out' | 'no-such-host' | 'unauthorized' | 'something-else';

/** One address that was tried. */
export interface Probe {
  /** `ws://host:port`. */
  readonly baseUrl: string;
  readonly outcome: ProbeOutcome;
  /**
   * The HTTP status or the system's error code; `null` where there is nothing to add to the
   * outcome.
   */
  readonly detail: string | null;
}

/**
 * Asks one address for LM Studio's greeting (`GET /lmstudio-greeting`). Rejects only with the
 * signal's reason.
 */
export async function probeGreeting(
  address: ServerAddress,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Probe> {
  const outcome = await getJson(address, '/lmstudio-greeting', options);
  return { baseUrl: address.webSocketUrl, ...judge(outcome) };
}

function judge(outcome: HttpOutcome): Pick<Probe, 'outcome' | 'detail'> {
  switch (outcome.kind) {
    case 'answered': {
      const { status, json } = outcome;
      if (status === 200 && record(json)?.['lmstudio'] === true)
        return { outcome: 'lmstudio', detail: null };
      const detail = `HTTP ${status}`;
      return status === 401 || status === 403
        ? { outcome: 'unauthorized', detail }
        : { outcome: 'something-else', detail };
    }
    case 'refused':
      return { outcome: 'refused', detail: null };
    case 'timed-out':
      return { outcome: 'timed-out', detail: null };
    case 'no-such-host':
      return { outcome: 'no-such-host', detail: outcome.detail };
    case 'broken':
      return { outcome: 'something-else', detail: outcome.detail };
  }
}
