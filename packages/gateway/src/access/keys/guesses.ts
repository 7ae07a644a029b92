import type { Clock } from '../../ports/clock.js';

/** Counts wrong keys by the client's address, and makes addresses wait that have sent many. */
export interface Guesses {
  /** Milliseconds until keys of this address are checked again; 0: they are checked now. */
  waitMs(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

/** Wrong keys before an address waits. A client with an outdated key sends several requests at once. */
const FREE_FAILURES = 10;
const FIRST_WAIT_MS = 1000;
/** Clients ignore a longer `Retry-After`. */
const LONGEST_WAIT_MS = 59_000;
/** After this time without a wrong key, an address is forgotten. */
const FORGET_MS = 15 * 60_000;
const ADDRESSES_MAX = 4096;

interface Entry {
  failures: number;
  lastMs: number;
  untilMs: number;
}

/** Creates the counts. The wait doubles with each wrong key, up to 59 seconds. */
export function createGuesses(clock: Clock): Guesses {
  const entries = new Map<string, Entry>();
  const entryOf = (address: string): Entry | null => {
    const entry = entries.get(networkOf(address));
    if (entry === undefined) return null;
    if (clock.monotonicMs() - entry.lastMs < FORGET_MS) return entry;
    entries.delete(networkOf(address));
    return null;
  };
  return {
    waitMs: (address) => Math.max(0, (entryOf(address)?.untilMs ?? 0) - clock.monotonicMs()),
    failed: (address) => {
      const nowMs = clock.monotonicMs();
      const network = networkOf(address);
      const failures = (entryOf(address)?.failures ?? 0) + 1;
      const doublings = failures - FREE_FAILURES - 1;
      const waitMs =
        doublings < 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(doublings, 16));
      // Deleted first, so that the map is ordered by the last failure and the oldest is dropped.
      entries.delete(network);
      entries.set(network, { failures, lastMs: nowMs, untilMs: nowMs + waitMs });
      const [oldest] = entries.keys();
      if (entries.size > ADDRESSES_MAX && oldest !== undefined) entries.delete(oldest);
    },
    succeeded: (address) => {
      entries.delete(networkOf(address));
    },
  };
}

/** The address, or for IPv6 its /64 network: one client may use every address of its network. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail = null] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  if (tail !== null) while (groups.length < 4) groups.push('0');
  return groups.slice(0, 4).join(':');
}
