import { randomBytes } from 'node:crypto';

import { systemClock, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import {
  ALL_HEARTBEATS,
  heartbeatSubject,
  lastToken,
  servedSubject,
  isHostName,
} from '../nats/subjects.js';
import { decodeHeartbeat, encodeHeartbeat } from '../state/heartbeat-codec.js';
import type { Heartbeat } from '../state/heartbeat.js';
import { decodeHostState, encodeHostState } from '../state/host-state-codec.js';
import type { HostState } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';
import { openChangeFeed } from './change-feed.js';
import { createHostTable } from './host-table.js';
import { isLaterNamesake } from './namesake.js';
import { askForMissingStates } from './missing-states.js';
import { createStallGuard } from './stall-guard.js';
import { keepState } from './state-bucket.js';

/** The state that a host publishes, before its name, epoch and revision are added. */
export type OwnState = Omit<HostState, 'host' | 'epoch' | 'revision'>;

/** The load of this host, before its name, epoch, sequence, uptime and revision are added. */
export type OwnLoad = Omit<Heartbeat, 'host' | 'epoch' | 'sequence' | 'uptimeMs' | 'revision'>;

/** The hosts of a fleet as this host knows them, and what this host publishes about itself. */
export interface Members extends AsyncDisposable {
  /** Drawn at each start; leases of another epoch are void. */
  readonly epoch: string;
  /** This host first, then devices of LM Link, then the others. Without NATS the others are not usable. */
  hosts(): readonly KnownHost[];
  /**
   * Publishes the state. It is written when it has changed, at most once a second, and again once the server has lost
   * it.
   */
  publish(state: OwnState): void;
  /** Publishes the load. It is sent every two seconds from the first call on, and at once where `ready` has changed. */
  beat(load: OwnLoad): void;
  /** Devices of LM Link, as the runtime of this machine shows them. Replaces those of the last call. */
  setLinkDevices(devices: readonly HostState[]): void;
  /** A direct answer of another host counts as heard. */
  noteAnswer(host: string, epoch: string): void;
  /** A state that another host gave as a direct answer. */
  noteDescribed(state: HostState): void;
  /** Whether the server answers a round trip before the deadline and, with `watch`, the states are watched. */
  ready(options: {
    readonly deadlineMs: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<boolean>;
  /** Names of the hosts whose state, load or usability has changed since the last turn, until the signal fires. */
  changes(signal: AbortSignal): AsyncIterable<readonly string[]>;
}

export interface MembersOptions {
  readonly connection: FleetConnection;
  /** Whether to read the states and heartbeats of others. Only gateways need them. */
  readonly watch: boolean;
  readonly epoch?: string;
  readonly clock?: Clock;
  /** A host is stale once nothing new was heard from it for longer. Default 6000: three heartbeats. */
  readonly staleAfterMs?: number;
  /** Servers that keep a copy of the bucket: 1, 3 or 5. Default 1. */
  readonly replicas?: number;
  /**
   * Called once where another machine has started later under the name of this host, with a copy of its keys. From then on this
   * host publishes nothing about itself.
   */
  readonly onDisplaced?: () => void;
  /** A message that could not be used, and why. */
  readonly onRefused?: (host: string, reason: string) => void;
}

const HEARTBEAT_INTERVAL_MS = 2000;
export const STALE_AFTER_MS = 6000;
/** Heartbeats are spread by this share of the interval to both sides. */
const JITTER_RATIO = 0.1;
const SWEEP_INTERVAL_MS = 500;

/** Name of one start of a host: 16 hexadecimal digits. */
function drawEpoch(): string {
  return randomBytes(8).toString('hex');
}

/** Joins the fleet. Returns at once; without a server the host goes on alone until one answers. */
export function openMembers(options: MembersOptions): Members {
  const { connection, watch, epoch = drawEpoch(), clock = systemClock } = options;
  const { host } = connection;
  const startedAtMs = clock.monotonicMs();
  const onRefused = options.onRefused ?? (() => undefined);
  const feed = openChangeFeed(clock);
  const table = createHostTable({
    clock,
    staleAfterMs: options.staleAfterMs ?? STALE_AFTER_MS,
    onChange: (name) => feed.note(name),
    onRefused,
  });
  const stall = watch ? createStallGuard({ clock, connection }) : null;
  const ends: (() => void)[] = [];

  let state: HostState | null = null;
  let stateText = '';
  let load: OwnLoad | null = null;
  let sequence = 0;
  let isDisplaced = false;
  let devices: readonly HostState[] = [];

  const bucket = keepState({
    connection,
    clock,
    replicas: options.replicas ?? 1,
    ownState: () => (isDisplaced ? null : state),
    watch,
    onState: (other, isReplay) => {
      if (other.host !== host) table.noteState(other, !isReplay && stall?.isLive() !== false);
      else if (!isReplay && other.epoch !== epoch)
        onRefused(host, `another machine writes under the name ${host}`);
    },
    onForgotten: (other) => table.forget(other),
    onRefused,
  });

  const uptimeMs = (): number => Math.round(clock.monotonicMs() - startedAtMs);
  const ownHeartbeat = (): Heartbeat | null => {
    if (load === null) return null;
    return { ...load, host, epoch, sequence, uptimeMs: uptimeMs(), revision: state?.revision ?? 0 };
  };

  const sendHeartbeat = (): void => {
    if (load === null || isDisplaced) return;
    sequence += 1;
    const heartbeat = ownHeartbeat();
    if (heartbeat !== null) connection.publish(heartbeatSubject(host), encodeHeartbeat(heartbeat));
  };
  let cancelHeartbeat: (() => void) | null = null;
  const beatRegularly = (): void => {
    const jitter = 1 + JITTER_RATIO * (2 * Math.random() - 1);
    cancelHeartbeat = clock.setTimer(HEARTBEAT_INTERVAL_MS * jitter, () => {
      sendHeartbeat();
      beatRegularly();
    });
  };
  ends.push(() => cancelHeartbeat?.());
  // After a reconnect, a heartbeat tells the others at once that this host is there.
  ends.push(connection.onConnected(sendHeartbeat));

  ends.push(
    connection.subscribe(servedSubject(host, 'describe'), ({ respond }) => {
      if (state !== null && !isDisplaced) respond?.(encodeHostState(state));
    }),
  );

  const noteNamesake = (heartbeat: Heartbeat): void => {
    if (load === null || isDisplaced) return;
    if (!isLaterNamesake({ epoch, uptimeMs: uptimeMs() }, heartbeat)) return;
    isDisplaced = true;
    options.onDisplaced?.();
  };

  if (watch) {
    ends.push(
      connection.subscribe(ALL_HEARTBEATS, ({ subject, data }) => {
        const other = lastToken(subject);
        if (!isHostName(other)) return;
        const decoded = decodeHeartbeat(data, other);
        if (decoded.ok && other === host) noteNamesake(decoded.value);
        else if (decoded.ok) table.noteHeartbeat(decoded.value, stall?.isLive() !== false);
        else onRefused(other, `heartbeat: ${decoded.reason}`);
      }),
    );
    const asking = askForMissingStates({
      connection,
      clock,
      table,
      onRefused,
    });
    ends.push(asking);
    let cancelSweep = (): void => undefined;
    const sweepRegularly = (): void => {
      cancelSweep = clock.setTimer(SWEEP_INTERVAL_MS, () => {
        table.sweep();
        sweepRegularly();
      });
    };
    sweepRegularly();
    ends.push(() => cancelSweep());
  }

  return {
    epoch,
    hosts: () => {
      const own: KnownHost[] =
        state === null
          ? []
          : [
              {
                state,
                heartbeat: ownHeartbeat(),
                silentMs: 0,
                usable: load?.ready !== false && !isDisplaced,
                kind: 'mai',
              },
            ];
      const linked = devices.map((device): KnownHost => ({
        state: device,
        heartbeat: null,
        silentMs: 0,
        usable: true,
        kind: 'lm-link',
      }));
      return [...own, ...linked, ...table.list()];
    },
    publish: (next) => {
      const text = JSON.stringify(next);
      if (text === stateText) return;
      stateText = text;
      state = { ...next, host, epoch, revision: (state?.revision ?? 0) + 1 };
      const decoded = decodeHostState(Buffer.from(encodeHostState(state)), host);
      if (!decoded.ok) onRefused(host, `others will refuse this host's state: ${decoded.reason}`);
      feed.note(host);
      bucket.changed();
    },
    beat: (next) => {
      const turned = load !== null && load.ready !== next.ready;
      const first = load === null;
      load = next;
      if (first || turned) sendHeartbeat();
      if (first) beatRegularly();
    },
    setLinkDevices: (next) => {
      for (const device of [...devices, ...next]) feed.note(device.host);
      devices = next;
    },
    noteAnswer: (other, itsEpoch) => table.noteAnswer(other, itsEpoch),
    noteDescribed: (other) => table.noteDescribed(other),
    ready: async ({ deadlineMs, signal = null }) =>
      (await connection.roundTrip({ deadlineMs, signal })) && (!watch || bucket.watching()),
    changes: (signal) => feed.changes(signal),
    [Symbol.asyncDispose]: () => {
      if (load !== null && load.ready) {
        load = { ...load, ready: false };
        sendHeartbeat();
      }
      for (const end of ends) end();
      stall?.stop();
      feed.close();
      bucket.stop();
      return Promise.resolve();
    },
  };
}
