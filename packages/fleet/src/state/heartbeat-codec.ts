import { z } from 'zod';

import { count, decodeJson, epochText, ratio, record, type Decoded } from './decoded.js';
import type { Heartbeat } from './heartbeat.js';

/** Longest heartbeat in bytes. */
export const MAX_HEARTBEAT_BYTES = 256;

/** Heartbeats are frequent, so their fields have short names: the host is the last part of the subject. */
const wire = z.object({
  /** Epoch. */
  e: epochText,
  /** Sequence. */
  s: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** Uptime in milliseconds. */
  u: count.nullable().default(null),
  /** Revision of the state; 0 before the first state. */
  v: count,
  /** Running requests. */
  r: count,
  /** Queued requests. */
  q: count,
  /** Requests by instance identifier. */
  i: record(count, 16),
  /** Pressure, 0 to 1, with three digits. */
  p: ratio.nullable(),
  /** Ready: 1 or 0. */
  y: z.union([z.literal(0), z.literal(1)]),
});

/** The heartbeat as JSON of at most 256 bytes. Residents with few requests are left out where they do not fit in. */
export function encodeHeartbeat(heartbeat: Heartbeat): string {
  const residents = Object.entries(heartbeat.residents)
    .filter(([, requests]) => requests > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 16);
  for (;;) {
    const text = JSON.stringify({
      e: heartbeat.epoch,
      s: heartbeat.sequence,
      u: heartbeat.uptimeMs,
      v: heartbeat.revision,
      r: heartbeat.running,
      q: heartbeat.queued,
      i: Object.fromEntries(residents),
      p: heartbeat.pressureRatio === null ? null : round(heartbeat.pressureRatio),
      y: heartbeat.ready ? 1 : 0,
    } satisfies z.input<typeof wire>);
    if (Buffer.byteLength(text) <= MAX_HEARTBEAT_BYTES || residents.pop() === undefined)
      return text;
  }
}

/** Reads a heartbeat that arrived on the subject of `host`. */
export function decodeHeartbeat(data: Uint8Array, host: string): Decoded<Heartbeat> {
  const decoded = decodeJson(data, MAX_HEARTBEAT_BYTES, wire);
  if (!decoded.ok) return decoded;
  const { e, s, u, v, r, q, i, p, y } = decoded.value;
  return {
    ok: true,
    value: {
      host,
      epoch: e,
      sequence: s,
      uptimeMs: u,
      revision: v,
      running: r,
      queued: q,
      residents: i,
      pressureRatio: p,
      ready: y === 1,
    },
  };
}

/** A share with three digits, held between 0 and 1. */
function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;
}
