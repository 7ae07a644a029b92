import type { Clock } from '../clock.js';

/** How long a host that gave no answer is not asked again. Its heartbeats may still look alive. */
const AVOID_MS = 5000;
/** Each failure in a row doubles the time, up to this. */
const AVOID_MAX_MS = 60_000;

/** Hosts that gave no answer a moment ago. */
export interface AvoidedHosts {
  avoid(host: string): void;
  /** The host has answered. */
  answered(host: string): void;
  has(host: string): boolean;
}

export function createAvoidedHosts(clock: Clock): AvoidedHosts {
  const avoided = new Map<string, { readonly untilMs: number; readonly forMs: number }>();
  return {
    avoid: (host) => {
      const before = avoided.get(host);
      const forMs = before === undefined ? AVOID_MS : Math.min(before.forMs * 2, AVOID_MAX_MS);
      avoided.set(host, { untilMs: clock.monotonicMs() + forMs, forMs });
    },
    answered: (host) => void avoided.delete(host),
    has: (host) => clock.monotonicMs() < (avoided.get(host)?.untilMs ?? 0),
  };
}
