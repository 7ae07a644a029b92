import { parseDecisionId } from '@mai/autopilot';
import type { DecisionsQuery } from '../decisions/read-history.js';
import { HostError } from '../host-error.js';
import { parseMoment } from './parse-moment.js';

/**
 * Reads which decisions a person asks for.
 *
 * @param when - a past time, such as `14:05` or `10m ago`, or the identifier of a decision; empty: the latest decisions
 * @param count - number of decisions up to that time. Null: 1 with a time, else as in `DecisionsQuery`
 * @throws HostError `INVALID_REQUEST`
 */
export function parseDecisionsQuery(
  when: string,
  count: number | null,
  nowMs: number,
): DecisionsQuery {
  const untilMs = when === '' ? null : parseMoment(when, nowMs, 'last');
  if (untilMs !== null) return { count: count ?? 1, untilMs };
  const counted = count === null ? {} : { count };
  if (when === '') return counted;
  if (parseDecisionId(when) !== null) return { ...counted, id: when };
  throw new HostError(
    'INVALID_REQUEST',
    `WHEN must be a past time, such as 14:05, 2031-05-04T14:05 or 10m ago, or the identifier of a decision, not ${JSON.stringify(when)}.`,
  );
}
