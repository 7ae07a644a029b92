import type { Clock } from '../clock.js';

/** How long a host that did not answer is not asked again. Its heartbeats may still look alive. */
const AVOID_MS = 5000;

/** Hosts that did not answer a moment ago. */
export interface AvoidedHosts {
  avoid(host: string): void;
  has(host: string): boolean;
}

export function createAvoidedHosts(clock: Clock): AvoidedHosts {
  const untilMs = new Map<string, number>();
  return {
    avoid: (host) => void untilMs.set(host, clock.monotonicMs() + AVOID_MS),
    has: (host) => {
      const until = untilMs.get(host);
      if (until === undefined) return false;
      if (clock.monotonicMs() < until) return true;
      untilMs.delete(host);
      return false;
    },
  };
}
