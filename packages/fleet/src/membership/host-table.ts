import type { Clock } from '../clock.js';
import type { Heartbeat } from '../state/heartbeat.js';
import type { HostState } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';

/** Maximum number of hosts that a reader keeps. Further ones are refused. */
const MAX_HOSTS = 20_000;

const MAX_RETIRED_EPOCHS = 8;

interface Entry {
  /** Newest state of the epoch in force. */
  state: HostState | null;
  /** A replayed state of an epoch from which nothing was heard yet, while another epoch is in force. */
  stored: HostState | null;
  heartbeat: Heartbeat | null;
  /** The epoch that was heard last; null before anything was heard. */
  epoch: string | null;
  /** Earlier epochs. Their late messages are ignored. */
  retired: readonly string[];
  heardAtMs: number | null;
  /** Time since which heartbeats name a newer state than the known one; null while they do not. */
  missingSinceMs: number | null;
  usable: boolean;
}

/**
 * What a reader knows about the other hosts.
 *
 * Something is heard when it is new and was sent after the reader began to listen: a heartbeat with a higher sequence, a
 * state with a higher revision, an answer, or any of these in a new epoch. Only the reader's own monotonic clock counts.
 */
export interface HostTable {
  list(): readonly KnownHost[];
  /** A state from the bucket or an answer. `heard` is false for what a watcher replays. */
  noteState(state: HostState, heard: boolean): void;
  noteHeartbeat(heartbeat: Heartbeat, heard: boolean): void;
  /** A direct answer of a host. */
  noteAnswer(host: string, epoch: string): void;
  /** A state that a host gave as a direct answer. */
  noteDescribed(state: HostState): void;
  forget(host: string): void;
  /** Hosts whose heartbeats have announced a newer state for `afterMs`, or since they were silent. */
  missing(afterMs: number): readonly string[];
  /** Reports hosts that went silent since the last call. */
  sweep(): void;
}

export function createHostTable(options: {
  readonly clock: Clock;
  readonly staleAfterMs: number;
  readonly onChange: (host: string) => void;
  readonly onRefused: (host: string, reason: string) => void;
}): HostTable {
  const { clock, staleAfterMs, onChange, onRefused } = options;
  const entries = new Map<string, Entry>();

  const entryOf = (host: string): Entry | null => {
    const known = entries.get(host);
    if (known !== undefined) return known;
    if (entries.size >= MAX_HOSTS) {
      onRefused(host, `${MAX_HOSTS} hosts are known already`);
      return null;
    }
    const entry: Entry = {
      state: null,
      stored: null,
      heartbeat: null,
      epoch: null,
      retired: [],
      heardAtMs: null,
      missingSinceMs: null,
      usable: false,
    };
    entries.set(host, entry);
    return entry;
  };

  const isUsable = (entry: Entry, nowMs: number): boolean =>
    entry.state !== null &&
    entry.state.epoch === entry.epoch &&
    entry.heardAtMs !== null &&
    nowMs - entry.heardAtMs <= staleAfterMs &&
    entry.heartbeat?.ready !== false;

  /** Puts an epoch in force. Everything known of the epoch before is void. */
  const enterEpoch = (entry: Entry, epoch: string): void => {
    if (entry.epoch === epoch) return;
    if (entry.epoch !== null)
      entry.retired = [entry.epoch, ...entry.retired].slice(0, MAX_RETIRED_EPOCHS);
    entry.epoch = epoch;
    if (entry.heartbeat?.epoch !== epoch) entry.heartbeat = null;
    if (entry.stored?.epoch === epoch) entry.state = entry.stored;
    entry.stored = null;
  };

  const settle = (host: string, entry: Entry, changed: boolean): void => {
    const nowMs = clock.monotonicMs();
    const { heartbeat } = entry;
    const isMissing =
      heartbeat !== null &&
      heartbeat.revision > (entry.state?.epoch === heartbeat.epoch ? entry.state.revision : 0);
    const usable = isUsable(entry, nowMs);
    // What a host wrote while it was silent may come late: the bucket has a new leader after a partition.
    const wasSilent = entry.state !== null && usable && !entry.usable;
    const sinceMs = wasSilent ? -Infinity : nowMs;
    entry.missingSinceMs = isMissing ? (entry.missingSinceMs ?? sinceMs) : null;
    const turned = usable !== entry.usable;
    entry.usable = usable;
    if (changed || turned) onChange(host);
  };

  const noteState = (state: HostState, heard: boolean): void => {
    const entry = entryOf(state.host);
    if (entry === null || entry.retired.includes(state.epoch)) return;
    const isOtherEpoch = entry.epoch !== null && entry.epoch !== state.epoch;
    if (!heard && isOtherEpoch) {
      if (entry.stored?.epoch !== state.epoch || entry.stored.revision < state.revision)
        entry.stored = state;
      return;
    }
    const isNew = entry.state?.epoch !== state.epoch || entry.state.revision < state.revision;
    if (!isNew) return;
    if (heard) {
      enterEpoch(entry, state.epoch);
      entry.heardAtMs = clock.monotonicMs();
    }
    entry.state = state;
    settle(state.host, entry, true);
  };
  const noteAnswer = (host: string, epoch: string): void => {
    const entry = entries.get(host);
    if (entry === undefined || entry.retired.includes(epoch)) return;
    enterEpoch(entry, epoch);
    entry.heardAtMs = clock.monotonicMs();
    settle(host, entry, false);
  };

  return {
    list: () => {
      const nowMs = clock.monotonicMs();
      const known: KnownHost[] = [];
      for (const entry of entries.values()) {
        if (entry.state === null) continue;
        known.push({
          state: entry.state,
          heartbeat: entry.heartbeat,
          silentMs: entry.heardAtMs === null ? null : Math.max(0, nowMs - entry.heardAtMs),
          usable: isUsable(entry, nowMs),
          kind: 'mai',
        });
      }
      return known;
    },

    noteState,

    noteHeartbeat: (heartbeat, heard) => {
      const entry = entryOf(heartbeat.host);
      if (entry === null || entry.retired.includes(heartbeat.epoch)) return;
      const last = entry.heartbeat;
      if (last?.epoch === heartbeat.epoch && last.sequence >= heartbeat.sequence) return;
      if (heard) {
        enterEpoch(entry, heartbeat.epoch);
        entry.heardAtMs = clock.monotonicMs();
      } else if (entry.epoch !== heartbeat.epoch) return;
      entry.heartbeat = heartbeat;
      settle(heartbeat.host, entry, last === null || !isSameLoad(last, heartbeat));
    },

    noteAnswer,

    noteDescribed: (state) => {
      noteState(state, true);
      noteAnswer(state.host, state.epoch);
    },

    forget: (host) => {
      if (entries.delete(host)) onChange(host);
    },

    missing: (afterMs) => {
      const nowMs = clock.monotonicMs();
      return [...entries]
        .filter(
          ([, { missingSinceMs }]) => missingSinceMs !== null && nowMs - missingSinceMs >= afterMs,
        )
        .map(([host]) => host);
    },

    sweep: () => {
      for (const [host, entry] of entries) settle(host, entry, false);
    },
  };
}

/** Whether two heartbeats are equal except for their sequence and the uptime. */
function isSameLoad(one: Heartbeat, other: Heartbeat): boolean {
  const { sequence, uptimeMs } = one;
  return JSON.stringify(one) === JSON.stringify({ ...other, sequence, uptimeMs });
}
