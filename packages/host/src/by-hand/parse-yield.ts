import { parseSizeBytes } from '@mai/model-config';
import { HostError } from '../host-error.js';
import { parseMoment } from './parse-moment.js';
import type { YieldRequest } from './yield-request.js';

/** A yield as a person types it. Null: not given. */
export interface TypedYield {
  /** An amount such as `8GiB`. */
  readonly size: string;
  readonly pools: YieldRequest['pools'] | null;
  readonly name: string | null;
  readonly forMs: number | null;
  /** A time such as `22:30` or `2031-05-04T22:30`. */
  readonly until: string | null;
  readonly whileProcess: string | null;
}

/** Reads a typed yield. @throws HostError `INVALID_REQUEST` */
export function parseYield(
  { size, pools, name, forMs, until, whileProcess }: TypedYield,
  nowMs: number,
): YieldRequest {
  const bytes = parseSizeBytes(size);
  if (bytes === null || bytes <= 0) {
    // Most people who leave the unit out mean GiB.
    const inGib = parseSizeBytes(`${size}GiB`);
    const next = inGib === null || inGib <= 0 ? '' : ` Write ${size}GiB, for example.`;
    throw invalid(`SIZE is an amount such as 8GiB or 512MiB, not ${JSON.stringify(size)}.${next}`);
  }
  const untilMs = forMs === null ? untilOf(until, nowMs) : nowMs + forMs;
  return { bytes, pools: pools ?? 'all', name, untilMs, whileProcess };
}

function untilOf(text: string | null, nowMs: number): number | null {
  if (text === null) return null;
  const untilMs = parseMoment(text, nowMs, 'next');
  if (untilMs === null) {
    throw invalid(
      `--until takes a time such as 22:30 or 2031-05-04T22:30, not ${JSON.stringify(text)}.`,
    );
  }
  if (untilMs <= nowMs) throw invalid(`--until ${text} is in the past.`);
  return untilMs;
}

function invalid(message: string): HostError {
  return new HostError('INVALID_REQUEST', message);
}
