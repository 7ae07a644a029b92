import type { Clock } from '../clock.js';

/** Between two reports about one host. */
const INTERVAL_MS = 60_000;

/**
 * Reports messages of other hosts that cannot be used. Every heartbeat may have the same fault, and a malicious host can send a new
 * fault each time. So a host is reported only for a reason that differs from its last one, and at most once a minute.
 */
export function createRefusedReport(
  clock: Clock,
  warn: (message: string) => void,
): (host: string, reason: string) => void {
  const last = new Map<string, { readonly reason: string; readonly atMs: number }>();
  return (host, reason) => {
    const before = last.get(host);
    const atMs = clock.monotonicMs();
    if (before?.reason === reason || atMs - (before?.atMs ?? -Infinity) < INTERVAL_MS) return;
    last.set(host, { reason, atMs });
    warn(`A message of the host ${host} is left out: ${reason}.`);
  };
}
