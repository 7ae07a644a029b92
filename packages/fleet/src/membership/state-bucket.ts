import { pause, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import type { BucketProgress, NatsBucket } from '../nats/nats-door.js';
import { HOSTS_BUCKET, isHostName } from '../nats/subjects.js';
import { decodeHostState, encodeHostState, MAX_STATE_BYTES } from '../state/host-state-codec.js';
import type { HostState } from '../state/host-state.js';

export interface StateBucketOptions {
  readonly connection: FleetConnection;
  readonly clock: Clock;
  readonly replicas: number;
  readonly watch: boolean;
  /** Newest state of this host; null before the first. */
  readonly ownState: () => HostState | null;
  /** A state of any host. `isReplay`: it was written before the watcher was opened. */
  readonly onState: (state: HostState, isReplay: boolean) => void;
  readonly onForgotten: (host: string) => void;
  readonly onRefused: (host: string, reason: string) => void;
}

/** Keeps this host's state in the bucket, and reads the others' from it. */
export interface StateBucket {
  /** There is a new state. It is written at most once a second. */
  changed(): void;
  watching(): boolean;
  stop(): void;
}

const WRITE_INTERVAL_MS = 1000;
/** Long, because a write without an answer is repeated, and repeats slow down an overloaded server further. */
const PUT_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 15_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** After a session that lasted longer than this, the back-off starts again. */
const GOOD_SESSION_MS = 60_000;
/** After a reconnect all hosts open the bucket within this time, so that a restarted server is not overrun. */
const SPREAD_MS = 1500;

export function keepState(options: StateBucketOptions): StateBucket {
  const { connection, clock } = options;
  const stop = new AbortController();
  let session = new AbortController();
  let wakeWriter = (): void => undefined;
  let lastWriteMs: number | null = null;
  /** The state that was written last, and its position in the bucket. */
  let written: { readonly state: HostState; readonly at: BucketProgress } | null = null;
  /** The position up to which the bucket was read. */
  let read: BucketProgress | null = null;
  let isFirst = true;
  let watching = false;

  /** Writes the state where the bucket does not have it, and whenever it changes, until the signal fires. */
  const write = async (
    bucket: NatsBucket,
    found: BucketProgress,
    signal: AbortSignal,
  ): Promise<void> => {
    if (written !== null && !continues(written.at, found)) written = null;
    while (!signal.aborted) {
      const state = options.ownState();
      if (state === null || state === written?.state) {
        await new Promise<void>((resolve) => {
          wakeWriter = resolve;
          signal.addEventListener('abort', wakeWriter, { once: true });
        });
        signal.removeEventListener('abort', wakeWriter);
        continue;
      }
      const waitMs =
        lastWriteMs === null ? 0 : lastWriteMs + WRITE_INTERVAL_MS - clock.monotonicMs();
      if (waitMs > 0) {
        await pause(clock, waitMs, signal);
        continue;
      }
      lastWriteMs = clock.monotonicMs();
      const position = await bucket.put(connection.host, encodeHostState(state), PUT_TIMEOUT_MS);
      written = { state, at: { created: found.created, position } };
    }
  };

  /** Reads states until the signal fires. Rejects once the watcher has ended or lags behind the bucket. */
  const watchStates = async (
    bucket: NatsBucket,
    found: BucketProgress,
    signal: AbortSignal,
  ): Promise<void> => {
    // Entries that were read before a reconnect are not read again, unless the server has lost them.
    const from = read !== null && continues(read, found) ? read.position : 0;
    let highest = from;
    const watcher = await bucket.watch(({ key, value, position }) => {
      if (signal.aborted) return;
      highest = Math.max(highest, position);
      read = { created: found.created, position: highest };
      if (!isHostName(key)) return;
      if (value === null) {
        options.onForgotten(key);
        return;
      }
      const decoded = decodeHostState(value, key);
      // The watcher marks the last replayed entry as an update, so the position decides.
      if (decoded.ok) options.onState(decoded.value, position <= found.position);
      else options.onRefused(key, `state: ${decoded.reason}`);
    }, from + 1);
    let ended = false;
    void watcher.ended.finally(() => {
      ended = true;
    });
    watching = true;
    try {
      let behind = false;
      while (!signal.aborted) {
        await Promise.race([pause(clock, CHECK_INTERVAL_MS, signal), watcher.ended]);
        if (signal.aborted) break;
        if (ended) throw new Error('The watcher has ended.');
        const seen = highest;
        const now = await bucket.progress();
        if (!continues({ created: found.created, position: seen }, now))
          throw new Error('The bucket was created again.');
        const lags = now.position > seen && highest === seen;
        if (lags && behind) throw new Error('The watcher delivers nothing.');
        behind = lags;
      }
    } finally {
      watching = false;
      watcher.stop();
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    let retryMs = FIRST_RETRY_MS;
    if (!isFirst) await pause(clock, Math.random() * SPREAD_MS, signal);
    isFirst = false;
    while (!signal.aborted) {
      const attempt = new AbortController();
      const startedAtMs = clock.monotonicMs();
      const end = AbortSignal.any([signal, attempt.signal]);
      try {
        const bucket = await connection.bucket(HOSTS_BUCKET, {
          replicas: options.replicas,
          maxValueBytes: MAX_STATE_BYTES,
        });
        const found = await bucket.progress();
        const tasks = [write(bucket, found, end)];
        if (options.watch) tasks.push(watchStates(bucket, found, end));
        await Promise.all(tasks);
      } catch {
        // There is no connection or no JetStream yet, or the bucket was lost. The next attempt opens it, and creates a missing one.
        attempt.abort();
        if (clock.monotonicMs() - startedAtMs > GOOD_SESSION_MS) retryMs = FIRST_RETRY_MS;
        await pause(clock, retryMs * (0.5 + Math.random()), signal);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
  };

  const endListening = connection.onConnected(() => {
    // A watcher of the connection before may have died unnoticed, and a restarted server may have lost the state.
    session.abort();
    session = new AbortController();
    void run(AbortSignal.any([session.signal, stop.signal]));
  });

  return {
    changed: () => wakeWriter(),
    watching: () => watching,
    stop: () => {
      endListening();
      stop.abort();
      session.abort();
    },
  };
}

/** Whether a bucket that was at `before` can still hold everything that it held then. */
function continues(before: BucketProgress, now: BucketProgress): boolean {
  return before.created === now.created && before.position <= now.position;
}
