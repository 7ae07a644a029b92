import type { Clock } from '../../clock.js';
import type { RecentSend } from '../../placement/placement-input.js';
import type { KnownHost } from '../../state/known-host.js';

/** The requests of this gateway whose start or end the heartbeat of their host does not show yet. */
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

/** A heartbeat of a host. */
type Heartbeat = NonNullable<RecentSend['heartbeat']>;

type Entry = {
  -readonly [Field in keyof Omit<RecentSend, 'agoMs' | 'ended'>]: RecentSend[Field];
} & {
  readonly atMs: number;
  /** Once the answer has ended: the heartbeat that still counts the request. */
  countedBy: Heartbeat | null;
};

export function createSends(clock: Clock, hosts: () => readonly KnownHost[]): Sends {
  const entries = new Set<Entry>();
  const heartbeatOf = (host: string): Heartbeat | null => {
    const heartbeat = hosts().find(({ state }) => state.host === host)?.heartbeat ?? null;
    return heartbeat === null ? null : { epoch: heartbeat.epoch, sequence: heartbeat.sequence };
  };
  /** Drops the ended requests that the newest heartbeat of their host does not count. */
  const sweep = (): void => {
    for (const entry of entries) {
      const { countedBy } = entry;
      if (countedBy === null) continue;
      const newest = heartbeatOf(entry.host);
      if (newest?.epoch !== countedBy.epoch || newest.sequence !== countedBy.sequence)
        entries.delete(entry);
    }
  };
  return {
    begin: (host, modelKey, instanceIdentifier) => {
      sweep();
      const entry: Entry = {
        host,
        modelKey,
        instanceIdentifier,
        loading: false,
        heartbeat: heartbeatOf(host),
        countedBy: null,
        atMs: clock.monotonicMs(),
      };
      /** The newest heartbeat when the host gave the lease: later ones count the request. */
      let grantedAt: Heartbeat | null = null;
      entries.add(entry);
      return {
        granted: (key, identifier) => {
          entry.modelKey = key;
          entry.instanceIdentifier = identifier;
          entry.loading = false;
          grantedAt = heartbeatOf(host);
        },
        loads: () => {
          entry.loading = true;
        },
        end: () => {
          const newest = heartbeatOf(host);
          const isCounted =
            entry.countedBy === null &&
            grantedAt !== null &&
            newest?.epoch === grantedAt.epoch &&
            newest.sequence > grantedAt.sequence;
          if (isCounted) entry.countedBy = newest;
          else if (entry.countedBy === null) entries.delete(entry);
        },
      };
    },
    list: () => {
      sweep();
      const nowMs = clock.monotonicMs();
      return [...entries].map(({ atMs, countedBy, ...send }) => ({
        ...send,
        ended: countedBy !== null,
        agoMs: nowMs - atMs,
      }));
    },
  };
}
