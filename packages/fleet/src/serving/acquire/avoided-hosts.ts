import type { Clock } from '../../clock.js';

/** How long a host that gave no answer, or whose gateway gave none, is not asked again. Its heartbeats may still look alive. */
const AVOID_MS = 5000;
/** Each failure in a row doubles the time, up to this. */
const AVOID_MAX_MS = 60_000;

/** Hosts that gave no answer a moment ago. */
export interface AvoidedHosts {
  /** Notes that the host gave no answer. Further requests that notice this while the host is avoided do not count as further failures. */
  avoid(host: string): void;
  /** The host has served a request, or has refused one. */
  answered(host: string): void;
  has(host: string): boolean;
}

export function createAvoidedHosts(clock: Clock): AvoidedHosts {
  const avoided = new Map<string, { readonly untilMs: number; readonly forMs: number }>();
  const has = (host: string): boolean => clock.monotonicMs() < (avoided.get(host)?.untilMs ?? 0);
  return {
    avoid: (host) => {
      if (has(host)) return;
      const before = avoided.get(host);
      const forMs = before === undefined ? AVOID_MS : Math.min(before.forMs * 2, AVOID_MAX_MS);
      avoided.set(host, { untilMs: clock.monotonicMs() + forMs, forMs });
    },
    answered: (host) => void avoided.delete(host),
    has,
  };
}
