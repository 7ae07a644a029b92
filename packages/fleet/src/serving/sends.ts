import type { Clock } from '../clock.js';
import type { RecentSend } from '../placement/placement-input.js';
import type { KnownHost } from '../state/known-host.js';

/** The requests that this gateway has sent to a host and whose answers have not ended. */
export interface Sends {
  /** A request goes to a host. */
  begin(host: string, modelKey: string | null, instanceIdentifier: string | null): Send;
  list(): readonly RecentSend[];
}

/** One request under way. */
export interface Send {
  /** The host has given a lease on this resident. */
  granted(modelKey: string, instanceIdentifier: string): void;
  /** The host loads a model for the request. */
  loads(): void;
  end(): void;
}

type Entry = { -readonly [Field in keyof Omit<RecentSend, 'agoMs'>]: RecentSend[Field] } & {
  readonly atMs: number;
};

export function createSends(clock: Clock, hosts: () => readonly KnownHost[]): Sends {
  const entries = new Set<Entry>();
  return {
    begin: (host, modelKey, instanceIdentifier) => {
      const heartbeat = hosts().find(({ state }) => state.host === host)?.heartbeat ?? null;
      const entry: Entry = {
        ...{ host, modelKey, instanceIdentifier, loading: false },
        heartbeat:
          heartbeat === null ? null : { epoch: heartbeat.epoch, sequence: heartbeat.sequence },
        atMs: clock.monotonicMs(),
      };
      entries.add(entry);
      return {
        granted: (key, identifier) => {
          entry.modelKey = key;
          entry.instanceIdentifier = identifier;
          entry.loading = false;
        },
        loads: () => {
          entry.loading = true;
        },
        end: () => entries.delete(entry),
      };
    },
    list: () => {
      const nowMs = clock.monotonicMs();
      return [...entries].map(({ atMs, ...send }) => ({ ...send, agoMs: nowMs - atMs }));
    },
  };
}
