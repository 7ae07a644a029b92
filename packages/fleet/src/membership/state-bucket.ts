import { pause, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import type { NatsBucket } from '../nats/nats-door.js';
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
const PUT_TIMEOUT_MS = 3000;
const CHECK_INTERVAL_MS = 15_000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;

export function keepState(options: StateBucketOptions): StateBucket {
  const { connection, clock } = options;
  const stop = new AbortController();
  let session = new AbortController();
  let wakeWriter = (): void => undefined;
  let lastWriteMs: number | null = null;
  let watching = false;

  /** Writes the state now, and whenever it changes, until the signal fires. */
  const write = async (bucket: NatsBucket, signal: AbortSignal): Promise<void> => {
    let written: HostState | null = null;
    while (!signal.aborted) {
      const state = options.ownState();
      if (state === null || state === written) {
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
      await bucket.put(connection.host, encodeHostState(state), PUT_TIMEOUT_MS);
      written = state;
    }
  };

  /** Reads states until the signal fires. Rejects once the watcher has ended or lags behind the bucket. */
  const read = async (bucket: NatsBucket, signal: AbortSignal): Promise<void> => {
    const replayUntil = await bucket.lastPosition();
    let highest = 0;
    const watcher = await bucket.watch(({ key, value, position }) => {
      highest = Math.max(highest, position);
      if (signal.aborted || !isHostName(key)) return;
      if (value === null) {
        options.onForgotten(key);
        return;
      }
      const decoded = decodeHostState(value, key);
      // The watcher marks the last replayed entry as an update, so the position decides.
      if (decoded.ok) options.onState(decoded.value, position <= replayUntil);
      else options.onRefused(key, `state: ${decoded.reason}`);
    });
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
        const last = await bucket.lastPosition();
        if (last < seen) throw new Error('The bucket was created again.');
        if (last > seen && behind && highest === seen)
          throw new Error('The watcher delivers nothing.');
        behind = last > seen && highest === seen;
      }
    } finally {
      watching = false;
      watcher.stop();
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const attempt = new AbortController();
      const end = AbortSignal.any([signal, attempt.signal]);
      try {
        const bucket = await connection.bucket(HOSTS_BUCKET, {
          replicas: options.replicas,
          maxValueBytes: MAX_STATE_BYTES,
        });
        const tasks = [write(bucket, end)];
        if (options.watch) tasks.push(read(bucket, end));
        await Promise.all(tasks);
      } catch {
        // No connection, no JetStream yet, or the bucket was lost: it is opened again, and created where it is missing.
        attempt.abort();
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
